/**
 * Keeps the order of updates: of those that share a key, the first in order of arrival may be taken, and the next only once
 * the one before it is released. Items of one group (the messages of an album) may be taken side by side. Keys take turns,
 * so that a long row of one key does not keep the others waiting. Knows nothing of handlers, time or disks; every inbox
 * uses one.
 */
import { Fifo } from './fifo.js';
import type { OrderKey } from './ids.js';

export interface Ordered {
  /** Rises within a group, in the order of arrival. */
  readonly updateId: number;
  readonly key: OrderKey;
  /** Neighbours that share a key and a group may be taken side by side. */
  readonly group?: string | undefined;
}

/** What waits of one key. Exists only while something of the key waits or is taken. */
interface Lane<T> {
  /** The first item that waits. */
  next: T | undefined;
  /** All further items that wait; most keys never have any. */
  rest: Fifo<T> | undefined;
  /** How many items are taken. */
  taken: number;
  /** The group of the taken items. */
  group: string | undefined;
  /** The group of the item that was added last. */
  lastGroup: string | undefined;
  /** Whether the lane is in the row of those that wait for their turn. */
  isReady: boolean;
}

export class OrderKeeper<T extends Ordered> {
  readonly #lanes = new Map<OrderKey, Lane<T>>();
  /** The lanes whose first item may be taken, in the order of their turns. */
  readonly #ready = new Fifo<Lane<T>>();

  /** Whether the turn of some key has come; `take` may still find that its first item must not start. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** How many items of the key wait or are taken. */
  countOf(key: OrderKey): number {
    const lane = this.#lanes.get(key);
    if (!lane) return 0;
    return lane.taken + (lane.next === undefined ? 0 : 1) + (lane.rest?.size ?? 0);
  }

  /** The first item of the key that waits. */
  firstWaiting(key: OrderKey): T | undefined {
    return this.#lanes.get(key)?.next;
  }

  /** Whether an item is of the same group as the one that was added to its key last, so that they belong side by side. */
  continuesGroup({ key, group }: Ordered): boolean {
    return group !== undefined && this.#lanes.get(key)?.lastGroup === group;
  }

  /** How many items of the key wait. */
  waitingOf(key: OrderKey): number {
    return this.countOf(key) - (this.#lanes.get(key)?.taken ?? 0);
  }

  /** Adds an item behind all others of its key. */
  add(item: T): void {
    const lane = this.#laneOf(item.key);
    lane.lastGroup = item.group;
    if (lane.next === undefined) {
      lane.next = item;
    } else {
      lane.rest ??= new Fifo();
      lane.rest.push(item);
    }
    this.#makeReady(lane);
  }

  /**
   * Takes the next item whose key has its turn; nothing more of that key, but of its group, can be taken until `release`.
   * A key whose first item may not start gets no further turn until something is released or put back.
   */
  take(mayStart: (item: T) => boolean = () => true): T | undefined {
    for (;;) {
      const lane = this.#ready.shift();
      if (!lane) return undefined;
      lane.isReady = false;
      const item = lane.next;
      if (item === undefined || !mayStart(item)) continue;
      lane.next = lane.rest?.shift();
      lane.taken++;
      lane.group = item.group;
      this.#makeReady(lane);
      return item;
    }
  }

  /** Counts an item as taken although it is not there yet, until `putBack` or `release`. */
  hold({ key, group }: Ordered): void {
    const lane = this.#laneOf(key);
    lane.lastGroup = group;
    if (lane.taken++ === 0) lane.group = group;
  }

  /**
   * Puts an item in the place of one that was taken or held: before all others of its key, but behind those of its group that
   * arrived before it.
   */
  putBack(item: T): void {
    const lane = this.#laneOf(item.key);
    const earlier: T[] = [];
    while (lane.next && item.group !== undefined && lane.next.group === item.group) {
      if (lane.next.updateId > item.updateId) break;
      earlier.unshift(lane.next);
      lane.next = lane.rest?.shift();
    }
    for (const each of [item, ...earlier]) {
      if (lane.next !== undefined) {
        lane.rest ??= new Fifo();
        lane.rest.unshift(lane.next);
      }
      lane.next = each;
    }
    this.#free(lane, item.key);
  }

  /** A taken item of the key is done with; the next item of the key may have its turn. */
  release(key: OrderKey): void {
    const lane = this.#lanes.get(key);
    if (lane) this.#free(lane, key);
  }

  #laneOf(key: OrderKey): Lane<T> {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane: Lane<T> = {
      next: undefined,
      rest: undefined,
      taken: 0,
      group: undefined,
      lastGroup: undefined,
      isReady: false,
    };
    this.#lanes.set(key, lane);
    return lane;
  }

  #free(lane: Lane<T>, key: OrderKey): void {
    if (lane.taken > 0) lane.taken--;
    if (lane.taken === 0) lane.group = undefined;
    if (lane.taken === 0 && lane.next === undefined) this.#lanes.delete(key);
    else this.#makeReady(lane);
  }

  #makeReady(lane: Lane<T>): void {
    const { next, taken, group, isReady } = lane;
    if (isReady || next === undefined) return;
    if (taken > 0 && (group === undefined || next.group !== group)) return;
    lane.isReady = true;
    // A group does not wait for the other keys once its first item is taken.
    if (taken > 0) this.#ready.unshift(lane);
    else this.#ready.push(lane);
  }
}
