/**
 * One timer for any number of items that all get the same time. As each is added with the same delay, order of
 * adding is order of expiry, and only the oldest needs a timer.
 */
import type { Clock } from '../clock.js';

export interface DeadlinesOptions<T> {
  /** `Infinity`: nothing ever expires. */
  readonly delayMs: number;
  readonly clock: Clock;
  /** Called once for each item whose deadline was not cancelled in time. */
  expired(item: T): void;
}

/** The time of one item that runs. */
export interface Deadline {
  /** Returns false when it does not run (any more): it has expired, or was cancelled before. */
  cancel(): boolean;
}

export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>;
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options;
  }

  /** How many items have their time running. */
  get size(): number {
    return this.#size;
  }

  /** When the next item expires, in the clock's milliseconds; Infinity where none will. */
  get next(): number {
    return this.#first?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The items whose time runs, the oldest first. */
  *items(): Generator<T> {
    for (let link = this.#first; link; link = link.next) yield link.item;
  }

  /** @param now the clock's, where the caller knows it already */
  add(item: T, now = this.#options.clock.now()): Deadline {
    const { clock, delayMs } = this.#options;
    const link = new Link(item, now + delayMs, this.#last, this.#unlink);
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
    this.#size++;
    this.#cancelTimer ??= clock.after(delayMs, () => this.#fire());
    return link;
  }

  /** Cancels all deadlines, and the timer. */
  clear(): void {
    while (this.#first) this.#first.cancel();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /**
   * The timer is left alone: most items end long before their time, and one timer that finds nothing to do is cheaper
   * than one set and cleared for each of them.
   */
  readonly #unlink = (link: Link<T>): void => {
    if (link.previous) link.previous.next = link.next;
    else this.#first = link.next;
    if (link.next) link.next.previous = link.previous;
    else this.#last = link.previous;
    this.#size--;
  };

  #fire(): void {
    const { clock, expired } = this.#options;
    const now = clock.now();
    // All that are due, before anybody is told: what `expired` does may change what runs.
    const due: Link<T>[] = [];
    for (let link = this.#first; link && link.at <= now; link = link.next) due.push(link);
    for (const link of due) if (link.cancel()) expired(link.item);
    // Node's timers may fire a fraction of a millisecond early, so the rest is measured, not assumed.
    const { next } = this;
    this.#cancelTimer =
      next === Number.POSITIVE_INFINITY ? undefined : clock.after(next - clock.now(), () => this.#fire());
  }
}

/** A deadline in the row of those that run. */
class Link<T> implements Deadline {
  readonly item: T;
  readonly at: number;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  #unlink: ((link: Link<T>) => void) | undefined;

  constructor(item: T, at: number, previous: Link<T> | undefined, unlink: (link: Link<T>) => void) {
    this.item = item;
    this.at = at;
    this.previous = previous;
    this.#unlink = unlink;
  }

  cancel(): boolean {
    if (!this.#unlink) return false;
    this.#unlink(this);
    this.#unlink = undefined;
    // Else a link that has got old, though nobody holds it, keeps all that ever came after it until a full collection.
    this.previous = undefined;
    this.next = undefined;
    return true;
  }
}
