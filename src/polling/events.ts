/** The events of polling. The values of `event` are stable: they are the event names in the log. */
import type { ConflictParty } from './failure.js';

export type PollingEvent =
  /** `getMe` was answered: the token is good and belongs to this bot. */
  | { readonly event: 'poll.connected'; readonly id: number; readonly username: string }
  /** The number of updates that waited at Telegram when the run began. */
  | { readonly event: 'poll.backlog'; readonly pending: number }
  /** A webhook was removed (a warning: whoever set it gets no more updates). */
  | { readonly event: 'poll.webhook-deleted'; readonly host: string }
  /** The waiting updates were dropped because DROP_PENDING says so (a warning: they are gone). */
  | { readonly event: 'poll.pending-dropped'; readonly count: number }
  /** The first poll was answered: updates arrive from now on. */
  | { readonly event: 'poll.started' }
  /** A poll was answered with `count` updates, 0 for a long poll that ended empty (debug). */
  | { readonly event: 'poll.answered'; readonly count: number; readonly durationMs: number }
  /** A call failed and is repeated. `attempt` counts the consecutive failures. */
  | {
      readonly event: 'poll.failed';
      readonly class: 'unreachable' | 'token-refused';
      readonly detail: string;
      readonly retryInMs: number;
      readonly attempt: number;
    }
  /** Telegram asked the bot to wait (a warning). */
  | { readonly event: 'poll.rate-limited'; readonly retryAfterSeconds: number }
  /** Another program or a webhook takes the updates (a warning, once a conflict). The run ends with the patience. */
  | {
      readonly event: 'poll.conflict';
      readonly by: ConflictParty;
      readonly detail: string;
      readonly patienceLeftMs: number;
    }
  /** A poll was refused for a token that was good (an error, each time): `getMe` is asked whether it still is. */
  | { readonly event: 'poll.token-doubted'; readonly detail: string }
  /** Telegram rejects the request itself (an error, each time). The run ends with the patience. */
  | {
      readonly event: 'poll.rejected';
      readonly detail: string;
      readonly retryInMs: number;
      readonly patienceLeftMs: number;
      readonly attempt: number;
    }
  /** The first answer after failures; `gapMs` is the time since the first call that failed began. */
  | { readonly event: 'poll.recovered'; readonly gapMs: number; readonly failures: number }
  /** The stop has told Telegram to forget every update below `offset`. */
  | { readonly event: 'poll.confirmed'; readonly offset: number }
  /** The stop could not tell Telegram (a warning): updates since the previous confirm come again at the next start. */
  | { readonly event: 'poll.confirm-failed'; readonly offset: number; readonly detail: string }
  /** Polling has ended; `confirmedUpTo` is the id of the newest update that Telegram has been told to forget. */
  | {
      readonly event: 'poll.stopped';
      readonly fetched: number;
      readonly confirmedUpTo: number | undefined;
    };
