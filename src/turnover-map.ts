/**
 * A Map whose entries come and go all the time. V8 links the table that a Map has outgrown to the next one. Once such a
 * table has got old, though nobody needs it any more, it keeps all that follow it, with what was in them, until a full
 * collection. Moving to a new Map now and then ends the chain: with four Maps on an update's way that was a third of
 * what garbage collection took (Node 20).
 */
export class TurnoverMap<K, V> {
  #map = new Map<K, V>();
  /** How many were deleted since the last move. */
  #deleted = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  /** Iterators that were made before may see nothing of this, nor of what is deleted later. */
  set(key: K, value: V): void {
    if (this.#deleted > FEWEST && this.#deleted > this.#map.size) {
      this.#map = new Map(this.#map);
      this.#deleted = 0;
    }
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    const found = this.#map.delete(key);
    if (found) this.#deleted++;
    return found;
  }

  clear(): void {
    this.#map = new Map();
    this.#deleted = 0;
  }

  keys(): Iterable<K> {
    return this.#map.keys();
  }

  values(): Iterable<V> {
    return this.#map.values();
  }

  entries(): Iterable<readonly [K, V]> {
    return this.#map.entries();
  }
}

/** Deletions that are worth a move: so many that moving costs each of them next to nothing. */
const FEWEST = 256;
