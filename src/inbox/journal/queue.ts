/**
 * Which updates go to be handled, and when: all in order of arrival, a limited number at a time, the rest on disk until
 * their turn. Slow chats cannot fill that number, however many they are: what one has too many of waits aside, as bare
 * numbers. And of the suspects, updates that processes have died of before, there is never more than one.
 *
 *     on disk ──fill──► delivered ──► settled
 *        │                  ▲
 *        └──► aside ────────┘ when its chat has room again, or the suspect before it has settled
 */
import { TurnoverMap } from '../../turnover-map.js';
import { type Seq, seq as seqOf, type UpdateId } from '../ids.js';
import type { Entry } from '../inbox.js';
import type { Batch } from '../store/batch.js';
import type { Ledger } from '../store/ledger.js';
import type { History } from '../store/records.js';
import { Aside } from './aside.js';

/** An update on its way to its handler. */
export class Item<U> implements Entry {
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: string;
  readonly kind: string;
  readonly attempt: number;
  readonly update: U;
  /** About what it takes in memory. */
  readonly bytes: number;
  /** `gone`: settled, or withdrawn. */
  stage: 'read' | 'delivered' | 'begun' | 'gone' = 'read';

  constructor({ seq, updateId, key, kind, attempt, update, bytes }: Omit<Item<U>, 'stage'>) {
    this.seq = seq;
    this.updateId = updateId;
    this.key = key;
    this.kind = kind;
    this.attempt = attempt;
    this.update = update;
    this.bytes = bytes;
  }
}

export interface QueueOptions<U> {
  readonly ledger: Ledger;
  /** Those of the batch that are wanted and not settled, in the order of the numbers. */
  read(batch: Batch, seqs: readonly Seq[]): readonly Item<U>[];
  isSuspect(history: History): boolean;
  deliver(items: readonly Item<U>[]): void;
  readonly limits: QueueLimits;
}

export interface QueueLimits {
  /** How many may be delivered and not settled. */
  readonly delivered: number;
  /** And how much they may take. */
  readonly deliveredBytes: number;
  /** How many of one key while all is free; the less room is left, the fewer, down to one. */
  readonly deliveredOfKey: number;
}

/** What is known of a key that has something delivered or aside. */
interface Lane<U> {
  readonly delivered: Item<U>[];
  /** Numbers that wait for room in the lane, or for their turn as a suspect; none of its key behind them is delivered. */
  aside: Aside | undefined;
}

export class Queue<U> {
  readonly #options: QueueOptions<U>;
  readonly #lanes = new TurnoverMap<string, Lane<U>>();
  /** Keys whose first aside is a suspect that waits for its turn. */
  readonly #suspended: string[] = [];
  #suspect: Item<U> | undefined;
  #size = 0;
  #bytes = 0;
  /** From this number on nothing was looked at yet. */
  #ahead = seqOf(0);

  constructor(options: QueueOptions<U>) {
    this.#options = options;
  }

  /** How many are delivered, and neither settled nor withdrawn. */
  get size(): number {
    return this.#size;
  }

  /** Those. */
  *delivered(): Generator<Item<U>> {
    for (const { delivered } of this.#lanes.values()) yield* delivered;
  }

  /** New updates are safe. Where nothing waits before them they need not be read again. */
  added(items: readonly Item<U>[]): void {
    const [first] = items;
    const next = this.#options.ledger.batchFrom(this.#ahead);
    // As many as they were: else some have been dropped since.
    if (first && next?.first === first.seq && next.size === items.length && this.#hasRoom) {
      this.#ahead = seqOf((items.at(-1) ?? first).seq + 1);
      this.#admit(items);
    } else {
      this.fill();
    }
  }

  /** Delivers as much as there is room for. */
  fill(): void {
    const { ledger, read } = this.#options;
    while (this.#ahead < ledger.nextSeq && this.#hasRoom) {
      const batch = ledger.batchFrom(this.#ahead);
      if (!batch) return;
      const from = this.#ahead;
      const items = read(
        batch,
        batch.seqs.filter((seq) => seq >= from),
      );
      this.#ahead = seqOf(batch.last + 1);
      this.#admit(items);
    }
  }

  /** The entry has settled, or was withdrawn. To be called once it is no longer in the ledger. */
  remove(item: Item<U>): void {
    if (item.stage === 'read' || item.stage === 'gone') return;
    item.stage = 'gone';
    this.#size--;
    this.#bytes -= item.bytes;
    const lane = this.#lanes.get(item.key);
    if (lane?.delivered.length === 1 && !lane.aside) {
      this.#lanes.delete(item.key);
    } else if (lane) {
      lane.delivered.splice(lane.delivered.indexOf(item), 1);
      this.#fetchAside(item.key, lane);
    }
    if (item === this.#suspect) {
      this.#suspect = undefined;
      this.#nextSuspect();
    }
    // Not for each one that settles: a batch is read for the sake of all that are in it.
    if (this.#size <= this.#options.limits.delivered / 2) this.fill();
  }

  get #hasRoom(): boolean {
    const { delivered, deliveredBytes } = this.#options.limits;
    return this.#size < delivered && this.#bytes < deliveredBytes;
  }

  /**
   * How many of a key may be delivered. As each takes a part of what the others leave, there is always some left, until
   * there are more keys than could be at work.
   */
  get #roomOfKey(): number {
    const { delivered, deliveredBytes, deliveredOfKey } = this.#options.limits;
    const left = Math.min(1 - this.#size / delivered, 1 - this.#bytes / deliveredBytes);
    return Math.max(1, Math.ceil(deliveredOfKey * left));
  }

  /** Delivers those whose key lets them pass, and puts the others aside. */
  #admit(items: readonly Item<U>[]): void {
    const admitted = items.filter((item) => {
      const lane = this.#lanes.get(item.key);
      const isNext = lane?.aside === undefined;
      if (isNext && this.#mayPass(item, lane)) {
        this.#pass(item, lane);
        return true;
      }
      if (isNext && this.#isHeldSuspect(item.seq)) this.#suspend(item.key);
      this.#putAside(item, lane);
      return false;
    });
    if (admitted.length > 0) this.#options.deliver(admitted);
  }

  /** Delivers what waits aside in a lane, as far as there is room in it; forgets the lane where nothing is left. */
  #fetchAside(key: string, lane: Lane<U>): void {
    const { ledger, deliver } = this.#options;
    const { aside, delivered } = lane;
    // Those that were dropped while they waited.
    while (aside?.first !== undefined && !ledger.batchOf(aside.first)) aside.shift();
    if (aside?.first === undefined) {
      lane.aside = undefined;
      if (delivered.length === 0) this.#lanes.delete(key);
      return;
    }
    const room = this.#roomOfKey;
    // Not for each one that settles: to read several at once is cheaper.
    if (delivered.length > room / 2) return;
    if (this.#isHeldSuspect(aside.first)) {
      this.#suspend(key);
      return;
    }
    const seqs = aside.peek(room - delivered.length);
    const items = this.#readAll(seqs);
    const admitted: Item<U>[] = [];
    for (const seq of seqs) {
      if (this.#isHeldSuspect(seq)) {
        this.#suspend(key);
        break;
      }
      aside.shift();
      const item = items.get(seq);
      if (!item) continue;
      this.#pass(item, lane);
      admitted.push(item);
    }
    if (aside.size === 0) lane.aside = undefined;
    deliver(admitted);
  }

  /** Of the same batch all at once. */
  #readAll(seqs: readonly Seq[]): Map<Seq, Item<U>> {
    const { ledger, read } = this.#options;
    const items = new Map<Seq, Item<U>>();
    for (const seq of seqs) {
      const batch = items.has(seq) ? undefined : ledger.batchOf(seq);
      if (!batch) continue;
      const ofBatch = seqs.filter((other) => batch.spans(other));
      for (const item of read(batch, ofBatch)) items.set(item.seq, item);
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

  #mayPass(item: Item<U>, lane: Lane<U> | undefined): boolean {
    const hasRoom = lane === undefined || lane.delivered.length < this.#roomOfKey;
    return hasRoom && !this.#isHeldSuspect(item.seq);
  }

  #isHeldSuspect(seq: Seq): boolean {
    return this.#suspect !== undefined && this.#isSuspect(seq);
  }

  /** Its first that waits aside has its turn when the suspect has settled. */
  #suspend(key: string): void {
    if (!this.#suspended.includes(key)) this.#suspended.push(key);
  }

  #isSuspect(seq: Seq): boolean {
    const { ledger, isSuspect } = this.#options;
    return isSuspect(ledger.historyOf(seq));
  }

  #pass(item: Item<U>, lane: Lane<U> | undefined): void {
    if (item.attempt > 1 && this.#isSuspect(item.seq)) this.#suspect = item;
    item.stage = 'delivered';
    this.#size++;
    this.#bytes += item.bytes;
    if (lane) lane.delivered.push(item);
    else this.#lanes.set(item.key, { delivered: [item], aside: undefined });
  }

  #putAside({ key, seq }: Item<U>, known: Lane<U> | undefined): void {
    const lane = known ?? { delivered: [], aside: undefined };
    if (!known) this.#lanes.set(key, lane);
    lane.aside ??= new Aside();
    lane.aside.push(seq);
  }
}
