/**
 * The inbox that survives: an update is on the disk before Telegram is told to forget it, marked before its handler runs,
 * and settled once the handler has ended. What a process leaves, however it ends, the next one finds.
 *
 *     opening ──► open ──► draining ──► closed
 *        │         │          │
 *        └─────────┴──────────┴──► failed ──► closed
 *
 * Marks cost no sync of their own: marks that come together are written together, and synced a few milliseconds after the
 * first of them (group commit). What is written survives the process; what is synced survives a power cut.
 */
import { Ages } from '../../ages.js';
import { LastcallError } from '../../errors.js';
import { guarded } from '../../listener.js';
import { tryOr } from '../../thrown.js';
import { counterOf, newCounters } from '../counters.js';
import { type UpdateId, updateId } from '../ids.js';
import {
  type Entry,
  type Inbox,
  type InboxCounts,
  type InboxReport,
  type Retry,
  type Settlement,
  UPDATE_EXPIRES_AFTER_MS,
  type WaitingBehind,
} from '../inbox.js';
import { systemDisk } from '../log/disk.js';
import { inboxError } from '../store/inbox-error.js';
import { appendNew } from './append-new.js';
import type { Item } from './item.js';
import { Maintenance } from './maintenance.js';
import { type JournalOptions, type JournalParts, openJournal } from './opening.js';
import { TurnLimit } from './turn-limit.js';

/** The options of a journal inbox; `disk`, `now` and `systemNow` are the system's unless given. */
export type JournalSettings<U> = Omit<JournalOptions<U>, 'disk' | 'now' | 'systemNow' | 'ageOf'> &
  Partial<Pick<JournalOptions<U>, 'disk' | 'now' | 'systemNow'>> & {
    /** Whether `now` is known to be right. Nothing counts as old before. Default: it is. */
    isTimeChecked?(): boolean;
  };

/** A disk that needs longer than this to read or sync one segment while the inbox opens counts as hung. */
const STEP_WITHIN_MS = 60_000;

/** The names under which people know the limits of dead letters. */
const limitNames = { number: 'DEAD_LIMIT', ageMs: 'DEAD_AGE', bytes: 'size' } as const;

type State =
  /** `latestEnd` is in the clock's milliseconds; Infinity unless `open` is running. */
  | { readonly name: 'opening'; readonly latestEnd: number }
  | { readonly name: 'open' | 'draining' }
  /** Nothing can be made safe any more: nothing begins, nothing is confirmed, and the run has to end. */
  | { readonly name: 'failed'; readonly error: LastcallError }
  | { readonly name: 'closed'; readonly error?: LastcallError | undefined };

const UNOPENED: State = { name: 'opening', latestEnd: Number.POSITIVE_INFINITY };

export class JournalInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = true;
  readonly outlivesRun = true;
  readonly expiresAfterMs = UPDATE_EXPIRES_AFTER_MS;
  readonly #options: JournalOptions<U>;
  readonly #counters = newCounters();
  /** The entries that were taken and have not settled. */
  readonly #taken = new Map<Entry<U>, Item<U>>();
  readonly #turn = new TurnLimit(() => this.#options.available());
  #state: State = UNOPENED;
  /** Undefined until the inbox has opened. */
  #opened: JournalParts<U> | undefined;
  #maintenance: Maintenance | undefined;
  /** The offset that `accept` gave last: when it is called again, Telegram has answered a poll from there. */
  #offset: UpdateId | undefined;
  #report: Promise<InboxReport> | undefined;

  constructor(settings: JournalSettings<U>) {
    const { disk = systemDisk, now = Date.now, systemNow = Date.now } = settings;
    const { isTimeChecked = () => true } = settings;
    const ages = new Ages(now, settings.clock);
    const ageOf = (atMs: number) => (isTimeChecked() ? ages.of(atMs) : Number.NEGATIVE_INFINITY);
    this.#options = { ...settings, disk, now, systemNow, ageOf, emit: guarded(settings.emit) };
  }

  /**
   * Rejects with INBOX_UNAVAILABLE, INBOX_FOREIGN, INBOX_NEWER, INBOX_IN_USE or INBOX_DISK, and with the signal's reason.
   */
  async open(signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (this.#state.name !== 'opening') throw new Error('the inbox was closed before it opened');
    const progress = () => {
      if (this.#isOpening) this.#become({ name: 'opening', latestEnd: clock.now() + STEP_WITHIN_MS });
    };
    progress();
    const failed = (error: unknown) => this.#fail(error);
    const turns = { signal, progress };
    const opened = await openJournal(this.#options, this.#counters, failed, turns).finally(() => {
      if (this.#state.name === 'opening') this.#become(UNOPENED);
    });
    if (this.#state.name !== 'opening') {
      // The stop has come first, and found nothing to close.
      opened.store.close();
      opened.owner.release();
      throw new Error('the inbox was closed while it opened');
    }
    this.#opened = opened;
    progress();
    // Before anything is handed out: what people have dropped between two runs is not to be handled.
    await this.#answerRequests(() => {
      progress();
      opened.owner.heartbeat();
    }).catch(failed);
    this.#throwFailure();
    // Whoever has closed it has closed its parts, too.
    if (!this.#isOpening) throw new Error('the inbox was closed while it opened');
    this.#become({ name: 'open' });
    this.#maintenance = new Maintenance({
      clock,
      now: this.#options.systemNow,
      owner: opened.owner,
      store: opened.store,
      capacity: opened.capacity,
      // What is tried again need not wait for the rest of a long request.
      answerRequests: () => this.#answerRequests(() => this.#options.available()),
      dropDeadLetters: () => this.#dropDeadLetters(),
      failed: (error) => this.#fail(error),
    });
    this.#maintenance.start();
  }

  async accept(batch: readonly U[]): Promise<number | undefined> {
    const last = batch.at(-1);
    if (!last || this.#isClosed) return undefined;
    const { owner, store, backlog, capacity, commits } = this.#parts;
    if (this.#offset !== undefined) store.ledger.recent.confirm(this.#offset);
    store.ledger.recent.expire(this.#options.ageOf);

    await capacity.wait().catch((error: unknown) => this.#fail(error));
    if (this.#isClosed) return undefined;
    this.#throwFailure();
    this.#attempt(() => {
      const items = appendNew(batch, this.#offset, store, this.#options);
      this.#counters.accepted += items.length;
      backlog.add(items);
    });
    this.#throwFailure();
    // Handlers need not wait for the disk, but Telegram has to: what a power cut takes away comes from there again. The
    // sync and the next poll get under way before the handlers start, since those may keep the event loop busy.
    setImmediate(() => this.#options.available());
    await commits.now();
    // A process that stood still may have lost the folder meanwhile, and what it wrote there may be gone.
    this.#attempt(() => owner.check());
    this.#throwFailure();
    this.#offset = updateId(last.update_id + 1);
    return this.#offset;
  }

  get hasReady(): boolean {
    return this.#state.name === 'open' && this.#parts.backlog.hasReady;
  }

  take(most: number): readonly Entry<U>[] {
    const items: Item<U>[] = [];
    // In a drain no update needs to start, because all are safe on disk.
    if (this.#state.name !== 'open') return items;
    const { store, backlog, commits } = this.#parts;
    this.#maintenance?.catchUp();
    if (this.#failure) return items;
    const limit = commits.isUnderWay ? Math.min(most, this.#turn.left) : most;
    try {
      while (items.length < limit) {
        const item = backlog.take();
        if (!item) break;
        store.mark('begun', item.seq);
        items.push(item);
      }
      store.write();
    } catch (error) {
      this.#fail(error);
      return [];
    }
    for (const item of items) this.#taken.set(item, item);
    this.#turn.spend(items.length);
    return items;
  }

  settle(entry: Entry<U>, result: Settlement, error?: unknown): void {
    const item = this.#taken.get(entry);
    if (!item || this.#isClosed || this.#failure) return;
    const { store, backlog, capacity, commits, policy } = this.#parts;
    this.#taken.delete(entry);
    this.#counters[counterOf[result]]++;
    this.#attempt(() => {
      if (result === 'handled') store.mark('settled', item.seq);
      else policy.giveUp(item.seq, result, error);
      backlog.remove(item);
      capacity.check();
      commits.soon();
    });
  }

  putBack(entry: Entry<U>, { delayMs, isRetry }: Retry): void {
    const item = this.#taken.get(entry);
    if (!item || this.#isClosed || this.#failure) return;
    const { store, backlog, commits } = this.#parts;
    this.#taken.delete(entry);
    this.#counters.putBack++;
    this.#attempt(() => {
      store.putBack({ seq: item.seq, notBeforeMs: this.#options.now() + delayMs, isRetry });
      backlog.putBack(item, delayMs);
      commits.soon();
    });
  }

  waitingBehind({ key }: Entry<U>): WaitingBehind | undefined {
    return this.#opened?.backlog.waitingOf(key);
  }

  drain(cause: 'stop' | 'fault' = 'stop'): void {
    const { name } = this.#state;
    if (name !== 'opening' && name !== 'open') return;
    this.#become({ name: 'draining' });
    // Written down, so that a supervisor that kills amid the drain counts as a stop, and not as a death.
    if (name === 'open' && cause === 'stop') this.#attempt(() => this.#parts.store.beginDrain());
  }

  close(cause: 'stop' | 'fault' = 'stop'): Promise<InboxReport> {
    this.#report ??= this.#close(cause);
    return this.#report;
  }

  get counts(): InboxCounts {
    const taken = this.#taken.size;
    const unsettled = this.#opened?.store.ledger.size ?? 0;
    const dead = this.#opened?.store.deadLetters.size ?? 0;
    return { ...this.#counters, dead, waiting: unsettled - taken, taken, mayRepeat: taken };
  }

  oldestAtMs(): number | undefined {
    const store = this.#isClosed ? undefined : this.#opened?.store;
    return tryOr(() => store?.oldestAtMs, undefined);
  }

  get bytes(): number | undefined {
    const store = this.#opened?.store;
    return store && store.logBytes + store.deadLetters.logBytes;
  }

  get latestEnd(): number {
    if (this.#state.name === 'opening') return this.#state.latestEnd;
    return this.#opened?.commits.latestEnd ?? Number.POSITIVE_INFINITY;
  }

  get #isOpening(): boolean {
    return this.#state.name === 'opening';
  }

  get #isClosed(): boolean {
    return this.#state.name === 'closed';
  }

  get #failure(): LastcallError | undefined {
    return 'error' in this.#state ? this.#state.error : undefined;
  }

  get #parts(): JournalParts<U> {
    if (!this.#opened) throw new Error('the inbox is not open');
    return this.#opened;
  }

  /** The only place where the state changes. */
  #become(state: State): void {
    this.#state = state;
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }

  /** @param slice called before each part of a long request */
  #answerRequests(slice = () => {}): Promise<void> {
    const { requests, backlog, commits } = this.#parts;
    return requests.answerAll({
      isOpen: () => {
        slice();
        return !this.#isClosed && !this.#failure;
      },
      commit: async () => {
        backlog.noticeDrops();
        this.#options.available();
        await commits.now();
      },
    });
  }

  #dropDeadLetters(): void {
    const { store, commits } = this.#parts;
    const dropped = store.dropExcessDeadLetters();
    for (const { limit, letters, why } of dropped) {
      this.#counters.deadDropped += letters;
      this.#options.emit({ event: 'inbox.dead-dropped', letters, limit: limitNames[limit], why });
    }
    if (dropped.length > 0) commits.soon();
  }

  async #close(cause: 'stop' | 'fault'): Promise<InboxReport> {
    this.#become({ name: 'closed', error: this.#failure });
    const quiet = this.#maintenance?.stop();
    if (!this.#opened) return { left: 0, mayRepeat: [] };
    const { owner, store, backlog, capacity, commits } = this.#opened;
    backlog.close();
    capacity.close();
    commits.cancel();
    const cut = [...this.#taken.values()];
    // A stop is not caused by the handlers that it cuts, but a fault may be.
    if (cause === 'stop') for (const item of cut) store.mark('cut', item.seq);
    else if (!this.#failure) this.#attempt(() => store.endDrain());
    if (!this.#failure) await commits.now();
    if (!this.#failure) await quiet;
    if (cause === 'stop' && !this.#failure) store.seal();
    if (!this.#failure) this.#attempt(() => owner.release());
    owner.close();
    this.#attempt(() => store.close());
    return { left: store.ledger.size, mayRepeat: cut.map(({ updateId }) => updateId) };
  }

  /** Does what may fail with the disk. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure) return;
    const error = this.#countGone(inboxError(this.#options.folder, 'used', cause));
    this.#become({ name: this.#isClosed ? 'closed' : 'failed', error });
    void this.#maintenance?.stop();
    this.#opened?.capacity.close();
    this.#opened?.commits.cancel();
    this.#options.emit({ event: 'inbox.failed', error });
  }

  /** Adds to the error that the folder was removed how much was in it. */
  #countGone(error: LastcallError): LastcallError {
    const store = this.#opened?.store;
    if (error.code !== 'INBOX_REMOVED' || !store) return error;
    const { waiting, dead } = this.counts;
    const message = `${error.message} It held ${waiting + this.#taken.size} updates that were not done with, ${this.#taken.size} of them at work, and ${dead} dead letters`;
    return new LastcallError('INBOX_REMOVED', error.culprit, message, { cause: error });
  }
}
