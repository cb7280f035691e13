/**
 * The batches with unsettled updates, sorted by their numbers. They are kept in chunks of limited length, so that
 * removing one costs little however many there are: when updates come one by one, each makes a batch.
 */
import type { Seq } from '../ids.js';
import type { Batch } from './batch.js';

const MAX_CHUNK_LENGTH = 512;

export class Batches {
  /** Sorted; no chunk is empty. */
  readonly #chunks: Batch[][] = [];
  /** Lookups mostly ask for the updates of one batch in a row. */
  #lastFound: Batch | undefined;

  /** Iterates over all batches, in order of arrival. */
  *[Symbol.iterator](): Generator<Batch> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** The last batch that begins with this number or before it. */
  upTo(seq: Seq): Batch | undefined {
    if (this.#lastFound?.spans(seq)) return this.#lastFound;
    const chunk = this.#chunks[this.#chunkOf(seq)];
    this.#lastFound = chunk?.[indexIn(chunk, seq)];
    return this.#lastFound;
  }

  /** The first batch with an unsettled update of this number or a later one. */
  from(seq: Seq): Batch | undefined {
    const chunkIndex = this.#chunkOf(seq);
    const chunk = this.#chunks[chunkIndex] ?? [];
    const index = indexIn(chunk, seq);
    const batch = chunk[index];
    if (batch && batch.last >= seq) return batch;
    return chunk[index + 1] ?? this.#chunks[chunkIndex + 1]?.[0];
  }

  add(batch: Batch): void {
    const chunkIndex = Math.max(0, this.#chunkOf(batch.first));
    const chunk = this.#chunks[chunkIndex];
    if (!chunk) {
      this.#chunks.push([batch]);
      return;
    }
    const index = indexIn(chunk, batch.first) + 1;
    if (chunk.length < MAX_CHUNK_LENGTH) chunk.splice(index, 0, batch);
    else if (index === 0) this.#chunks.splice(chunkIndex, 0, [batch]);
    else this.#chunks.splice(chunkIndex + 1, 0, [batch, ...chunk.splice(index)]);
  }

  remove(batch: Batch): void {
    if (this.#lastFound === batch) this.#lastFound = undefined;
    const chunkIndex = this.#chunkOf(batch.first);
    const chunk = this.#chunks[chunkIndex];
    chunk?.splice(indexIn(chunk, batch.first), 1);
    if (chunk?.length === 0) this.#chunks.splice(chunkIndex, 1);
  }

  /** The index of the chunk to which a batch that begins with the number belongs; -1 if it comes before all. */
  #chunkOf(seq: Seq): number {
    return lastIndexUpTo(this.#chunks, seq, (chunk) => chunk[0]);
  }
}

const indexIn = (chunk: readonly Batch[], seq: Seq): number => lastIndexUpTo(chunk, seq, (batch) => batch);

/** Binary search: the last index of a sorted list whose batch begins with the number or before it, or -1. */
function lastIndexUpTo<T>(list: readonly T[], seq: Seq, batchOf: (element: T) => Batch | undefined): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = list[middle];
    const first = element === undefined ? undefined : batchOf(element)?.first;
    if (first !== undefined && first <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
