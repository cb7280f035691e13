/**
 * One timer for any number of items that all get the same time. As each is added with the same delay, order of
 * adding is order of expiry, and only the oldest needs a timer.
 */
import type { Clock } from '../clock.js';
import { TurnoverMap } from '../turnover-map.js';

export interface DeadlinesOptions<T> {
  /** `Infinity`: nothing ever expires. */
  readonly delayMs: number;
  readonly clock: Clock;
  /** Called once for each item that was neither deleted nor cleared in time. */
  expired(item: T): void;
}

export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>;
  /** When each item expires, the next one first. */
  readonly #expiry = new TurnoverMap<T, number>();
  #cancelTimer: (() => void) | undefined;

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** When the next item expires, in the clock's milliseconds; Infinity where none will. */
  get next(): number {
    const [next = Number.POSITIVE_INFINITY] = this.#expiry.values();
    return next;
  }

  /** The items whose time runs, the oldest first. */
  items(): Iterable<T> {
    return this.#expiry.keys();
  }

  add(item: T): void {
    const { clock, delayMs } = this.#options;
    this.#expiry.set(item, clock.now() + delayMs);
    this.#cancelTimer ??= clock.after(delayMs, () => this.#fire());
  }

  /**
   * Returns false when the item's time is not running (any more). The timer is left alone: most items end long before
   * their time, and one timer that finds nothing to do is cheaper than one set and cleared for each of them.
   */
  delete(item: T): boolean {
    return this.#expiry.delete(item);
  }

  /** Forgets all items and the timer. */
  clear(): void {
    this.#expiry.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #fire(): void {
    const { clock, expired } = this.#options;
    const now = clock.now();
    // All that are due, before anybody is told: what `expired` does may change what runs.
    const due: T[] = [];
    for (const [item, at] of this.#expiry.entries()) {
      if (at > now) break;
      due.push(item);
    }
    for (const item of due) if (this.#expiry.delete(item)) expired(item);
    // Node's timers may fire a fraction of a millisecond early, so the rest is measured, not assumed.
    const { next } = this;
    this.#cancelTimer =
      next === Number.POSITIVE_INFINITY ? undefined : clock.after(next - clock.now(), () => this.#fire());
  }
}
