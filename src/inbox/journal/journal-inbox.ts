/**
 * The inbox that survives: an update is on the disk before Telegram is told to forget it, marked before its handler runs,
 * and settled once that has ended. What a process leaves, however it ends, the next one finds.
 *
 * Marks cost no sync of their own: those that come together are written together, at the latest a few milliseconds after
 * the first (group commit). What is written survives the process; what is synced, a power cut.
 */
import type { Clock } from '../../clock.js';
import type { LastcallError } from '../../errors.js';
import type { InboxEvent } from '../events.js';
import { updateId as idOf, type Seq, seq as seqOf, type UpdateId } from '../ids.js';
import type { Inbox, InboxCounts, InboxOptions, InboxReport, Settlement } from '../inbox.js';
import { type Disk, systemDisk } from '../log/disk.js';
import { GroupCommit } from '../log/group-commit.js';
import type { Batch } from '../store/batch.js';
import { inboxError, openingError } from '../store/inbox-error.js';
import { openStore } from '../store/open-store.js';
import { HEARTBEAT_MS, Owner } from '../store/owner.js';
import { checkFirstHeader } from '../store/read-log.js';
import { answerRequests, type InboxAnswer, type InboxRequest, requestsFolder } from '../store/requests.js';
import type { Store } from '../store/store.js';
import { Attendant } from './attendant.js';
import { Item, Queue } from './queue.js';
import { Room, type RoomLimits } from './room.js';
import { Undertaker } from './undertaker.js';

export interface JournalOptions<U> extends InboxOptions<U> {
  /** The folder of this bot's inbox; absolute. */
  readonly folder: string;
  /** The bot's key: an inbox of another bot is refused. */
  readonly bot: string;
  /** What an accepted update survives. */
  readonly durability: 'power' | 'process';
  /** After how many processes that died of it an update is given up; 0: never. */
  readonly maxAttempts: number;
  /** How many handlers may be at work at once. */
  readonly concurrency: number;
  /** How many updates may wait before no more are taken from Telegram. */
  readonly limit: number;
  /** Who works with it: where that is, as far as the bot's lock reaches, and what tells it from all others. */
  readonly holder: { readonly place: string; readonly id: string };
  readonly clock: Clock;
  /** The JSON of the batch as it was received, where that is known: an array, or an answer with it as its `result`. */
  received?(batch: readonly U[]): Uint8Array | undefined;
  /** An update as it comes back from its JSON. */
  restore(content: unknown): U;
  /** An error in words that may be kept. */
  errorText(error: unknown): string;
  emit(event: InboxEvent): void;
  readonly disk?: Disk;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly room?: Partial<RoomLimits>;
  readonly segmentBytes?: number;
}

/** A disk that takes longer to give back all that a full inbox holds, and to make sure of it, hangs. */
const OPEN_WITHIN_MS = 300_000;

/** How often requests are looked for, and the log is looked after. */
const ROUND_MS = 500;

/** Enough that none of those that could be at work waits for the disk. */
const DELIVERED_LEAST = 1_000;
const DELIVERED_PER_HANDLER = 4;
const DELIVERED_BYTES = 16 * 1024 * 1024;
const DELIVERED_OF_KEY = 64;

/** So many that their handlers take about as long to start as a fast disk to sync; of 10, 25 and 50 the fastest. */
const DELIVERED_DURING_SYNC = 25;

interface Opened<U> {
  readonly store: Store;
  readonly queue: Queue<U>;
  readonly room: Room;
  readonly commits: GroupCommit;
  readonly undertaker: Undertaker<U>;
  readonly attendant: Attendant<U>;
}

interface Counters {
  accepted: number;
  recovered: number;
  handled: number;
  failed: number;
  timedOut: number;
  dropped: number;
}

const counterOf = { handled: 'handled', failed: 'failed', 'timed-out': 'timedOut' } as const;

export class JournalInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = true;
  readonly #options: JournalOptions<U>;
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #owner: Owner;
  /** About to be delivered. */
  readonly #leaving: Item<U>[] = [];
  readonly #counts: Counters = { accepted: 0, recovered: 0, handled: 0, failed: 0, timedOut: 0, dropped: 0 };
  /** How many handlers are at work. */
  #running = 0;
  /** While it opens. */
  #openingEnd = Number.POSITIVE_INFINITY;
  #open: Opened<U> | undefined;
  #resumed = false;
  /** What `accept` gave last: once it is called again, Telegram has answered a poll from there. */
  #offset: UpdateId | undefined;
  #cancelRound: () => void = () => {};
  #lastBeat = 0;
  #failure: LastcallError | undefined;
  #report: Promise<InboxReport> | undefined;

  constructor(options: JournalOptions<U>) {
    const { disk = systemDisk, now = Date.now, folder, clock, holder } = options;
    this.#options = options;
    this.#disk = disk;
    this.#now = now;
    this.#owner = new Owner({
      disk,
      folder,
      clock,
      ...holder,
      waiting: (place, waitMs) => options.emit({ event: 'inbox.waiting', place, waitMs }),
    });
  }

  /**
   * Rejects with INBOX_UNAVAILABLE, INBOX_FOREIGN, INBOX_NEWER, INBOX_IN_USE or INBOX_DISK, and with the signal's reason.
   */
  async open(signal?: AbortSignal): Promise<void> {
    this.#openingEnd = this.#options.clock.now() + OPEN_WITHIN_MS;
    try {
      await this.#openFolder(signal);
    } finally {
      this.#openingEnd = Number.POSITIVE_INFINITY;
    }
  }

  async #openFolder(signal: AbortSignal | undefined): Promise<void> {
    const { folder, bot, durability, emit, clock } = this.#options;
    try {
      // First, as nothing that is another bot's is touched.
      checkFirstHeader(this.#disk, folder, bot);
      this.#disk.makeFolder(requestsFolder(folder));
      await this.#owner.acquire(signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw openingError(folder, error);
    }
    const store = await this.#openStore().catch((error: unknown) => {
      this.#giveBack();
      throw error;
    });
    if (signal?.aborted || this.#isDrained) {
      store.close();
      this.#giveBack();
      throw signal?.reason ?? new Error('the drain has ended');
    }
    emit({ event: 'inbox.opened', path: folder, survives: durability });
    this.#take(store);
    this.#lastBeat = clock.now();
    this.#round();
  }

  /** So that whoever comes next need not wait for a sign of life. */
  #giveBack(): void {
    try {
      this.#owner.release();
    } catch {
      // There is a better error to tell, or none that matters.
    }
  }

  #openStore(): Promise<Store> {
    const { folder, bot, holder, durability, segmentBytes } = this.#options;
    return openStore({
      disk: this.#disk,
      folder,
      bot,
      runId: holder.id,
      survivesPowerCut: durability === 'power',
      now: this.#now,
      ...(segmentBytes !== undefined && { segmentBytes }),
    });
  }

  resume(): void {
    if (this.#resumed || this.#ended) return;
    this.#resumed = true;
    this.#attempt(() => this.#opened.queue.fill());
  }

  async accept(batch: readonly U[]): Promise<number | undefined> {
    const last = batch.at(-1);
    if (!last || this.#isDrained) return undefined;
    const { store, queue, room, commits } = this.#opened;
    if (this.#offset !== undefined) store.ledger.recent.confirm(this.#offset);
    store.ledger.recent.expire(this.#now());

    await this.#failing(() => room.wait());
    if (this.#isDrained) return undefined;
    this.#throwFailure();
    this.resume();
    const items = this.#append(batch);
    // Handlers need not wait for the disk. Telegram has to: what a power cut takes away comes from there again.
    this.#attempt(() => queue.added(items));
    this.#throwFailure();
    await commits.now();
    this.#throwFailure();
    this.#offset = idOf(last.update_id + 1);
    return this.#offset;
  }

  begin(items: readonly Item<U>[]): readonly (U | undefined)[] {
    this.#throwFailure();
    if (this.#isDrained) throw new Error('nothing can begin: the drain has ended');
    const { store } = this.#opened;
    const updates: (U | undefined)[] = [];
    for (const item of items) {
      if (item.stage !== 'delivered') {
        updates.push(undefined);
        continue;
      }
      item.stage = 'begun';
      this.#running++;
      store.mark('begun', item.seq);
      updates.push(item.update);
    }
    try {
      store.write();
    } catch (error) {
      throw this.#fail(error);
    }
    return updates;
  }

  settle(item: Item<U>, result: Settlement, error?: unknown): void {
    const { store, queue, room, commits, undertaker } = this.#opened;
    if (item.stage !== 'begun' || this.#ended) return;
    this.#running--;
    this.#counts[counterOf[result]]++;
    try {
      if (result !== 'handled') undertaker.bury(item.seq, result, error);
      store.mark('settled', item.seq);
      queue.remove(item);
      room.check();
      commits.soon();
    } catch (fault) {
      this.#fail(fault);
    }
  }

  /** None: each is safe here, whether it has begun or not. */
  startsDuringDrain(): boolean {
    return false;
  }

  drained(why: 'stop' | 'fault' = 'stop'): Promise<InboxReport> {
    this.#report ??= this.#end(why);
    return this.#report;
  }

  get counts(): InboxCounts {
    const begun = this.#running;
    const waiting = (this.#open?.store.ledger.size ?? 0) - begun;
    return { ...this.#counts, waiting, begun, mayRepeat: begun };
  }

  get latestEnd(): number {
    return this.#open?.commits.latestEnd ?? this.#openingEnd;
  }

  get #isDrained(): boolean {
    return this.#report !== undefined;
  }

  get #ended(): boolean {
    return this.#isDrained || this.#failure !== undefined;
  }

  get #opened(): Opened<U> {
    if (!this.#open) throw new Error('the inbox is not open');
    return this.#open;
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }

  /** What the store holds becomes this run's to do. */
  #take(store: Store): void {
    const { concurrency, emit, limit, clock } = this.#options;
    const { ledger, damage } = store;
    const undertaker = new Undertaker<U>({ ...this.#options, store, now: this.#now });
    const queue = new Queue<U>({
      ledger,
      read: (batch, seqs) => this.#read(batch, seqs),
      isSuspect: (history) => undertaker.isSuspect(history),
      deliver: (items) => this.#deliverSoon(items),
      limits: {
        delivered: Math.max(DELIVERED_LEAST, DELIVERED_PER_HANDLER * concurrency),
        deliveredBytes: DELIVERED_BYTES,
        deliveredOfKey: DELIVERED_OF_KEY,
      },
    });
    const room = new Room({
      limits: { updates: limit, ...this.#options.room },
      level: () => ({ updates: ledger.size, bytes: store.logBytes }),
      freeBytes: () => store.freeBytes,
      clock,
      emit,
    });
    const commits = new GroupCommit({
      commit: () => store.commit(),
      failed: (error) => this.#fail(error),
      clock,
    });
    const attendant = new Attendant<U>({ store, queue, counts: this.#counts, emit });
    this.#open = { store, queue, room, commits, undertaker, attendant };
    for (const one of damage) emit({ event: 'inbox.damaged', ...one });
    this.#counts.recovered = ledger.size;
    if (ledger.size > 0) {
      const histories = ledger.histories();
      const died = histories.filter(([, { deaths }]) => deaths > 0).length;
      emit({ event: 'inbox.recovered', updates: ledger.size, begun: histories.length, died });
    }
    this.#counts.dropped += undertaker.giveUp();
  }

  #append(batch: readonly U[]): readonly Item<U>[] {
    const { received, emit } = this.#options;
    const { store } = this.#opened;
    const allIds = batch.map(({ update_id: updateId }) => idOf(updateId));
    const contentIndexes = store.ledger.recent.indexesOfNew(allIds);
    if (contentIndexes.length < batch.length)
      emit({ event: 'inbox.repeated', updates: batch.length - contentIndexes.length });
    if (contentIndexes.length === 0) return [];

    const updates =
      contentIndexes.length === batch.length ? batch : contentIndexes.flatMap((index) => batch[index] ?? []);
    const ids = updates.map(({ update_id: updateId }) => idOf(updateId));
    const contents = received?.(batch) ?? Buffer.from(JSON.stringify(batch));
    const firstSeq = this.#attempt(() => store.append({ ids, contentIndexes, contents }, this.#offset));
    if (firstSeq === undefined) return [];
    this.#counts.accepted += updates.length;
    const bytes = contents.length / batch.length;
    return updates.map((update, turn) => this.#item(seqOf(firstSeq + turn), update, { attempt: 1, bytes }));
  }

  #read(batch: Batch, seqs: readonly Seq[]): readonly Item<U>[] {
    const { restore } = this.#options;
    const { store } = this.#opened;
    const { ledger } = store;
    return store.read(batch, seqs).map(({ seq, content }) => {
      const attempt = ledger.historyOf(seq).runs + 1;
      return this.#item(seq, restore(content), { attempt, bytes: batch.bytesEach });
    });
  }

  #item(seq: Seq, update: U, about: Pick<Item<U>, 'attempt' | 'bytes'>): Item<U> {
    const { keyOf, kindOf } = this.#options;
    const { attempt, bytes } = about;
    const [updateId, key, kind] = [idOf(update.update_id), keyOf(update), kindOf(update)];
    return new Item({ seq, updateId, key, kind, attempt, update, bytes });
  }

  /** In the next turn of the event loop: what waits for the disk or for Telegram gets under way before. */
  #deliverSoon(items: readonly Item<U>[]): void {
    if (this.#leaving.length === 0) setImmediate(() => this.#deliver());
    this.#leaving.push(...items);
  }

  /** While the disk syncs, a few in each turn: the next poll waits for its end, which is heard only between turns. */
  #deliver(): void {
    const count = this.#opened.commits.isUnderWay ? DELIVERED_DURING_SYNC : this.#leaving.length;
    const items = this.#leaving.splice(0, count);
    if (this.#leaving.length > 0) setImmediate(() => this.#deliver());
    if (!this.#ended) this.#options.deliver(items);
  }

  /** At regular intervals, from `open` to the end. */
  #round(): void {
    const { clock } = this.#options;
    this.#cancelRound = clock.after(ROUND_MS, () => this.#round());
    this.#attempt(() => {
      if (clock.now() - this.#lastBeat >= HEARTBEAT_MS) {
        this.#owner.heartbeat();
        this.#lastBeat = clock.now();
      }
      answerRequests(this.#disk, this.#options.folder, (request) => this.#answer(request));
      this.#opened.room.check();
    });
    // Where somebody else has taken the store, nothing in it is ours to remove.
    if (!this.#failure) this.#opened.store.compact().catch((error: unknown) => this.#fail(error));
  }

  #answer(request: InboxRequest): InboxAnswer {
    const { queue, commits, attendant } = this.#opened;
    const answer = attendant.answer(request);
    void commits.now();
    if (this.#resumed) queue.fill();
    return answer;
  }

  async #end(why: 'stop' | 'fault'): Promise<InboxReport> {
    this.#cancelRound();
    if (!this.#open) return { left: 0, mayRepeat: [] };
    const { store, queue, room, commits } = this.#opened;
    room.close();
    commits.cancel();
    const cut = [...queue.delivered()].filter(({ stage }) => stage === 'begun');
    // A stop is no fault of what it cuts; a fault may well be.
    if (why === 'stop') for (const { seq } of cut) store.mark('cut', seq);
    if (!this.#failure) await commits.now();
    if (!this.#failure) this.#attempt(() => this.#owner.release());
    this.#attempt(() => store.close());
    return { left: store.ledger.size, mayRepeat: cut.map(({ updateId }) => updateId) };
  }

  async #failing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Does what may fail with the disk; undefined where it has. */
  #attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Nothing can be made safe any more: nothing begins, nothing is confirmed, and the run has to end. */
  #fail(error: unknown): LastcallError {
    if (this.#failure) return this.#failure;
    this.#failure = inboxError(this.#options.folder, 'used', error);
    this.#cancelRound();
    this.#open?.room.close();
    this.#open?.commits.cancel();
    this.#options.emit({ event: 'inbox.failed', error: this.#failure });
    return this.#failure;
  }
}
