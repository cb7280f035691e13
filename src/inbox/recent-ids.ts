/**
 * The ids that Telegram may send again: of updates that were accepted, and that Telegram is not known to have
 * forgotten. Whether they are settled does not matter. Once Telegram has forgotten an id, an equal one is another
 * update: after a silence Telegram may begin anew with any number.
 */
import { type UpdateId, updateId } from './ids.js';

/** Telegram keeps updates for a day and cannot send older ones again. */
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

/** Ids that arrived together. */
export interface Arrival {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly ids: readonly UpdateId[];
}

export class RecentIds {
  /** Rarely more than one: with each poll that it answers, Telegram forgets the updates of the one before. */
  #arrivals: (Arrival & { readonly highest: UpdateId })[] = [];

  /** All recent ids, the oldest first. */
  get arrivals(): readonly Arrival[] {
    return this.#arrivals.map(({ atMs, ids }) => ({ atMs, ids }));
  }

  has(id: UpdateId): boolean {
    return this.#arrivals.some(({ ids, highest }) => id <= highest && ids.includes(id));
  }

  /** The indexes of the ids that are not recent and do not stand earlier in the same list. */
  indexesOfNew(ids: readonly UpdateId[]): readonly number[] {
    const indexes: number[] = [];
    let highest = Number.NEGATIVE_INFINITY;
    for (const [index, id] of ids.entries()) {
      // Telegram sends ids in ascending order, so the list rarely has to be searched.
      const repeats = id <= highest && ids.indexOf(id) < index;
      highest = Math.max(highest, id);
      if (!repeats && !this.has(id)) indexes.push(index);
    }
    return indexes;
  }

  add({ atMs, ids }: Arrival): void {
    if (ids.length === 0) return;
    const highest = updateId(Math.max(...ids));
    this.#arrivals.push({ atMs, ids, highest });
  }

  /** Removes the ids below an offset that Telegram has answered a poll from: it has forgotten their updates. */
  confirm(offset: UpdateId): void {
    this.#arrivals = this.#arrivals
      .filter(({ highest }) => highest >= offset)
      .map((arrival) => ({ ...arrival, ids: arrival.ids.filter((id) => id >= offset) }));
  }

  /**
   * Removes the ids that Telegram has forgotten because of their age.
   *
   * @param ageOf how long ago a time was that the system's clock has told, in milliseconds
   */
  expire(ageOf: (atMs: number) => number): void {
    this.#arrivals = this.#arrivals.filter(({ atMs }) => ageOf(atMs) <= KEPT_FOR_MS);
  }
}
