/**
 * The inbox that keeps nothing: Telegram's own queue is the safe place, and an update is confirmed only once it has
 * settled. The price is width: one batch is in work at a time, and what a kill interrupts comes again, the whole batch
 * at most.
 */
import { TurnoverMap } from '../turnover-map.js';
import type { Entry, Inbox, InboxCounts, InboxOptions, InboxReport, Settlement } from './inbox.js';

interface Accepted<U> {
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
  /** The batch in work, by update id, in order of arrival; empty between batches. */
  readonly #batch = new TurnoverMap<number, Accepted<U>>();
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
    const states = [...this.#batch.values()].map(({ state }) => state);
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
    if (this.#batch.size > 0) throw new Error('accept() was called before the last batch was settled');

    const { keyOf, kindOf } = this.#options;
    const entries: Entry[] = [];
    for (const update of batch) {
      const updateId = update.update_id;
      if (this.#batch.has(updateId)) continue;
      this.#batch.set(updateId, { update, place: entries.length, state: 'waiting' });
      entries.push({ updateId, key: keyOf(update), kind: kindOf(update), attempt: 1 });
    }
    this.#newestBegun = -1;
    this.#accepted += entries.length;
    this.#open = entries.length;
    return new Promise((resolve) => {
      this.#resolveAccept = resolve;
      this.#options.deliver(entries);
    });
  }

  /** Throws when the entry is not waiting: it was begun before, or the drain has ended. */
  begin(entry: Entry): U {
    const accepted = this.#batch.get(entry.updateId);
    if (accepted?.state !== 'waiting' || this.#report)
      throw new Error(`update ${entry.updateId} does not wait to be begun`);
    accepted.state = 'begun';
    this.#newestBegun = Math.max(this.#newestBegun, accepted.place);
    return accepted.update;
  }

  settle(entry: Entry, result: Settlement): void {
    const accepted = this.#batch.get(entry.updateId);
    if (accepted?.state !== 'begun' || this.#report) return;
    accepted.state = 'settled';
    this.#settled[result]++;
    if (--this.#open > 0) return;
    const offset = offsetAfter([...this.#batch.values()]);
    this.#batch.clear();
    this.#resolveAccept(offset);
  }

  /**
   * The gaps: what arrived before the newest one begun. Only an unbroken run of settled updates can be confirmed, so an
   * older one left out would bring back all that was handled after it.
   */
  startsDuringDrain(entry: Entry): boolean {
    const accepted = this.#batch.get(entry.updateId);
    return accepted !== undefined && accepted.place < this.#newestBegun;
  }

  async drained(): Promise<InboxReport> {
    this.#report ??= this.#close();
    return this.#report;
  }

  #close(): InboxReport {
    const updates = [...this.#batch.values()];
    const open = updates.findIndex(({ state }) => state !== 'settled');
    const prefix = open === -1 ? updates : updates.slice(0, open);
    const rest = updates.slice(prefix.length);
    this.#resolveAccept(offsetAfter(prefix));
    return {
      left: rest.filter(({ state }) => state !== 'settled').length,
      mayRepeat: rest.filter(({ state }) => state !== 'waiting').map(({ update }) => update.update_id),
    };
  }
}

function offsetAfter(updates: readonly Accepted<{ readonly update_id: number }>[]): number | undefined {
  const last = updates.at(-1);
  return last && last.update.update_id + 1;
}
