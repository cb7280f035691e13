/**
 * The batches of which something is not settled, by their numbers. They stand on shelves of limited length, so that to
 * take one out costs little, however many there are: a slow trickle makes one of each update.
 */
import type { Batch } from './batch.js';

const LONGEST_SHELF = 512;

export class Batches {
  /** None is empty. */
  readonly #shelves: Batch[][] = [];
  /** Those of one batch are mostly asked for in a row. */
  #lastFound: Batch | undefined;

  /** All of them, in order of arrival. */
  *[Symbol.iterator](): Generator<Batch> {
    for (const shelf of this.#shelves) yield* shelf;
  }

  /** The last one that does not begin behind this number. */
  upTo(seq: number): Batch | undefined {
    if (this.#lastFound?.spans(seq)) return this.#lastFound;
    const shelf = this.#shelves[this.#shelfOf(seq)];
    this.#lastFound = shelf?.[placeOn(shelf, seq)];
    return this.#lastFound;
  }

  /** The first one with something from this number on. */
  from(seq: number): Batch | undefined {
    const index = this.#shelfOf(seq);
    const shelf = this.#shelves[index] ?? [];
    const place = placeOn(shelf, seq);
    const batch = shelf[place];
    if (batch && batch.last >= seq) return batch;
    return shelf[place + 1] ?? this.#shelves[index + 1]?.[0];
  }

  add(batch: Batch): void {
    const seq = batch.first;
    const index = Math.max(0, this.#shelfOf(seq));
    const shelf = this.#shelves[index];
    if (!shelf) {
      this.#shelves.push([batch]);
      return;
    }
    const place = placeOn(shelf, seq) + 1;
    if (shelf.length < LONGEST_SHELF) shelf.splice(place, 0, batch);
    else this.#shelves.splice(index + 1, 0, [batch, ...shelf.splice(place)]);
  }

  remove(batch: Batch): void {
    if (this.#lastFound === batch) this.#lastFound = undefined;
    const index = this.#shelfOf(batch.first);
    const shelf = this.#shelves[index];
    shelf?.splice(placeOn(shelf, batch.first), 1);
    if (shelf?.length === 0) this.#shelves.splice(index, 1);
  }

  #shelfOf(seq: number): number {
    return lastUpTo(this.#shelves.length, (index) => firstOf(this.#shelves[index]?.[0]) <= seq);
  }
}

const firstOf = (batch: Batch | undefined): number => batch?.first ?? 0;

const placeOn = (shelf: readonly Batch[], seq: number): number =>
  lastUpTo(shelf.length, (index) => firstOf(shelf[index]) <= seq);

/** The last index for which it holds, where it holds for all before; -1 where it never does. */
function lastUpTo(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
