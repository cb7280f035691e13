/** The events of polling. The values of `event` are stable, because the log uses them as event names. */
import type { ConflictParty } from './failure.js';

export type PollingEvent =
  | { readonly event: 'poll.connected'; readonly id: number; readonly username: string | undefined }
  | { readonly event: 'poll.backlog'; readonly pending: number }
  | { readonly event: 'poll.webhook-deleted'; readonly host: string }
  | { readonly event: 'poll.pending-dropped'; readonly count: number | undefined }
  | { readonly event: 'poll.started' }
  | { readonly event: 'poll.answered'; readonly count: number; readonly durationMs: number }
  /** A call failed and is repeated. `attempt` counts the consecutive failures. */
  | {
      readonly event: 'poll.failed';
      readonly class: 'unreachable' | 'token-refused';
      readonly detail: string;
      readonly retryInMs: number;
      readonly attempt: number;
    }
  | { readonly event: 'poll.rate-limited'; readonly retryAfterSeconds: number }
  | {
      readonly event: 'poll.conflict';
      readonly by: ConflictParty;
      readonly detail: string;
      readonly patienceLeftMs: number;
    }
  | { readonly event: 'poll.token-doubted'; readonly detail: string }
  | {
      readonly event: 'poll.rejected';
      readonly detail: string;
      readonly retryInMs: number;
      readonly patienceLeftMs: number;
      readonly attempt: number;
    }
  /** The first answer after failures; `gapMs` is the time since the first call that failed began. */
  | { readonly event: 'poll.recovered'; readonly gapMs: number; readonly failures: number }
  | { readonly event: 'poll.confirmed'; readonly offset: number }
  | { readonly event: 'poll.confirm-failed'; readonly offset: number; readonly detail: string }
  /** Polling has ended; `confirmedUpTo` is the id of the newest update that Telegram has been told to forget. */
  | { readonly event: 'poll.stopped'; readonly fetched: number; readonly confirmedUpTo: number | undefined };
