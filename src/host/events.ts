/** The events about the process's surroundings: the lock, the previous run, the time a stop has, and stand-stills. */
import type { LastcallError } from '../errors.js';
import type { Receipt, RunPhase } from './run-record.js';
import type { Watcher } from './watcher.js';

/** The events of a bot's lock. `bot` is the bot's id. */
export type LockEvent =
  /** This process stands by, because another one on this host holds the lock. `holder` is the other's pid, if known. */
  | { readonly event: 'lock.waiting'; readonly bot: number; readonly holder: number | undefined }
  /** `waitedMs` is how long this process stood by; 0 if the lock was free. */
  | { readonly event: 'lock.acquired'; readonly bot: number; readonly waitedMs: number }
  /**
   * A process of another user holds the public name of the bot's lock. This process runs the bot all the same, by the lock in
   * the bot's folder. `holder` is the other's pid and `uid` its user, if known.
   */
  | {
      readonly event: 'lock.usurped';
      readonly bot: number;
      readonly holder?: number | undefined;
      readonly uid?: number | undefined;
    }
  | { readonly event: 'lock.released'; readonly bot: number };

/**
 * What becomes of the inboxes that former versions kept of the bot, one for each spelling of its server. `bot` is the bot's id,
 * `own` the folder of the bot.
 */
export type FormerInboxEvent =
  | {
      readonly event: 'former-inbox.taken-over';
      readonly bot: number;
      readonly from: string;
      readonly path: string;
    }
  /** Nobody handles what it may hold, because the bot has an inbox already. With an `error`, it cannot be seen whether there is one. */
  | {
      readonly event: 'former-inbox.left';
      readonly bot: number;
      readonly path: string;
      readonly own: string;
      readonly error?: unknown;
    };

/** The journal of the bot holds updates that nobody handles, because INBOX names another kind of inbox now. */
export interface UnusedJournalEvent {
  readonly event: 'journal.unused';
  readonly bot: number;
  readonly path: string;
  readonly inbox: 'memory' | 'postgres';
  readonly updates: number;
  readonly dead: number;
}

export type PreviousRunEvent =
  | ({ readonly event: 'previous-run.killed'; readonly bot: number } & KilledRun)
  /** How the previous run ended, whose log could not take its receipt. */
  | ({
      readonly event: 'previous-run.receipt';
      readonly bot: number;
      readonly pid: number;
      readonly exitCode: number | undefined;
    } & Receipt)
  /**
   * The record of the previous run cannot be read, or the record of this run cannot be written. `isStale`: the file says what
   * this run was at before, and nothing of how it ends.
   */
  | {
      readonly event: 'run-record.failed';
      readonly path: string;
      readonly error: unknown;
      readonly isStale: boolean;
    };

/** A run that did not end by itself. */
export interface KilledRun {
  readonly pid: number;
  /** The last phase that the run recorded. */
  readonly phase: Exclude<RunPhase, 'stopped'>;
  /** The hook that was starting or stopping. */
  readonly hook: string | undefined;
  /** The time from the beginning of the phase until the kill; in the drain, from the stop request. */
  readonly durationMs: number;
  /** `exactly` if the time of the kill is known, `at most` if only this start limits it. */
  readonly bound: 'exactly' | 'at most';
  /** Whether the machine has restarted since. */
  readonly machineRestarted: boolean;
  /** The likely cause or what to change, as part of a sentence. */
  readonly advice: string;
}

/** How much time a stop has, reported once the run has started. */
export interface BudgetEvent {
  readonly event: 'lifecycle.budget';
  /** The time for the whole stop. */
  readonly budgetMs: number;
  /** The drain's latest end, counted from the beginning of the stop. */
  readonly drainMs: number;
  /** The least time that remains for the hooks that stop after the drain. */
  readonly hooksMs: number;
  /** Present if the supervisor kills sooner than the settings require. */
  readonly cutShort?: {
    readonly killAfterMs: number;
    /** What kills, where that is not pm2. */
    readonly by?: 'container';
    /** The kill timeout that the settings require. */
    readonly neededMs: number;
  };
}

/**
 * The process did not run for `ms`: it was stopped, or its container or machine was paused. Time limits do not count this
 * time.
 */
interface StandstillEvent {
  readonly event: 'process.stood-still';
  readonly ms: number;
}

/** A program that watches files sees the state, and restarts the bot at each change there. */
export interface WatchedStateEvent {
  readonly event: 'state.watched';
  readonly watcher: Watcher['name'];
  /** STATE_DIR. */
  readonly folder: string;
  /** What to set so that the watcher leaves the state alone, as part of a sentence. */
  readonly cure: string;
}

/** Nobody can ask the run how the bot does: the socket for that cannot be opened. `bot` is the bot's id. */
interface StatusEvent {
  readonly event: 'status.unavailable';
  readonly bot: number;
  readonly path: string;
  readonly error: unknown;
}

/** Metrics and health checks. `address` is the one at which they are served, or would be. */
export type MetricsEvent =
  /** `exposed`: not only this machine can reach the address. */
  | { readonly event: 'metrics.listening'; readonly address: string; readonly exposed: boolean }
  /** The address is taken, or not there yet; it is tried again. Told once. */
  | { readonly event: 'metrics.unavailable'; readonly address: string; readonly error: unknown };

/** The history of a bot cannot be written. Told once. */
interface HistoryFailedEvent {
  readonly event: 'history.failed';
  readonly path: string;
  readonly error: unknown;
}

/** What becomes of a bot while the run goes on. `bot` is the bot's id. */
export type BotEvent =
  /** The program has called `bot.stop()`: the bot is polled no longer, and its handlers may end. */
  | { readonly event: 'bot.stopping'; readonly bot: number; readonly by: string }
  /** The handlers of a bot that the program has stopped have ended, and it may be launched again. */
  | { readonly event: 'bot.stopped'; readonly bot: number }
  /** The bot cannot be polled any more; the others go on. */
  | { readonly event: 'bot.failed'; readonly bot: number; readonly error: LastcallError };

export type HostEvent =
  | LockEvent
  | FormerInboxEvent
  | UnusedJournalEvent
  | PreviousRunEvent
  | BudgetEvent
  | StandstillEvent
  | WatchedStateEvent
  | StatusEvent
  | MetricsEvent
  | HistoryFailedEvent
  | BotEvent;
