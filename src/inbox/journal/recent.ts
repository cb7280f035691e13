/**
 * The ids that Telegram may send a second time: accepted, and as far as is known not yet passed by an offset that it has
 * answered. Whether they have settled meanwhile does not matter. Behind that an equal id is another update: after a
 * silence Telegram may begin anew anywhere.
 */
import { TurnoverMap } from '../../turnover-map.js';

/** Telegram keeps updates for a day; what is older it cannot send again. */
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

export class RecentIds {
  readonly #arrivals = new TurnoverMap<number, number>();

  has(id: number): boolean {
    return this.#arrivals.has(id);
  }

  /** @param atMs milliseconds since 1970, as all times here */
  add(id: number, atMs: number): void {
    this.#arrivals.set(id, atMs);
  }

  /** Telegram has answered a poll from this offset: it has forgotten all below. */
  passed(offset: number): void {
    for (const id of this.#arrivals.keys()) if (id < offset) this.#arrivals.delete(id);
  }

  expire(nowMs: number): void {
    for (const [id, atMs] of this.#arrivals.entries())
      if (nowMs - atMs > KEPT_FOR_MS) this.#arrivals.delete(id);
  }

  entries(): [id: number, atMs: number][] {
    return [...this.#arrivals.entries()].map(([id, atMs]) => [id, atMs]);
  }
}
