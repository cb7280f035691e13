/**
 * The ids that Telegram may send a second time: accepted, and as far as is known not yet passed by an offset that it has
 * answered. Whether they have settled meanwhile does not matter. Behind that an equal id is another update: after a
 * silence Telegram may begin anew anywhere.
 */

/** Telegram keeps updates for a day; what is older it cannot send again. */
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

/** Ids that have come together. */
export interface Arrival {
  /** Milliseconds since 1970, as all times here. */
  readonly atMs: number;
  readonly ids: readonly number[];
}

export class RecentIds {
  /** Hardly ever more than one: with each poll that is answered Telegram forgets those of the one before. */
  #arrivals: (Arrival & { readonly highest: number })[] = [];

  /** All that is known, so that another can go on. */
  get arrivals(): readonly Arrival[] {
    return this.#arrivals.map(({ atMs, ids }) => ({ atMs, ids }));
  }

  has(id: number): boolean {
    return this.#arrivals.some(({ ids, highest }) => id <= highest && ids.includes(id));
  }

  /** The places of those that have not come before, nor earlier among these. */
  placesOfNew(ids: readonly number[]): readonly number[] {
    const places: number[] = [];
    let highest = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < ids.length; place++) {
      const id = ids[place] ?? 0;
      // Telegram gives them in ascending order.
      const mayRepeat = id <= highest && ids.indexOf(id) < place;
      if (id > highest) highest = id;
      if (!mayRepeat && (this.#arrivals.length === 0 || !this.has(id))) places.push(place);
    }
    return places;
  }

  add({ atMs, ids }: Arrival): void {
    if (ids.length > 0) this.#arrivals.push({ atMs, ids, highest: Math.max(...ids) });
  }

  /** Telegram has answered a poll from this offset: it has forgotten all below. */
  passed(offset: number): void {
    this.#arrivals = this.#arrivals
      .filter(({ highest }) => highest >= offset)
      .map((arrival) => ({ ...arrival, ids: arrival.ids.filter((id) => id >= offset) }));
  }

  expire(nowMs: number): void {
    this.#arrivals = this.#arrivals.filter(({ atMs }) => nowMs - atMs <= KEPT_FOR_MS);
  }
}
