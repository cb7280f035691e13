/** Writes what Telegram has given, but for what has come before. */
import { seq, type UpdateId, updateId } from '../ids.js';
import type { Store } from '../store/store.js';
import { Item } from './item.js';
import type { JournalOptions } from './opening.js';

/**
 * Writes the updates of a batch that are new, and returns them as they are in memory. Throws INBOX_DISK.
 *
 * @param confirmedOffset the offset of the poll that the batch answers
 */
export function appendNew<U extends { readonly update_id: number }>(
  batch: readonly U[],
  confirmedOffset: UpdateId | undefined,
  store: Pick<Store, 'append' | 'ledger'>,
  options: JournalOptions<U>,
): readonly Item<U>[] {
  const { received, now, emit } = options;
  const allIds = batch.map(({ update_id: id }) => updateId(id));
  const indexes = store.ledger.recent.indexesOfNew(allIds);
  if (indexes.length < batch.length)
    emit({ event: 'inbox.repeated', updates: batch.length - indexes.length });
  if (indexes.length === 0) return [];

  const updates = indexes.length === batch.length ? batch : indexes.flatMap((index) => batch[index] ?? []);
  const ids = updates.map(({ update_id: id }) => updateId(id));
  const contents = received?.(batch) ?? Buffer.from(JSON.stringify(batch));
  const firstSeq = store.append({ ids, contentIndexes: indexes, contents }, confirmedOffset);
  const facts = {
    attempt: 1,
    putBacks: 0,
    retries: 0,
    acceptedAtMs: now(),
    bytes: contents.length / batch.length,
  };
  return updates.map((update, index) => new Item(update, { ...facts, seq: seq(firstSeq + index) }, options));
}
