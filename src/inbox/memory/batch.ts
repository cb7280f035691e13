/** One batch of the memory inbox, in order of arrival: what has become of each update, and how much may be confirmed. */
import { type OrderKey, orderKey, type UpdateId, updateId } from '../ids.js';
import type { Entry, InboxOptions } from '../inbox.js';

/** An update of the batch. */
export interface BatchEntry<U> extends Entry<U> {
  /** The index in the batch. */
  readonly index: number;
  state: 'waiting' | 'taken' | 'settled';
}

type Describe<U> = Pick<InboxOptions<U>, 'keyOf' | 'kindOf'>;

export class MemoryBatch<U extends { readonly update_id: number }> {
  readonly entries: readonly BatchEntry<U>[];
  #newestTaken = -1;

  /** An update that the batch holds twice becomes one entry. */
  constructor(updates: readonly U[], { keyOf, kindOf }: Describe<U>) {
    const ids = new Set<number>();
    const entries: BatchEntry<U>[] = [];
    for (const update of updates) {
      if (ids.has(update.update_id)) continue;
      ids.add(update.update_id);
      const about: { updateId: UpdateId; key: OrderKey; kind: string } = {
        updateId: updateId(update.update_id),
        key: orderKey(keyOf(update)),
        kind: kindOf(update),
      };
      entries.push({ ...about, attempt: 1, update, index: entries.length, state: 'waiting' });
    }
    this.entries = entries;
  }

  take(entry: BatchEntry<U>): void {
    entry.state = 'taken';
    this.#newestTaken = Math.max(this.#newestTaken, entry.index);
  }

  /** Whether an update arrived before the newest one that was taken. */
  isGap({ index }: BatchEntry<U>): boolean {
    return index < this.#newestTaken;
  }

  /** The entries from the first unsettled one on. */
  get unconfirmable(): readonly BatchEntry<U>[] {
    const open = this.entries.findIndex(({ state }) => state !== 'settled');
    return open === -1 ? [] : this.entries.slice(open);
  }

  /** The offset behind the settled updates that no unsettled one precedes; undefined where there are none. */
  get confirmableOffset(): number | undefined {
    const last = this.entries[this.entries.length - this.unconfirmable.length - 1];
    return last && last.updateId + 1;
  }
}
