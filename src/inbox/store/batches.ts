/** The batches with unsettled updates, in order of arrival and in the order of their records in the log. */
import type { Seq } from '../ids.js';
import type { Extent } from '../log/position.js';
import type { Batch } from './batch.js';
import { SortedList } from './sorted-list.js';

export class Batches {
  readonly #byNumber = new SortedList<Batch>(({ first }) => first);
  /** Differs from the order of arrival where batches were rewritten. */
  readonly #byPosition = new SortedList<Batch>(({ extent }) => extent.position);
  /** Lookups mostly ask for the updates of one batch in a row. */
  #lastFound: Batch | undefined;

  /** Iterates over all batches, in order of arrival. */
  [Symbol.iterator](): Generator<Batch> {
    return this.#byNumber[Symbol.iterator]();
  }

  /** The batch whose record is the oldest in the log. */
  get oldest(): Batch | undefined {
    return this.#byPosition.first;
  }

  /** The last batch that begins with this number or before it. */
  upTo(seq: Seq): Batch | undefined {
    if (!this.#lastFound?.spans(seq)) this.#lastFound = this.#byNumber.upTo(seq);
    return this.#lastFound;
  }

  /** The first batch with an unsettled update of this number or a later one. */
  from(seq: Seq): Batch | undefined {
    const batch = this.#byNumber.upTo(seq);
    return batch && batch.last >= seq ? batch : this.#byNumber.after(seq);
  }

  add(batch: Batch): void {
    this.#byNumber.add(batch);
    this.#byPosition.add(batch);
  }

  remove(batch: Batch): void {
    if (this.#lastFound === batch) this.#lastFound = undefined;
    this.#byNumber.remove(batch);
    this.#byPosition.remove(batch);
  }

  /** The batch was rewritten, and is now there. */
  move(batch: Batch, extent: Extent): void {
    this.#byPosition.remove(batch);
    batch.extent = extent;
    this.#byPosition.add(batch);
  }
}
