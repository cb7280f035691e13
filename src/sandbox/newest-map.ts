/**
 * A map that keeps its newest entries. It forgets half of its entries at once: taking the oldest out of a `Map`, one by
 * one, would pass all those that were taken out before.
 */
export class NewestMap<Key, Value> {
  readonly #limit: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** Keeps between `limit` and twice as many of the newest entries. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** Sets an entry, which then is the newest. */
  set(key: Key, value: Value): void {
    this.#older.delete(key);
    this.#newer.delete(key);
    this.#newer.set(key, value);
    if (this.#newer.size < this.#limit) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  /** The values, oldest first. */
  values(): readonly Value[] {
    return [...this.#older.values(), ...this.#newer.values()];
  }
}
