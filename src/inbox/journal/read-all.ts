/** Reads updates that may be in several batches, each batch once. */
import type { OrderKey, Seq } from '../ids.js';
import type { Batch } from '../store/batch.js';
import type { Ledger } from '../store/ledger.js';
import type { Item } from './item.js';

export interface BatchReader<U extends { readonly update_id: number }> {
  readonly ledger: Pick<Ledger, 'batchOf'>;
  /**
   * Reads those of the wanted updates of a batch that are not settled, in order of arrival.
   *
   * @param key the key that they had before: a bot's own rule of order may give another one each time
   */
  read(batch: Batch, seqs: readonly Seq[], key?: OrderKey): readonly Item<U>[];
}

/** Returns the updates by their numbers, which are in order; those that are settled are missing. Throws INBOX_DISK. */
export function readAll<U extends { readonly update_id: number }>(
  seqs: readonly Seq[],
  key: OrderKey,
  { ledger, read }: BatchReader<U>,
): ReadonlyMap<Seq, Item<U>> {
  const items = new Map<Seq, Item<U>>();
  let batch: Batch | undefined;
  let ofBatch: Seq[] = [];
  const readBatch = () => {
    if (batch) for (const item of read(batch, ofBatch, key)) items.set(item.seq, item);
  };
  for (const seq of seqs) {
    if (!batch?.spans(seq)) {
      readBatch();
      batch = ledger.batchOf(seq);
      ofBatch = [];
    }
    ofBatch.push(seq);
  }
  readBatch();
  return items;
}
