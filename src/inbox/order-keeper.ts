/**
 * Keeps the order of updates: of those that share a key, the first in order of arrival may be taken, and the next only once
 * the one before it is released. Keys take turns, so that a long row of one key does not keep the others waiting. Knows
 * nothing of handlers, time or disks; every inbox uses one.
 */
import { Fifo } from './fifo.js';
import type { OrderKey } from './ids.js';

/** What waits of one key. Exists only while something of the key waits or is taken. */
interface Lane<T> {
  /** The first item that waits. */
  next: T | undefined;
  /** All further items that wait; most keys never have any. */
  rest: Fifo<T> | undefined;
  isTaken: boolean;
}

export class OrderKeeper<T> {
  readonly #lanes = new Map<OrderKey, Lane<T>>();
  /** The lanes of which something waits and nothing is taken, in the order of their turns. */
  readonly #ready = new Fifo<Lane<T>>();

  /** Whether the turn of some key has come; `take` may still find that its first item must not start. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** How many items of the key wait or are taken. */
  countOf(key: OrderKey): number {
    const lane = this.#lanes.get(key);
    if (!lane) return 0;
    return (lane.isTaken ? 1 : 0) + (lane.next === undefined ? 0 : 1) + (lane.rest?.size ?? 0);
  }

  /** Adds an item behind all others of its key. */
  add(key: OrderKey, item: T): void {
    const lane = this.#lanes.get(key);
    if (!lane) {
      const first: Lane<T> = { next: item, rest: undefined, isTaken: false };
      this.#lanes.set(key, first);
      this.#ready.push(first);
    } else if (lane.next === undefined) {
      lane.next = item;
    } else {
      lane.rest ??= new Fifo();
      lane.rest.push(item);
    }
  }

  /**
   * Takes the next item whose key has its turn; nothing more of that key can be taken until `release`. A key whose first
   * item may not start gets no further turn: that item blocks all of its key behind it.
   */
  take(mayStart: (item: T) => boolean = () => true): T | undefined {
    for (;;) {
      const lane = this.#ready.shift();
      const item = lane?.next;
      if (!lane || item === undefined) return undefined;
      if (!mayStart(item)) continue;
      lane.next = lane.rest?.shift();
      lane.isTaken = true;
      return item;
    }
  }

  /** The taken item of the key is done with; the next item of the key may have its turn. */
  release(key: OrderKey): void {
    const lane = this.#lanes.get(key);
    if (!lane?.isTaken) return;
    lane.isTaken = false;
    if (lane.next === undefined) this.#lanes.delete(key);
    else this.#ready.push(lane);
  }
}
