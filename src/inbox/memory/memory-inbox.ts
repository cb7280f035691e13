/**
 * The inbox that keeps nothing: updates stay in Telegram's queue, and are confirmed only once they have settled. Therefore
 * only one batch is in work at a time, and all of it may come again after a kill.
 */
import { counterOf, newCounters } from '../counters.js';
import type {
  Entry,
  Inbox,
  InboxCounts,
  InboxOptions,
  InboxReport,
  Retry,
  Settlement,
  WaitingBehind,
} from '../inbox.js';
import { OrderKeeper } from '../order-keeper.js';
import { type BatchEntry, MemoryBatch } from './batch.js';

/** No update is fetched while one of the batch was put back, so that nobody else is answered meanwhile. */
const EXPIRES_AFTER_MS = 5 * 60 * 1_000;

export class MemoryInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = false;
  readonly outlivesRun = false;
  readonly expiresAfterMs = EXPIRES_AFTER_MS;
  /** The memory inbox waits only for handlers, whose time the dispatcher limits. */
  readonly latestEnd = Number.POSITIVE_INFINITY;
  readonly #options: InboxOptions<U>;
  readonly #order = new OrderKeeper<BatchEntry<U>>();
  readonly #taken = new Map<Entry<U>, BatchEntry<U>>();
  readonly #counters = newCounters();
  /** What ends the wait of the entries that were put back. */
  readonly #cancelWaits = new Set<() => void>();
  #state: 'open' | 'draining' | 'closed' = 'open';
  /** The batch at work, and who waits for it to settle. */
  #batch:
    | { readonly of: MemoryBatch<U>; readonly accepted: (offset: number | undefined) => void }
    | undefined;
  #unsettled = 0;
  #report: InboxReport = { left: 0, mayRepeat: [] };

  constructor(options: InboxOptions<U>) {
    this.#options = options;
  }

  async open(): Promise<void> {}

  /**
   * Resolves when the whole batch is settled, or at `close`, then with what is settled from its beginning on. Rejects when
   * called while a batch is at work: confirming the later batch would make Telegram forget the earlier one.
   */
  async accept(updates: readonly U[]): Promise<number | undefined> {
    if (this.#state !== 'open' || updates.length === 0) return undefined;
    if (this.#batch) throw new Error('accept() was called before the last batch was settled');

    const { now = Date.now } = this.#options;
    const batch = new MemoryBatch(updates, this.#options, now());
    this.#unsettled = batch.entries.length;
    this.#counters.accepted += batch.entries.length;
    for (const entry of batch.entries) this.#order.add(entry);
    return new Promise((accepted) => {
      this.#batch = { of: batch, accepted };
      this.#options.available();
    });
  }

  get hasReady(): boolean {
    return this.#state !== 'closed' && this.#order.hasReady;
  }

  take(most: number): readonly Entry<U>[] {
    const batch = this.#batch?.of;
    const entries: Entry<U>[] = [];
    if (!batch || this.#state === 'closed') return entries;
    // Only an unbroken run of settled updates can be confirmed: everything after a gap would come again.
    const mayStart = (entry: BatchEntry<U>) => this.#state === 'open' || batch.isGap(entry);
    while (entries.length < most) {
      const entry = this.#order.take(mayStart);
      if (!entry) break;
      batch.take(entry);
      this.#taken.set(entry, entry);
      entries.push(entry);
    }
    return entries;
  }

  settle(taken: Entry<U>, result: Settlement): void {
    const entry = this.#taken.get(taken);
    if (!entry || this.#state === 'closed') return;
    this.#taken.delete(taken);
    entry.state = 'settled';
    this.#counters[counterOf[result]]++;
    this.#order.release(entry.key);
    if (--this.#unsettled === 0) this.#endBatch();
  }

  putBack(taken: Entry<U>, { delayMs, isRetry }: Retry): void {
    const entry = this.#taken.get(taken);
    if (!entry || !this.#batch || this.#state === 'closed') return;
    this.#taken.delete(taken);
    this.#counters.putBack++;
    const again = this.#batch.of.putBack(entry, isRetry);
    // The key counts as taken until then, so that nothing overtakes the entry.
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancelWaits.delete(cancel);
      this.#order.putBack(again);
      this.#options.available();
    });
    this.#cancelWaits.add(cancel);
  }

  waitingBehind({ key }: Entry<U>): WaitingBehind | undefined {
    const first = this.#order.firstWaiting(key);
    return first && { waiting: this.#order.waitingOf(key), acceptedAtMs: first.acceptedAtMs };
  }

  drain(): void {
    if (this.#state === 'open') this.#state = 'draining';
  }

  async close(): Promise<InboxReport> {
    if (this.#state === 'closed') return this.#report;
    this.#state = 'closed';
    for (const cancel of this.#cancelWaits) cancel();
    const rest = this.#batch?.of.unconfirmable ?? [];
    this.#report = {
      left: rest.filter(({ state }) => state !== 'settled').length,
      mayRepeat: rest.filter(({ state }) => state !== 'waiting').map(({ updateId }) => updateId),
    };
    this.#endBatch();
    return this.#report;
  }

  get counts(): InboxCounts {
    const taken = this.#taken.size;
    // After `close` there is no batch any more.
    const begun =
      this.#batch?.of.entries.filter(({ state }) => state !== 'waiting') ?? this.#report.mayRepeat;
    return {
      ...this.#counters,
      dead: 0,
      waiting: this.#unsettled - taken,
      taken,
      mayRepeat: begun.length,
    };
  }

  oldestAtMs(): number | undefined {
    return this.#unsettled > 0 ? this.#batch?.of.entries[0]?.acceptedAtMs : undefined;
  }

  #endBatch(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    batch?.accepted(batch.of.confirmableOffset);
  }
}
