/** One record of updates in the log: where it is, and what has become of each of its updates. */
import { type Seq, seq } from '../ids.js';
import type { Extent } from '../log/position.js';

/** `begun`: by the run that writes the log, and neither settled nor cut by a stop since. */
export type LoggedState = 'waiting' | 'begun' | 'settled';

export class Batch {
  /** Where the record is; changed by `Batches` only, when the batch is rewritten. */
  extent: Extent;
  /** The number of the first update, settled or not. */
  readonly first: Seq;
  /** The average size of an update in the log. */
  readonly bytesEach: number;
  /** By the distance from the first number. A number in between that does not belong to the batch counts as settled. */
  readonly #states: LoggedState[];
  #size: number;

  /** @param seqs in ascending order, at least one */
  constructor(extent: Extent, seqs: readonly Seq[]) {
    const [first = seq(0), last = first] = [seqs[0], seqs.at(-1)];
    this.extent = extent;
    this.first = first;
    this.bytesEach = Math.ceil(extent.length / seqs.length);
    this.#size = seqs.length;
    // Allocated in its final length: there may be a million batches of one update.
    this.#states = Array.from({ length: last - first + 1 }, () => 'settled');
    for (const one of seqs) this.#states[one - first] = 'waiting';
  }

  /** How many updates are not settled. */
  get size(): number {
    return this.#size;
  }

  /** The updates that are not settled, in order of arrival. */
  get seqs(): readonly Seq[] {
    return this.#seqsThat((state) => state !== 'settled');
  }

  /** The updates that are begun, in order of arrival. */
  get begun(): readonly Seq[] {
    return this.#seqsThat((state) => state === 'begun');
  }

  /** The newest update that is not settled. */
  get last(): Seq {
    return seq(this.first + this.#states.findLastIndex((state) => state !== 'settled'));
  }

  /** Whether the number lies between the batch's first and last, settled or not. */
  spans(of: Seq): boolean {
    return of >= this.first && of < this.first + this.#states.length;
  }

  /** Whether the update belongs to the batch and is not settled. */
  has(of: Seq): boolean {
    return this.stateOf(of) !== 'settled';
  }

  /** The update's state; `settled` if it does not belong to the batch. */
  stateOf(of: Seq): LoggedState {
    return this.#states[of - this.first] ?? 'settled';
  }

  /** Changes the state of an update that the batch has. */
  setState(of: Seq, state: LoggedState): void {
    this.#states[of - this.first] = state;
    if (state === 'settled') this.#size--;
  }

  #seqsThat(isWanted: (state: LoggedState) => boolean): readonly Seq[] {
    return this.#states.flatMap((state, index) => (isWanted(state) ? [seq(this.first + index)] : []));
  }
}
