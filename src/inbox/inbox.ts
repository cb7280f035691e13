/**
 * The inbox's contract: an accepted update is safe here until its handler has ended, and Telegram is told to forget an
 * update only when that loses nothing. Polling, dispatch and the receipt rely on this contract alone, whichever inbox is
 * in use.
 *
 *     open() ──► accept(batch) ──► take(most) ──► handler ──► settle(entry, result)    repeated, until the stop:
 *                drain() ──► close(cause)
 *
 * The inbox alone knows the order of updates: it hands out no update before the one ahead of it with the same order key
 * has settled. "Order of arrival" is the order in which `accept` got the updates, never the order of their ids.
 */
import type { Clock } from '../clock.js';
import type { OrderKey, UpdateId } from './ids.js';

/** An update that was taken from an inbox. */
export interface Entry<U = unknown> {
  readonly updateId: UpdateId;
  /** Entries that share a key are handled one at a time, in order of arrival. */
  readonly key: OrderKey;
  /** The kind of update, by its name in the Bot API (`message`). */
  readonly kind: string;
  /** Updates of one group (an album) are handled side by side. */
  readonly group?: string | undefined;
  /** How often the handler of this update has begun, this time included. */
  readonly attempt: number;
  /** How often the update was put back. */
  readonly putBacks: number;
  /** How many of the times that the update was put back count as retries. */
  readonly retries: number;
  /** When the update was accepted, in milliseconds since 1970. */
  readonly acceptedAtMs: number;
  readonly update: U;
}

/** How the handling of an entry ended. `caught`: the handler failed, and the bot's own error handler took the error. */
export type Settlement = 'handled' | 'caught' | 'failed' | 'timed-out' | 'expired';

/**
 * Why an update became a dead letter:
 *
 * - `failed`, `caught`: its handler failed; `caught` where `bot.catch` took the error;
 * - `timed-out`: its handler did not end in time;
 * - `expired`: it was put back until it was too old to be answered;
 * - `died`: too many processes died while its handler was at work;
 * - `cut`: too many stops had to cut its handler.
 */
export const deadReasons = ['failed', 'caught', 'timed-out', 'expired', 'died', 'cut'] as const;
export type DeadReason = (typeof deadReasons)[number];

export const isDeadReason = (value: unknown): value is DeadReason =>
  deadReasons.some((reason) => reason === value);

/** How an update is to be tried again. */
export interface Retry {
  /** How long the update waits at its place in its chat. */
  readonly delayMs: number;
  /** Whether this counts as a retry of a failing handler. */
  readonly isRetry: boolean;
}

/** Telegram keeps an update for 24 hours; people do not wait longer for an answer either. */
export const UPDATE_EXPIRES_AFTER_MS = 24 * 60 * 60 * 1_000;

/** Updates that wait behind one that is taken. */
export interface WaitingBehind {
  /** How many there are, as far as the inbox has looked. */
  readonly waiting: number;
  /** When the first of them was accepted, in milliseconds since 1970. */
  readonly acceptedAtMs: number;
}

/** What every inbox is built with. */
export interface InboxOptions<U> {
  /** The order key of an update. Must not throw. */
  keyOf(update: U): string;
  /** The group of an update, if it has one. Must not throw. */
  groupOf?(update: U): string | undefined;
  /** The kind of an update. Must not throw. */
  kindOf(update: U): string;
  readonly clock: Clock;
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
  /** Called when `take` may give entries that it did not give before, other than because one was settled. */
  available(): void;
}

export interface Inbox<U> {
  /**
   * Makes ready to accept, and finds what earlier runs left. Called first, and once; `drain` and `close` may come before it
   * has resolved. Rejects with a LastcallError where there can be no inbox, and with the signal's reason.
   */
  open(signal?: AbortSignal): Promise<void>;

  /**
   * Takes a batch as Telegram answered it (at most 100 updates). Resolves with the offset that may be confirmed: Telegram
   * can forget everything below it and nothing is lost. Resolves with undefined where there is nothing to confirm: an
   * empty batch, or one that must stay with Telegram for the next run. A full inbox resolves late; that is how
   * back-pressure reaches the poller. The next call may come only once this one has resolved, and only with what Telegram
   * has answered to a poll from the offset of the call before.
   *
   * Updates that Telegram sends again while they are unsettled here are not handed out twice. Once `drain` was called, a
   * new batch is handed out to nobody; once `close` was called, a pending call resolves.
   *
   * Rejects when the batch could not be made safe; then nothing of it may be confirmed.
   */
  accept(batch: readonly U[]): Promise<number | undefined>;

  /**
   * Hands out updates whose handlers are to run now, at most `most` of them, and marks them as begun. Never throws: an
   * inbox that cannot write the marks reports its failure and hands out nothing.
   */
  take(most: number): readonly Entry<U>[];

  /** False while `take` would hand out nothing. True may still turn out to be nothing. */
  readonly hasReady: boolean;

  /**
   * The handler of a taken entry has ended, well or not, or was given up; `error` says why it did not end well. The next
   * entry with the same key can be taken from now on. Never throws. Settling is made durable in the inbox's own time,
   * together with others, at the latest by `close`. Ignores entries that are not taken, and all entries after `close`.
   */
  settle(entry: Entry<U>, result: Settlement, error?: unknown): void;

  /**
   * The handler of a taken entry has failed for a reason that passes: the update is handed out again after the delay, at its
   * place in its chat, whose later updates wait. Lasts over restarts where the inbox does. Never throws.
   */
  putBack(entry: Entry<U>, retry: Retry): void;

  /** What waits behind a taken entry, because it has the same key; undefined if nothing does. */
  waitingBehind(entry: Entry<U>): WaitingBehind | undefined;

  /**
   * The stop has begun: from now on `take` hands out only updates without which later ones that were handled could not be
   * confirmed. An inbox that keeps updates itself hands out none.
   *
   * @param cause `fault`: the updates that are taken may have caused the fault
   */
  drain(cause?: 'stop' | 'fault'): void;

  /**
   * All handling has ended. Resolves, once all that was settled is safe, with what is left. Further calls give the same
   * report. Never rejects: an inbox that fails reports what it knows.
   *
   * @param cause `fault`: the updates that are still taken may have caused the fault
   * @param withinMs how long to wait at most for others, such as a database
   */
  close(cause?: 'stop' | 'fault', withinMs?: number): Promise<InboxReport>;

  readonly counts: InboxCounts;

  /**
   * When the oldest unsettled update was accepted, in milliseconds since 1970; undefined without one. May read the disk. Never
   * throws.
   */
  oldestAtMs?(): number | undefined;

  /** The size of what it has written on disk, in bytes; undefined where it keeps nothing there, and before it has opened. */
  readonly bytes?: number | undefined;

  /** Whether the inbox recognizes updates that Telegram sends again, even when they have settled. */
  readonly recognizesRepeats: boolean;

  /** Whether an entry that is taken and never settled is handed out by the next run, and no other one because of it. */
  readonly outlivesRun: boolean;

  /** How old an update may be, in milliseconds, when it is handed out again after it was put back. */
  readonly expiresAfterMs: number;

  /** When the inbox's disk operation under way has to have ended, in the clock's milliseconds; Infinity without one. */
  readonly latestEnd: number;
}

/** What a run leaves behind. */
export interface InboxReport {
  /** The number of updates that are not settled: left for the next run. */
  readonly left: number;
  /** The ids of the updates that the next run may handle a second time, wholly or from where they were cut. */
  readonly mayRepeat: readonly UpdateId[];
}

export interface InboxCounts {
  /** Updates accepted since the process started. An update that Telegram sent again counts once. */
  readonly accepted: number;
  /** Updates that earlier runs left, and dead letters that are tried again. */
  readonly recovered: number;
  readonly handled: number;
  readonly caught: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly expired: number;
  /** How often an update was put back. */
  readonly putBack: number;
  /** Updates given up, or dropped on request, without having been handled by this run. */
  readonly dropped: number;
  /** Dead letters dropped because they were too many, too old or too large. */
  readonly deadDropped: number;
  /** Dead letters that are kept now, those of earlier runs included. */
  readonly dead: number;
  /** Unsettled updates that are not taken. */
  readonly waiting: number;
  /** Unsettled updates that are taken. */
  readonly taken: number;
  /** The number of updates that the next run might handle a second time if the process ended now, without a drain. */
  readonly mayRepeat: number;
}
