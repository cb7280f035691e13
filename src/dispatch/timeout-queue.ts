/**
 * One timer for any number of items that all get the same time. Because all delays are equal, items expire in the order in
 * which they were added, and only the oldest needs a timer.
 */
import type { Clock } from '../clock.js';

export interface TimeoutQueueOptions<T> {
  /** `Infinity`: nothing ever expires. */
  readonly delayMs: number;
  readonly clock: Clock;
  /** Called once for each item whose timeout was not cancelled in time. */
  expired(item: T): void;
}

/** The timeout of one item. */
export interface PendingTimeout {
  /** When the item expires, in the clock's milliseconds. */
  readonly at: number;
  /** Ends the timeout. Returns false where it has expired, or was cancelled before. */
  cancel(): boolean;
}

export class TimeoutQueue<T> {
  readonly #options: TimeoutQueueOptions<T>;
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: TimeoutQueueOptions<T>) {
    this.#options = options;
  }

  /** The number of pending timeouts. */
  get size(): number {
    return this.#size;
  }

  /** When the next item expires, in the clock's milliseconds; Infinity where none is pending. */
  get next(): number {
    return this.#first?.at ?? Number.POSITIVE_INFINITY;
  }

  /** When the last item expires, in the clock's milliseconds; -Infinity where none is pending. */
  get last(): number {
    return this.#last?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** The items whose timeouts are pending, the oldest first. */
  *items(): Generator<T> {
    for (let link = this.#first; link; link = link.next) yield link.item;
  }

  /** @param now the clock's time, where the caller knows it already */
  add(item: T, now = this.#options.clock.now()): PendingTimeout {
    const { clock, delayMs } = this.#options;
    const link = new Link(item, now + delayMs, this.#last, this.#unlink);
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
    this.#size++;
    this.#cancelTimer ??= clock.after(delayMs, () => this.#fire());
    return link;
  }

  /** Cancels all timeouts, and the timer. */
  clear(): void {
    while (this.#first) this.#first.cancel();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /**
   * Takes an item out of the row, and leaves the timer alone: most items end long before their time, and one timer that
   * finds nothing to do is cheaper than one set and cleared for each of them.
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
    // All due items are found before `expired` is called, since that may change the row.
    const due: Link<T>[] = [];
    for (let link = this.#first; link && link.at <= now; link = link.next) due.push(link);
    for (const link of due) if (link.cancel()) expired(link.item);
    // The remaining time is measured, because Node's timers may fire a fraction of a millisecond early.
    const { next } = this;
    this.#cancelTimer =
      next === Number.POSITIVE_INFINITY ? undefined : clock.after(next - clock.now(), () => this.#fire());
  }
}

/** A pending timeout in the row of all. */
class Link<T> implements PendingTimeout {
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
    // An old link that nobody holds would otherwise keep all links after it alive until a full garbage collection.
    this.previous = undefined;
    this.next = undefined;
    return true;
  }
}
