/** One record of updates in the log: where it is, and what has become of each update in it. */
import type { Place } from '../log/scan.js';

/** `begun`: by the run that writes the log, and neither settled nor cut since. */
export type LoggedState = 'waiting' | 'begun' | 'settled';

export class Batch {
  /** Changes when what is left of it is written anew, so that old segments can go. */
  place: Place;
  readonly first: number;
  /** What one update takes in the log, on average. */
  readonly bytesEach: number;
  /** Of all numbers from the first to the last: those between them that are not in it count as settled. */
  readonly #states: LoggedState[];
  #size: number;

  /** @param seqs in ascending order, at least one */
  constructor(place: Place, seqs: readonly number[]) {
    this.place = place;
    this.first = seqs[0] ?? 0;
    this.bytesEach = Math.ceil(place.length / seqs.length);
    this.#size = seqs.length;
    // Of the right length at once: a slow trickle makes a batch of each update, and there may be a million.
    this.#states = Array.from({ length: (seqs.at(-1) ?? 0) - this.first + 1 }, () => 'settled');
    for (const seq of seqs) this.#states[seq - this.first] = 'waiting';
  }

  /** How many of it are not settled. */
  get size(): number {
    return this.#size;
  }

  /** Those, in order of arrival. */
  get seqs(): readonly number[] {
    return this.#numbers((state) => state !== 'settled');
  }

  get begun(): readonly number[] {
    return this.#numbers((state) => state === 'begun');
  }

  /** The newest that is not settled. */
  get last(): number {
    return this.first + this.#states.findLastIndex((state) => state !== 'settled');
  }

  /** Whether the number lies between its first and its last, settled or not. */
  spans(seq: number): boolean {
    return seq >= this.first && seq < this.first + this.#states.length;
  }

  /** Whether it holds the update, and that is not settled. */
  has(seq: number): boolean {
    return this.stateOf(seq) !== 'settled';
  }

  /** Settled, too, where it is not in here. */
  stateOf(seq: number): LoggedState {
    return this.#states[seq - this.first] ?? 'settled';
  }

  /** To be called with one that it has. */
  become(seq: number, state: LoggedState): void {
    this.#states[seq - this.first] = state;
    if (state === 'settled') this.#size--;
  }

  #numbers(wanted: (state: LoggedState) => boolean): readonly number[] {
    return this.#states.flatMap((state, turn) => (wanted(state) ? [this.first + turn] : []));
  }
}
