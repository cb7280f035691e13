/** An item at work: what the dispatcher keeps of it, and what its handler sees of the run. */
import type { PendingTimeout } from './timeout-queue.js';

/** One run of a handler, as the handler sees it. */
export interface HandlerRun {
  /**
   * Aborts when the handler's time is up, or the drain's time is. Made when it is first read: making one for each update costs
   * 21 % of the time of an update whose handler does nothing on Node 20, and 5 % on Node 26.
   */
  readonly signal: AbortSignal;
}

export class Task<T> implements HandlerRun {
  readonly item: T;
  /** In the clock's milliseconds. */
  readonly startedAt: number;
  /** The timeout that runs: that of the handler, or that of the grace after it. */
  timeout: PendingTimeout | undefined;
  #controller: AbortController | undefined;

  constructor(item: T, startedAt: number) {
    this.item = item;
    this.startedAt = startedAt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Aborts the signal; has no effect the second time. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}
