/**
 * The contract that polling, dispatch and the receipt rely on, whichever inbox is in use: an accepted update is safe here
 * until its handler has ended, and Telegram is told to forget it only when that loses nothing.
 *
 *     open() ──► resume() ──► accept(batch) ──► deliver(entries) ──► begin(entries) ──► handler ──► settle(entry, result)
 *
 * The words "order of arrival" mean the order in which `accept` got the updates, never the order of their ids.
 */

/**
 * An accepted update as all others see it: what ordering and the log need. An inbox may hang on it what is its own
 * business, so it takes back only the very entries that it has delivered.
 */
export interface Entry {
  readonly updateId: number;
  /** Entries that share a key are handled one at a time, in order of arrival. */
  readonly key: string;
  /** What kind of update it is (`message`), so that the log can say so while the content is elsewhere. */
  readonly kind: string;
  /** In how many runs of the program it was begun, this one among them: 1, unless earlier ones did not live to settle it. */
  readonly attempt: number;
}

export type Settlement = 'handled' | 'failed' | 'timed-out';

/** Why an update is not tried any more: its handler failed or hung, or processes died of it. */
export type DeadReason = Exclude<Settlement, 'handled'> | 'died';

/** What every inbox is built with, whatever else it needs. */
export interface InboxOptions<U> {
  keyOf(update: U): string;
  kindOf(update: U): string;
  /**
   * Where entries go to be handled, in order of arrival. Each is delivered at most once a process: at once, before
   * `accept` has resolved, or when there is room for it, or, where one update must run alone, when the others have
   * settled.
   */
  deliver(entries: readonly Entry[]): void;
}

export interface Inbox<U> {
  /**
   * Makes ready to accept, and finds what earlier runs left. To be called first, and once; a stop may come before it has
   * resolved. Rejects with a LastcallError when there can be no inbox there, and with the signal's reason.
   */
  open(signal?: AbortSignal): Promise<void>;

  /** Delivers what earlier runs left; once handlers can be expected to do their work. `accept` implies it. */
  resume(): void;

  /**
   * Takes a batch as Telegram answered it (at most 100 updates). Resolves with the offset that may be confirmed:
   * Telegram can forget everything below it and nothing is lost. Resolves with undefined when there is nothing to
   * confirm: an empty batch, or one that must stay with Telegram for the next run. A full inbox takes its time; that is
   * how back-pressure reaches the poller. Call it again only once it has resolved, and only with what Telegram has
   * answered to a poll from the offset it gave last.
   *
   * What the inbox still has unsettled is not delivered a second time when Telegram sends it again. Once `drained` has
   * been called, a pending accept resolves, and a new one delivers nothing.
   *
   * Rejects when the batch could not be made safe; then nothing of it may be confirmed.
   */
  accept(batch: readonly U[]): Promise<number | undefined>;

  /**
   * Marks these entries as begun and gives the update of each; their handlers may run from then on. Undefined stands for
   * an entry that was withdrawn since it was delivered: there is nothing to do. Throws when it cannot vouch for the
   * marks: then none of the handlers must run, a settle of these entries is ignored, and the updates stay for the next
   * run.
   */
  begin(entries: readonly Entry[]): readonly (U | undefined)[];

  /**
   * The entry's handler has ended, well or not, or was given up; `error` says why where it did not end well. The update
   * need not be kept any more, though an inbox may keep the failed ones for people to look at. Never throws; made
   * durable in its own time, together with others, at the latest by `drained`.
   */
  settle(entry: Entry, result: Settlement, error?: unknown): void;

  /** Whether an entry that has not begun should start even though a drain has: where leaving it would cost more. */
  startsDuringDrain(entry: Entry): boolean;

  /**
   * The drain has ended: nothing begins or settles any more. Resolves once all that was settled is safe, with what is
   * left. Further calls give the same report. Never rejects: an inbox that fails says so, and reports what it knows.
   *
   * @param why a `fault` may be the work of what was being handled
   */
  drained(why?: 'stop' | 'fault'): Promise<InboxReport>;

  readonly counts: InboxCounts;

  /** Whether it knows what it has had: then it does not matter if Telegram could not be told, and sends it again. */
  readonly recognizesRepeats: boolean;

  /** When the step at work ends at the latest, in the clock's milliseconds; Infinity where there is none. */
  readonly latestEnd: number;
}

/** What a run leaves behind. */
export interface InboxReport {
  /** How many are not settled: left for the next run. */
  readonly left: number;
  /** The ids of those that the next run may handle a second time, wholly or from where they were cut. */
  readonly mayRepeat: readonly number[];
}

export interface InboxCounts {
  /** Totals since the process started. What Telegram sent again counts once. */
  readonly accepted: number;
  /** What earlier runs left, and dead letters that are tried again. */
  readonly recovered: number;
  readonly handled: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Given up, or dropped on request, without having been handled by this run. */
  readonly dropped: number;
  /** Of those not settled: how many have not begun, and how many have. */
  readonly waiting: number;
  readonly begun: number;
  /** How many the next run might handle a second time if the process ended now, without a drain. */
  readonly mayRepeat: number;
}
