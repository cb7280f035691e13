/**
 * Decides which unsettled updates are in memory. They are loaded in order of arrival, up to a limit; the rest stays on disk.
 * So that slow chats cannot fill the limit, only a few updates of each chat are loaded, and the others are spilled: only
 * their sequence numbers stay in memory. Of the suspects (updates that processes have died of), at most one is loaded.
 *
 *     on disk ──fill──► loaded ──take──► taken ──► settled
 *        │                 ▲ ▲              │
 *        │                 │ └── delayed ◄──┘ put back: its chat waits with it
 *        └──► spilled ─────┘ when its chat has room again, or the suspect before it has settled
 */
import type { Clock } from '../../clock.js';
import { Fifo } from '../fifo.js';
import type { OrderKey, Seq } from '../ids.js';
import { UPDATE_EXPIRES_AFTER_MS, type WaitingBehind } from '../inbox.js';
import { OrderKeeper } from '../order-keeper.js';
import type { Ledger } from '../store/ledger.js';
import type { History } from '../store/records.js';
import type { Item } from './item.js';
import { type BatchReader, readAll } from './read-all.js';
import { Room, type RoomLimits } from './room.js';

type Identified = { readonly update_id: number };

export interface BacklogOptions<U extends Identified> extends BatchReader<U> {
  readonly ledger: Ledger;
  /** Reads an unsettled update once more, as it was written, with the key that it had before. */
  readAgain(seq: Seq, key: OrderKey): Item<U> | undefined;
  isSuspect(history: History): boolean;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called when an update that was delayed can be taken. */
  available(): void;
  /** Called when a delayed update cannot be read. */
  failed(error: unknown): void;
  readonly limits: RoomLimits;
}

/** The number of messages that an album may have. */
const LARGEST_GROUP = 10;

/** How many batches are read in one go at most. */
const MOST_READ = 32;

export class Backlog<U extends Identified> {
  readonly #options: BacklogOptions<U>;
  /** The loaded updates. */
  readonly #order = new OrderKeeper<Item<U>>();
  /** By key, the updates that wait for room in their chat, or for their turn as a suspect; none behind them is loaded. */
  readonly #spilled = new Map<OrderKey, Fifo<Seq>>();
  /** Keys whose first spilled update is a suspect that waits for its turn. */
  readonly #suspended = new Set<OrderKey>();
  #suspect: Item<U> | undefined;
  /** The updates that were put back and whose delays last, each with its key and what cancels its delay. */
  readonly #delayed = new Map<Seq, { readonly key: OrderKey; readonly cancel: () => void }>();
  #willFill = false;
  readonly #room: Room;
  /** Updates from this number on have not been read yet. */
  #ahead = 0 as Seq;

  constructor(options: BacklogOptions<U>) {
    this.#options = options;
    this.#room = new Room(options.limits);
  }

  /** How many updates are loaded, those at work among them. */
  get size(): number {
    return this.#room.updates;
  }

  get hasReady(): boolean {
    return this.#order.hasReady || this.#canFill;
  }

  /** Adds new updates that the ledger knows already. If nothing waits on disk before them they need not be read again. */
  add(items: readonly Item<U>[]): void {
    const [first] = items;
    const next = this.#options.ledger.batchFrom(this.#ahead);
    // A batch that has become smaller is read again, without the updates that were dropped meanwhile.
    if (!first || next?.first !== first.seq || next.size !== items.length) return;
    if (!this.#room.isFree && !this.#order.continuesGroup(first)) return;
    this.#ahead = seqAfter((items.at(-1) ?? first).seq);
    for (const item of items) this.#admit(item);
  }

  /** Takes the next update that may start; undefined where there is none. Throws INBOX_DISK. */
  take(): Item<U> | undefined {
    const { ledger } = this.#options;
    for (;;) {
      // Filling at half the limit, and not for each settled update, reads a batch once for all updates in it.
      if (!this.#order.hasReady || this.#room.isHalfFree) this.#fill();
      const item = this.#order.take();
      if (!item && this.#canFill) this.#fillLater();
      if (!item || ledger.batchOf(item.seq)) return item;
      // The update was dropped while it waited, which may have made room for others.
      this.remove(item);
    }
  }

  /** A taken update is done with, and no longer in the ledger. Throws INBOX_DISK. */
  remove(item: Item<U>): void {
    this.#room.leave(item);
    this.#order.release(item.key);
    this.#reload(item.key);
    if (item === this.#suspect) this.#nextSuspect();
  }

  /** Updates were dropped by request. Throws INBOX_DISK. */
  noticeDrops(): void {
    // Other suspects need not wait until the chat of the dropped one gets to it.
    if (this.#suspect && !this.#options.ledger.batchOf(this.#suspect.seq)) this.#nextSuspect();
    // The chat of a dropped one that was put back need not wait for the end of its delay.
    for (const [seq, { key, cancel }] of this.#delayed) {
      if (this.#options.ledger.batchOf(seq)) continue;
      cancel();
      this.#delayed.delete(seq);
      this.#order.release(key);
      this.#reload(key);
    }
  }

  #nextSuspect(): void {
    this.#suspect = undefined;
    for (const key of this.#suspended) {
      this.#suspended.delete(key);
      this.#reload(key);
      if (this.#suspect) break;
    }
  }

  /** A taken update is to be handed out again after the delay; the updates of its chat wait behind it. */
  putBack(item: Item<U>, delayMs: number): void {
    // Its handler may have changed the update, so that it is read again.
    this.#room.leave(item);
    this.#delay(item, delayMs);
    if (item === this.#suspect) this.#nextSuspect();
  }

  /** The updates of a key that wait, without those that are still to be read from the disk. */
  waitingOf(key: OrderKey): WaitingBehind | undefined {
    const first = this.#order.firstWaiting(key);
    if (!first) return undefined;
    const waiting = this.#order.waitingOf(key) + (this.#spilled.get(key)?.size ?? 0);
    return { waiting, acceptedAtMs: first.acceptedAtMs };
  }

  /** No delayed update is loaded any more. */
  close(): void {
    for (const { cancel } of this.#delayed.values()) cancel();
  }

  get #canFill(): boolean {
    const { ledger } = this.#options;
    return this.#ahead < ledger.nextSeq && this.#room.isFree && ledger.batchFrom(this.#ahead) !== undefined;
  }

  /** Loads as much as there is room for, but for the time that reading a long backlog of few chats would take. */
  #fill(): void {
    const { ledger, read } = this.#options;
    // A group that may go on in the next batch is loaded whole.
    let isAmidGroup = false;
    for (let batches = 0; batches < MOST_READ && (this.#canFill || isAmidGroup); batches++) {
      const batch = ledger.batchFrom(this.#ahead);
      if (!batch) return;
      const wanted = batch.seqs.filter((seq) => seq >= this.#ahead);
      this.#ahead = seqAfter(batch.last);
      const items = read(batch, wanted);
      for (const item of items) this.#admit(item);
      isAmidGroup = items.at(-1)?.group !== undefined;
    }
  }

  /** Tries again in the next turn of the event loop, after signals, timers and sockets. */
  #fillLater(): void {
    if (this.#willFill) return;
    this.#willFill = true;
    setImmediate(() => {
      this.#willFill = false;
      this.#options.available();
    });
  }

  /** Loads an update if its key allows that, and spills it otherwise. */
  #admit(item: Item<U>): void {
    const spilled = this.#spilled.get(item.key);
    if (spilled) {
      spilled.push(item.seq);
    } else if (this.#isHeld(item.seq)) {
      this.#suspended.add(item.key);
      this.#spill(item);
    } else if (this.#order.countOf(item.key) >= this.#room.ofKey && !this.#order.continuesGroup(item)) {
      this.#spill(item);
    } else {
      this.#load(item);
    }
  }

  #spill(item: Item<U>): void {
    const spilled = new Fifo<Seq>();
    spilled.push(item.seq);
    this.#spilled.set(item.key, spilled);
  }

  #load(item: Item<U>): void {
    const { notBeforeMs } = this.#options.ledger.endedAttemptsOf(item.seq);
    // No update waits for longer than until it expires, whatever the system's clock said when it was put back.
    const delayMs =
      notBeforeMs > 0 ? Math.min(notBeforeMs - this.#options.now(), UPDATE_EXPIRES_AFTER_MS) : 0;
    if (delayMs > 0) {
      // An earlier run has put the update back.
      this.#order.hold(item);
      this.#delay(item, delayMs);
      return;
    }
    this.#count(item);
    this.#order.add(item);
  }

  #count(item: Item<U>): void {
    if (item.attempt > 1 && this.#isSuspect(item.seq)) this.#suspect = item;
    this.#room.enter(item);
  }

  /** Puts an update at the head of its key, which is taken or held, after the delay. */
  #delay({ seq, key }: Item<U>, delayMs: number): void {
    const { clock, available, failed } = this.#options;
    const cancel = clock.after(delayMs, () => {
      this.#delayed.delete(seq);
      try {
        const item = this.#options.readAgain(seq, key);
        if (item) {
          this.#count(item);
          this.#order.putBack(item);
        } else {
          // The update was dropped meanwhile.
          this.#order.release(key);
          this.#reload(key);
        }
      } catch (error) {
        failed(error);
        return;
      }
      available();
    });
    this.#delayed.set(seq, { key, cancel });
  }

  /** Loads spilled updates of a key, as far as the key has room, and no group in part. */
  #reload(key: OrderKey): void {
    const { ledger } = this.#options;
    const spilled = this.#spilled.get(key);
    if (!spilled || this.#suspended.has(key)) return;
    const room = this.#room.ofKey;
    const loaded = this.#order.countOf(key);
    // Reading several updates at once is cheaper than reading one after each settled update.
    if (loaded > room / 2) return;
    // Dropped updates are skipped first: a key of which nothing gets loaded would never be reloaded.
    while (spilled.first !== undefined && !ledger.batchOf(spilled.first)) spilled.shift();
    let seqs: readonly Seq[] = spilled.peek(room - loaded);
    while (seqs.length > 0) {
      const items = readAll(seqs, key, this.#options);
      let group: string | undefined;
      for (const seq of seqs) {
        if (this.#isHeld(seq)) {
          this.#suspended.add(key);
          return;
        }
        spilled.shift();
        const item = items.get(seq);
        if (item) this.#load(item);
        group = item?.group;
      }
      seqs = group === undefined ? [] : this.#spilledOfGroup(spilled, key, group);
    }
    if (spilled.size === 0) this.#spilled.delete(key);
  }

  /** The updates at the head of those spilled that are of a group. */
  #spilledOfGroup(spilled: Fifo<Seq>, key: OrderKey, group: string): readonly Seq[] {
    const seqs = spilled.peek(LARGEST_GROUP);
    const items = readAll(seqs, key, this.#options);
    const end = seqs.findIndex((seq) => items.get(seq)?.group !== group);
    return end === -1 ? seqs : seqs.slice(0, end);
  }

  /** Whether an update is a suspect that must wait for another one. */
  #isHeld(seq: Seq): boolean {
    return this.#suspect !== undefined && this.#isSuspect(seq);
  }

  #isSuspect(seq: Seq): boolean {
    const { ledger, isSuspect } = this.#options;
    return isSuspect(ledger.historyOf(seq));
  }
}

const seqAfter = (seq: number): Seq => (seq + 1) as Seq;
