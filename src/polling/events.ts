/**
 * All that polling has to tell. The values of `event` are stable: they are the names in the log.
 */
import type { ConflictParty } from './failure.js';

export type PollingEvent =
  /** `getMe` has answered: the token is good and this is whose it is. */
  | { readonly event: 'poll.connected'; readonly id: number; readonly username: string }
  /** How many updates waited at Telegram when the run began. */
  | { readonly event: 'poll.backlog'; readonly pending: number }
  /** A webhook was set and has been removed (a warning: whoever set it gets no more updates). */
  | { readonly event: 'poll.webhook-deleted'; readonly host: string }
  /** The waiting updates were dropped, as asked for (a warning: they are gone). */
  | { readonly event: 'poll.pending-dropped'; readonly count: number }
  /** The first poll has been answered: from here on updates flow. */
  | { readonly event: 'poll.started' }
  /** A poll was answered with `count` updates, 0 for a long poll that ended empty (debug). */
  | { readonly event: 'poll.answered'; readonly count: number; readonly durationMs: number }
  /**
   * A call came to nothing and is tried again (a warning): Telegram is out of reach, or getMe, too, refuses a token
   * that was good. `attempt` counts the failures in a row.
   */
  | {
      readonly event: 'poll.failed';
      readonly class: 'unreachable' | 'token-refused';
      readonly detail: string;
      readonly retryInMs: number;
      readonly attempt: number;
    }
  /** Telegram asked us to wait (a warning). */
  | { readonly event: 'poll.rate-limited'; readonly retryAfterSeconds: number }
  /** Someone else takes the updates (a warning, once in a fight). The run ends when patience does. */
  | {
      readonly event: 'poll.conflict';
      readonly by: ConflictParty;
      readonly detail: string;
      readonly patienceLeftMs: number;
    }
  /** A poll is refused for a token that was good (an error, each time): getMe is asked whether it still is. */
  | { readonly event: 'poll.token-doubted'; readonly detail: string }
  /** Telegram rejects the request itself (an error, each time). The run ends when patience does. */
  | {
      readonly event: 'poll.rejected';
      readonly detail: string;
      readonly retryInMs: number;
      readonly patienceLeftMs: number;
      readonly attempt: number;
    }
  /** The first answer after failures; `gapMs` is measured from the begin of the first call that failed. */
  | { readonly event: 'poll.recovered'; readonly gapMs: number; readonly failures: number }
  /** The stop has told Telegram to forget every update below `offset`. */
  | { readonly event: 'poll.confirmed'; readonly offset: number }
  /** It could not (a warning): the updates since the confirm before come again at the next start. */
  | { readonly event: 'poll.confirm-failed'; readonly offset: number; readonly detail: string }
  /** Polling has ended; `confirmedUpTo` is the id of the newest update that Telegram has been told to forget. */
  | {
      readonly event: 'poll.stopped';
      readonly fetched: number;
      readonly confirmedUpTo: number | undefined;
    };
