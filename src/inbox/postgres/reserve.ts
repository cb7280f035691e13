/**
 * What the database has given to this process: lanes, which nobody else has meanwhile, and the next updates of each.
 *
 *     given ──► ready ──take──► at work ──► done with
 *       │         ▲ ▲              │
 *       ▼         │ └── delayed ◄──┘ put back: its lane waits with it
 *     held ───────┘ a suspect until the one before it is done with; what may have killed a process until its mark is written
 */
import type { OrderKey, Seq } from '../ids.js';
import type { Retry, WaitingBehind } from '../inbox.js';
import { OrderKeeper } from '../order-keeper.js';
import { Holds, type HoldsOptions } from './holds.js';
import type { Item } from './item.js';

/** A lane as it comes from the database. */
export interface GivenLane<U> {
  readonly key: OrderKey;
  /** Up to which number its updates have been given. */
  readonly given: Seq;
  /** Whether its first update may have been begun by a process that died. */
  readonly isDoubtful: boolean;
  /** In order of arrival. */
  readonly items: readonly Item<U>[];
}

/** A lane that goes back to the database. */
export interface ReturnedLane {
  readonly key: OrderKey;
  /** Up to which number its updates were given. */
  readonly given: Seq;
  /** Up to which number all of them are done with. */
  readonly settledUpTo: Seq;
}

interface Lane<U> {
  readonly key: OrderKey;
  given: Seq;
  /** The updates that are not done with. */
  readonly open: Set<Item<U>>;
  /** How many of them are at work. */
  atWork: number;
  /** Whether more was not asked for, because there were enough. */
  isFull: boolean;
}

export interface ReserveOptions<U> extends Omit<HoldsOptions<U>, 'order'> {
  /** Called when a lane of which there was enough needs more. */
  thinned(): void;
}

/** How many updates of a lane are asked for at once; what waits beyond that stays in the database. */
export const UPDATES_OF_LANE = 16;

const NOTHING = 0 as Seq;

export class Reserve<U> {
  readonly #options: ReserveOptions<U>;
  readonly #order = new OrderKeeper<Item<U>>();
  readonly #lanes = new Map<OrderKey, Lane<U>>();
  readonly #atWork = new Set<Item<U>>();
  /** What keeps the first updates of lanes from beginning. */
  readonly #holds: Holds<U>;
  /** The lanes of which something is at work, and those of which nothing is left to do. */
  readonly #busyLanes = new Set<Lane<U>>();
  readonly #doneLanes = new Set<Lane<U>>();
  #waiting = 0;
  #isClosing = false;

  constructor(options: ReserveOptions<U>) {
    this.#options = options;
    this.#holds = new Holds({ ...options, order: this.#order });
  }

  get hasReady(): boolean {
    return this.#order.hasReady;
  }

  /** How many lanes wait here for a free handler, and for nothing else. */
  get idleLanes(): number {
    const held = new Set<Lane<U>>();
    for (const { key } of this.#holds.waiting) {
      const lane = this.#lanes.get(key);
      if (lane && lane.atWork === 0) held.add(lane);
    }
    return this.#lanes.size - this.#busyLanes.size - this.#doneLanes.size - held.size;
  }

  /** The lanes that are here, by their keys: up to which number the updates of each have been given. */
  get givenUpTo(): ReadonlyMap<OrderKey, Seq> {
    return new Map([...this.#lanes.values()].map(({ key, given }) => [key, given]));
  }

  /** How many updates are here and not at work. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The numbers of the updates that are at work, or about to begin. */
  get marks(): readonly Seq[] {
    const marks = new Set<Seq>();
    for (const { seq } of this.#atWork) marks.add(seq);
    for (const { seq } of this.#holds.beginning) marks.add(seq);
    return [...marks];
  }

  get atWork(): ReadonlySet<Item<U>> {
    return this.#atWork;
  }

  /**
   * The lanes that need no more updates for now: `thinned` is called when one does. An album is given whole, so that its
   * messages can run side by side.
   */
  noteFullLanes(): readonly OrderKey[] {
    const full: OrderKey[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.open.size < UPDATES_OF_LANE || [...lane.open].at(-1)?.group !== undefined) continue;
      lane.isFull = true;
      full.push(lane.key);
    }
    return full;
  }

  add({ key, given, isDoubtful, items }: GivenLane<U>): void {
    const lane = this.#lanes.get(key) ?? { key, given, open: new Set(), atWork: 0, isFull: false };
    this.#lanes.set(key, lane);
    this.#doneLanes.delete(lane);
    lane.given = given;
    const [first] = items;
    let isHead = lane.open.size === 0;
    for (const item of items) {
      isHead &&= item === first || (item.group !== undefined && item.group === first?.group);
      lane.open.add(item);
      this.#waiting++;
      if (isHead) this.#holds.add(item, isDoubtful);
      else this.#order.add(item);
    }
    if (lane.open.size === 0) this.#doneLanes.add(lane);
  }

  take(): Item<U> | undefined {
    const item = this.#order.take();
    if (!item) return undefined;
    const lane = this.#lanes.get(item.key);
    if (lane && lane.atWork++ === 0) this.#busyLanes.add(lane);
    this.#waiting--;
    this.#atWork.add(item);
    return item;
  }

  /** An update that was at work is done with. */
  remove(item: Item<U>): void {
    this.#end(item);
    const lane = this.#lanes.get(item.key);
    lane?.open.delete(item);
    if (lane?.open.size === 0) this.#doneLanes.add(lane);
    this.#order.release(item.key);
    if (!lane?.isFull || lane.open.size > UPDATES_OF_LANE / 2) return;
    lane.isFull = false;
    this.#options.thinned();
  }

  /** An update that was at work is to be tried again after the delay; its lane waits. */
  putBack(item: Item<U>, retry: Retry): Item<U> {
    this.#end(item);
    const again = item.again(retry);
    const lane = this.#lanes.get(item.key);
    // In the place of the other one.
    const open = [...(lane?.open ?? [])];
    lane?.open.clear();
    for (const each of open) lane?.open.add(each === item ? again : each);
    this.#waiting++;
    this.#holds.delay(again, retry.delayMs, false);
    return again;
  }

  waitingBehind(key: OrderKey): WaitingBehind | undefined {
    const first = this.#order.firstWaiting(key);
    return first && { waiting: this.#order.waitingOf(key), acceptedAtMs: first.acceptedAtMs };
  }

  /** From now on each lane goes back as soon as nothing of it is at work. */
  beginClosing(): void {
    this.#isClosing = true;
  }

  /** Whether a lane is done with. */
  get hasReturned(): boolean {
    return this.#doneLanes.size > 0 || (this.#isClosing && this.#lanes.size > this.#busyLanes.size);
  }

  /** The lanes that are done with. They are here no longer. */
  takeReturned(): readonly ReturnedLane[] {
    const returned: ReturnedLane[] = [];
    for (const lane of this.#isClosing ? this.#lanes.values() : this.#doneLanes) {
      const { key, given, open, atWork } = lane;
      if (atWork > 0) continue;
      returned.push({ key, given, settledUpTo: open.size === 0 ? given : NOTHING });
      this.#drop(lane);
    }
    return returned;
  }

  /** The updates that may begin once what is written next is safe. */
  get unmarked(): readonly Item<U>[] {
    return this.#holds.unmarked;
  }

  /** The marks of these updates are safe. */
  marksWritten(items: readonly Item<U>[]): void {
    this.#holds.marksWritten(items);
  }

  /** Ends all waits. */
  close(): void {
    this.#holds.close();
  }

  #end(item: Item<U>): void {
    const lane = this.#lanes.get(item.key);
    if (lane && --lane.atWork === 0) this.#busyLanes.delete(lane);
    this.#atWork.delete(item);
    this.#holds.forget(item);
  }

  #drop(lane: Lane<U>): void {
    this.#lanes.delete(lane.key);
    this.#doneLanes.delete(lane);
    for (const item of lane.open) {
      this.#holds.cancel(item);
      this.#waiting--;
    }
  }
}
