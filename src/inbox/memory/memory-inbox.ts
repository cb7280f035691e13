/**
 * The inbox that keeps nothing: Telegram's own queue is the safe place, and an update is confirmed only once it has
 * settled. The price is width: one batch is in work at a time, and what a kill interrupts comes again, the whole batch
 * at most.
 */
import type { Entry, Inbox, InboxCounts, InboxOptions, InboxReport, Settlement } from '../inbox.js';

interface Accepted<U> extends Entry {
  readonly update: U;
  /** Place in the batch, in order of arrival. */
  readonly place: number;
  state: 'waiting' | 'begun' | 'settled';
}

export class MemoryInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = false;
  /** Others answer for a batch that is in work. */
  readonly latestEnd = Number.POSITIVE_INFINITY;
  readonly #options: InboxOptions<U>;
  /** The batch in work, in order of arrival; empty between batches. */
  #batch: readonly Accepted<U>[] = [];
  #newestBegun = -1;
  /** How many of the batch have not settled. */
  #open = 0;
  #resolveAccept: (offset: number | undefined) => void = () => {};
  #accepted = 0;
  readonly #settled = { handled: 0, failed: 0, 'timed-out': 0 };
  #report: InboxReport | undefined;

  constructor(options: InboxOptions<U>) {
    this.#options = options;
  }

  get counts(): InboxCounts {
    const states = this.#batch.map(({ state }) => state);
    return {
      accepted: this.#accepted,
      recovered: 0,
      handled: this.#settled.handled,
      failed: this.#settled.failed,
      timedOut: this.#settled['timed-out'],
      dropped: 0,
      waiting: states.filter((state) => state === 'waiting').length,
      begun: states.filter((state) => state === 'begun').length,
      mayRepeat: states.filter((state) => state !== 'waiting').length,
    };
  }

  async open(): Promise<void> {}

  resume(): void {}

  /**
   * Resolves when the whole batch is settled, or at `drained` with what is settled from its beginning on. An update that
   * the batch holds twice is handled once. Rejects when called while a batch is in work: confirming the later batch
   * would make Telegram forget the earlier one.
   */
  async accept(batch: readonly U[]): Promise<number | undefined> {
    if (this.#report || batch.length === 0) return undefined;
    if (this.#batch.length > 0) throw new Error('accept() was called before the last batch was settled');

    const accepted = this.#entriesOf(batch);
    this.#batch = accepted;
    this.#newestBegun = -1;
    this.#accepted += accepted.length;
    this.#open = accepted.length;
    return new Promise((resolve) => {
      this.#resolveAccept = resolve;
      this.#options.deliver(accepted);
    });
  }

  /** Throws when one of them is not waiting: it was begun before, or the drain has ended. */
  begin(entries: readonly Accepted<U>[]): readonly U[] {
    for (const { state, updateId } of entries)
      if (state !== 'waiting' || this.#report)
        throw new Error(`update ${updateId} does not wait to be begun`);
    for (const entry of entries) {
      entry.state = 'begun';
      this.#newestBegun = Math.max(this.#newestBegun, entry.place);
    }
    return entries.map(({ update }) => update);
  }

  settle(entry: Accepted<U>, result: Settlement): void {
    if (entry.state !== 'begun' || this.#report) return;
    entry.state = 'settled';
    this.#settled[result]++;
    if (--this.#open > 0) return;
    const offset = offsetAfter(this.#batch);
    this.#batch = [];
    this.#resolveAccept(offset);
  }

  /**
   * The gaps: what arrived before the newest one begun. Only an unbroken run of settled updates can be confirmed, so an
   * older one left out would bring back all that was handled after it.
   */
  startsDuringDrain({ place }: Accepted<U>): boolean {
    return place < this.#newestBegun;
  }

  async drained(): Promise<InboxReport> {
    this.#report ??= this.#close();
    return this.#report;
  }

  #entriesOf(batch: readonly U[]): readonly Accepted<U>[] {
    const { keyOf, kindOf } = this.#options;
    const ids = new Set<number>();
    const entries: Accepted<U>[] = [];
    for (const update of batch) {
      const { update_id: updateId } = update;
      if (ids.has(updateId)) continue;
      ids.add(updateId);
      const [key, kind, place] = [keyOf(update), kindOf(update), entries.length];
      entries.push({ updateId, key, kind, attempt: 1, update, place, state: 'waiting' });
    }
    return entries;
  }

  #close(): InboxReport {
    const open = this.#batch.findIndex(({ state }) => state !== 'settled');
    const prefix = open === -1 ? this.#batch : this.#batch.slice(0, open);
    const rest = this.#batch.slice(prefix.length);
    this.#resolveAccept(offsetAfter(prefix));
    return {
      left: rest.filter(({ state }) => state !== 'settled').length,
      mayRepeat: rest.filter(({ state }) => state !== 'waiting').map(({ updateId }) => updateId),
    };
  }
}

const offsetAfter = (entries: readonly Entry[]): number | undefined => {
  const last = entries.at(-1);
  return last && last.updateId + 1;
};
