/** One batch of the memory inbox, in order of arrival: what has become of each update, and how much may be confirmed. */
import { orderKey, updateId } from '../ids.js';
import type { Entry, InboxOptions } from '../inbox.js';

/** An update of the batch. */
export interface BatchEntry<U> extends Entry<U> {
  /** The index in the batch. */
  readonly index: number;
  state: 'waiting' | 'taken' | 'settled';
}

type Describe<U> = Pick<InboxOptions<U>, 'keyOf' | 'groupOf' | 'kindOf'>;

export class MemoryBatch<U extends { readonly update_id: number }> {
  readonly #entries: BatchEntry<U>[] = [];
  #newestTaken = -1;

  /** An update that the batch holds twice becomes one entry. */
  constructor(updates: readonly U[], { keyOf, groupOf, kindOf }: Describe<U>, acceptedAtMs: number) {
    const ids = new Set<number>();
    for (const update of updates) {
      if (ids.has(update.update_id)) continue;
      ids.add(update.update_id);
      this.#entries.push({
        updateId: updateId(update.update_id),
        key: orderKey(keyOf(update)),
        group: groupOf?.(update),
        kind: kindOf(update),
        attempt: 1,
        putBacks: 0,
        retries: 0,
        acceptedAtMs,
        update,
        index: this.#entries.length,
        state: 'waiting',
      });
    }
  }

  get entries(): readonly BatchEntry<U>[] {
    return this.#entries;
  }

  take(entry: BatchEntry<U>): void {
    entry.state = 'taken';
    this.#newestTaken = Math.max(this.#newestTaken, entry.index);
  }

  /** Makes a new entry of one that was put back, in its place. */
  putBack({ index, ...entry }: BatchEntry<U>, isRetry: boolean): BatchEntry<U> {
    const again: BatchEntry<U> = {
      ...entry,
      index,
      attempt: entry.attempt + 1,
      putBacks: entry.putBacks + 1,
      retries: isRetry ? entry.retries + 1 : entry.retries,
      state: 'waiting',
    };
    this.#entries[index] = again;
    return again;
  }

  /** Whether an update arrived before the newest one that was taken. */
  isGap({ index }: BatchEntry<U>): boolean {
    return index < this.#newestTaken;
  }

  /** The entries from the first unsettled one on. */
  get unconfirmable(): readonly BatchEntry<U>[] {
    const open = this.#entries.findIndex(({ state }) => state !== 'settled');
    return open === -1 ? [] : this.#entries.slice(open);
  }

  /** The offset behind the settled updates that no unsettled one precedes; undefined where there are none. */
  get confirmableOffset(): number | undefined {
    const last = this.entries[this.#entries.length - this.unconfirmable.length - 1];
    return last && last.updateId + 1;
  }
}
