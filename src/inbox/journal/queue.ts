/**
 * Which updates go to be handled, and when: all in order of arrival, a limited number at a time, the rest on disk until
 * their turn. No chat can fill that number alone: what a slow one has too many of waits aside, as bare numbers. And of
 * the suspects, updates that processes have died of before, there is never more than one.
 *
 *     on disk ──fill──► delivered ──► settled
 *        │                  ▲
 *        └──► aside ────────┘ when its chat has room again, or the suspect before it has settled
 */
import type { Entry } from '../inbox.js';
import { Aside } from './aside.js';
import type { Batch, Ledger } from './ledger.js';
import type { History } from './records.js';

/** An update on its way to its handler. */
export interface Item<U> extends Entry {
  readonly seq: number;
  readonly update: U;
  /** About what it takes in memory. */
  readonly bytes: number;
}

export interface QueueOptions<U> {
  readonly ledger: Ledger;
  /** What of the batch is not settled and wanted, in order of arrival. */
  read(batch: Batch, wanted: (seq: number) => boolean): readonly Item<U>[];
  isSuspect(history: History): boolean;
  deliver(items: readonly Item<U>[]): void;
  readonly limits: QueueLimits;
}

interface QueueLimits {
  /** How many may be delivered and not settled. */
  readonly delivered: number;
  /** And how much they may take. */
  readonly deliveredBytes: number;
  /** How many of one key. */
  readonly deliveredOfKey: number;
}

/** What is known of a key that has something delivered or aside. */
interface Lane {
  delivered: number;
  /** Numbers that wait for room in the lane, or for their turn as a suspect; none of its key behind them is delivered. */
  readonly aside: Aside;
}

export class Queue<U> {
  readonly #options: QueueOptions<U>;
  readonly #delivered = new Map<Entry, Item<U>>();
  readonly #lanes = new Map<string, Lane>();
  /** Keys whose first aside is a suspect that waits for its turn. */
  readonly #suspended: string[] = [];
  #suspect: Item<U> | undefined;
  #bytes = 0;
  /** From this number on nothing was looked at yet. */
  #ahead = 0;

  constructor(options: QueueOptions<U>) {
    this.#options = options;
  }

  get size(): number {
    return this.#delivered.size;
  }

  /** The item that was delivered as this entry; undefined once it has settled, or was withdrawn. */
  item(entry: Entry): Item<U> | undefined {
    return this.#delivered.get(entry);
  }

  /** The same by its number. */
  itemOf(seq: number): Item<U> | undefined {
    for (const item of this.#delivered.values()) if (item.seq === seq) return item;
    return undefined;
  }

  /** New updates have been written. Where nothing waits before them they need not be read again. */
  added(items: readonly Item<U>[]): void {
    const [first] = items;
    const upToDate =
      first !== undefined && this.#options.ledger.batchFrom(this.#ahead)?.seqs[0] === first.seq;
    if (upToDate && this.#hasRoom) {
      this.#ahead = (items.at(-1) ?? first).seq + 1;
      this.#admit(items);
    } else {
      this.fill();
    }
  }

  /** Delivers as much as there is room for. */
  fill(): void {
    const { ledger, read } = this.#options;
    while (this.#hasRoom) {
      const batch = ledger.batchFrom(this.#ahead);
      if (!batch) return;
      const from = this.#ahead;
      const items = read(batch, (seq) => seq >= from);
      this.#ahead = (batch.seqs.at(-1) ?? this.#ahead) + 1;
      this.#admit(items);
    }
  }

  /** The entry has settled, or was withdrawn. To be called once it is no longer in the ledger. */
  remove(item: Item<U>): void {
    if (!this.#delivered.delete(item)) return;
    this.#bytes -= item.bytes;
    const lane = this.#lanes.get(item.key);
    if (lane) {
      lane.delivered--;
      if (lane.delivered <= this.#options.limits.deliveredOfKey / 2) this.#fetchAside(item.key, lane);
    }
    if (item === this.#suspect) {
      this.#suspect = undefined;
      this.#nextSuspect();
    }
    // Not for each one that settles: a batch is read for the sake of all that are in it.
    if (this.#delivered.size <= this.#options.limits.delivered / 2) this.fill();
  }

  get #hasRoom(): boolean {
    const { delivered, deliveredBytes } = this.#options.limits;
    return this.#delivered.size < delivered && this.#bytes < deliveredBytes;
  }

  /** Delivers those whose key lets them pass, and puts the others aside. */
  #admit(items: readonly Item<U>[]): void {
    const admitted = items.filter((item) => {
      const lane = this.#laneOf(item.key);
      const isNext = lane.aside.size === 0;
      if (isNext && this.#mayPass(item, lane)) {
        this.#pass(item, lane);
        return true;
      }
      if (isNext && this.#isHeldSuspect(item)) this.#suspended.push(item.key);
      lane.aside.push(item.seq);
      return false;
    });
    if (admitted.length > 0) this.#options.deliver(admitted);
  }

  /** Delivers what waits aside in a lane, as far as there is room in it. */
  #fetchAside(key: string, lane: Lane): void {
    const { deliver, limits } = this.#options;
    const admitted: Item<U>[] = [];
    const seqs = lane.aside.peek(limits.deliveredOfKey - lane.delivered);
    const items = this.#readAll(seqs);
    for (const seq of seqs) {
      const item = items.get(seq);
      if (item && !this.#mayPass(item, lane)) {
        if (!this.#suspended.includes(key)) this.#suspended.push(key);
        break;
      }
      lane.aside.shift();
      // One that was dropped meanwhile is no longer there.
      if (!item) continue;
      this.#pass(item, lane);
      admitted.push(item);
    }
    if (lane.delivered === 0 && lane.aside.size === 0) this.#lanes.delete(key);
    if (admitted.length > 0) deliver(admitted);
  }

  /** Of the same batch all at once. */
  #readAll(seqs: readonly number[]): Map<number, Item<U>> {
    const { ledger, read } = this.#options;
    const items = new Map<number, Item<U>>();
    for (const seq of seqs) {
      const batch = items.has(seq) ? undefined : ledger.batchOf(seq);
      if (!batch) continue;
      for (const item of read(batch, (candidate) => seqs.includes(candidate))) items.set(item.seq, item);
    }
    return items;
  }

  #nextSuspect(): void {
    while (!this.#suspect) {
      const key = this.#suspended.shift();
      if (key === undefined) return;
      const lane = this.#lanes.get(key);
      if (lane) this.#fetchAside(key, lane);
    }
  }

  #mayPass(item: Item<U>, lane: Lane): boolean {
    return lane.delivered < this.#options.limits.deliveredOfKey && !this.#isHeldSuspect(item);
  }

  #isHeldSuspect(item: Item<U>): boolean {
    return this.#suspect !== undefined && this.#isSuspect(item);
  }

  #isSuspect({ seq }: Item<U>): boolean {
    const { ledger, isSuspect } = this.#options;
    return isSuspect(ledger.historyOf(seq));
  }

  #pass(item: Item<U>, lane: Lane): void {
    if (this.#isSuspect(item)) this.#suspect = item;
    this.#delivered.set(item, item);
    this.#bytes += item.bytes;
    lane.delivered++;
  }

  #laneOf(key: string): Lane {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = { delivered: 0, aside: new Aside() };
    this.#lanes.set(key, lane);
    return lane;
  }
}
