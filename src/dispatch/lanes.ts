/**
 * What waits, by key: one lane a key, in order of arrival, with at most one item of it at work. Lanes that can start
 * something take turns, so that a long one does not keep the others waiting. Knows nothing of handlers or time.
 */
import { TurnoverMap } from '../turnover-map.js';
import { Fifo } from './fifo.js';

/** Exists only while its key has an item waiting or at work. */
export interface Lane<T> {
  readonly key: string;
  /** The first that waits. */
  next: T | undefined;
  /** All others; most keys never have any. */
  behind: Fifo<T> | undefined;
}

export interface Taken<T> {
  readonly item: T;
  readonly lane: Lane<T>;
}

export class Lanes<T> {
  readonly #lanes = new TurnoverMap<string, Lane<T>>();
  /** Lanes with something waiting and nothing at work, in the order of their turns. */
  readonly #ready = new Fifo<Lane<T>>();
  #waiting = 0;

  /** How many items wait, over all keys. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many keys have an item waiting or at work. */
  get keys(): number {
    return this.#lanes.size;
  }

  /** Whether a lane still has its turn to come; `take` may yet find that it must not start. */
  get hasReady(): boolean {
    return !this.#ready.isEmpty;
  }

  add(key: string, item: T): void {
    this.#waiting++;
    const lane = this.#lanes.get(key);
    if (!lane) {
      const first: Lane<T> = { key, next: item, behind: undefined };
      this.#lanes.set(key, first);
      this.#ready.push(first);
    } else if (lane.next === undefined) {
      lane.next = item;
    } else {
      lane.behind ??= new Fifo();
      lane.behind.push(item);
    }
  }

  /**
   * Takes the next item, whose lane is at work from then on, until `release`. A lane whose first item may not start
   * loses its turn for good: that item blocks all of its key behind it.
   */
  take(mayStart: (item: T) => boolean): Taken<T> | undefined {
    for (;;) {
      const lane = this.#ready.shift();
      const item = lane?.next;
      if (!lane || item === undefined) return undefined;
      if (!mayStart(item)) continue;
      lane.next = lane.behind?.shift();
      this.#waiting--;
      return { item, lane };
    }
  }

  /** The lane's item is no longer at work; the next one of its key may have its turn. */
  release(lane: Lane<T>): void {
    if (lane.next === undefined) this.#lanes.delete(lane.key);
    else this.#ready.push(lane);
  }

  /** All that waits, lane by lane. */
  *items(): Generator<T> {
    for (const { next, behind } of this.#lanes.values()) {
      if (next !== undefined) yield next;
      if (behind) yield* behind;
    }
  }
}
