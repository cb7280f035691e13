/** An item at work: what the dispatcher keeps of it, and what its handler sees of the run. */
import type { Deadline } from './deadlines.js';
import type { Lane, Taken } from './lanes.js';

/** One run of a handler, as the handler sees it. */
export interface HandlerRun {
  /**
   * Aborts when the handler's time is up, or when the drain is. Made when it is first read: that takes Node 20 2 µs,
   * longer than all else the dispatcher does for an item.
   */
  readonly signal: AbortSignal;
}

export class Task<T> implements HandlerRun, Taken<T> {
  readonly item: T;
  readonly lane: Lane<T>;
  /** In the clock's milliseconds. */
  readonly startedAt: number;
  /** The one that runs, if any: its handler's time, or the grace after that. */
  deadline: Deadline | undefined;
  #controller: AbortController | undefined;

  constructor({ item, lane }: Taken<T>, startedAt: number) {
    this.item = item;
    this.lane = lane;
    this.startedAt = startedAt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Does nothing the second time: the first reason stays. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}
