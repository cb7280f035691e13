/** Where the dispatcher takes its items from: the contract that an inbox fulfils. */

export type HandlingResult = 'handled' | 'caught' | 'failed' | 'timed-out' | 'expired';

/** Where items come from, and who is told how their handling ended. */
export interface Source<T> {
  /** Gives items that may start now, at most `most` of them. Must not throw. */
  take(most: number): readonly T[];
  /** False while `take` would give nothing. */
  readonly hasReady: boolean;
  /**
   * Called exactly once for each taken item whose handler has ended or was given up; `error` says why it did not succeed.
   * Items may become ready by this.
   */
  settle(item: T, result: HandlingResult, error?: unknown): void;
  /** Called in place of `settle`: the item is to be handed out again after the delay. */
  putBack(item: T, retry: { readonly delayMs: number; readonly isRetry: boolean }): void;
  /** Whether the source hands an item that is never settled out again in the next run, and nothing else because of it. */
  readonly outlivesRun: boolean;
  /**
   * How old an item may become, in milliseconds: one that was put back and fails again is given up if it would be older when
   * it is tried next.
   */
  readonly expiresAfterMs: number;
  readonly counts: { readonly waiting: number };
}
