/**
 * A sorted list in chunks of limited length, so that adding and removing cost little however long it is: when updates
 * come one by one, each makes a batch.
 */
const MAX_CHUNK_LENGTH = 512;

export class SortedList<T> {
  readonly #keyOf: (element: T) => number;
  /** Sorted; no chunk is empty. */
  readonly #chunks: T[][] = [];

  /** @param keyOf returns what the list is sorted by; an element's key must not change while it is in the list */
  constructor(keyOf: (element: T) => number) {
    this.#keyOf = keyOf;
  }

  /** Iterates over all elements in their order. */
  *[Symbol.iterator](): Generator<T> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  get first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  /** The last element with this key or a lower one. */
  upTo(key: number): T | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    return chunk?.[this.#indexIn(chunk, key)];
  }

  /** The first element with a higher key. */
  after(key: number): T | undefined {
    const chunkIndex = this.#chunkOf(key);
    const chunk = this.#chunks[chunkIndex] ?? [];
    return chunk[this.#indexIn(chunk, key) + 1] ?? this.#chunks[chunkIndex + 1]?.[0];
  }

  add(element: T): void {
    const key = this.#keyOf(element);
    const chunkIndex = Math.max(0, this.#chunkOf(key));
    const chunk = this.#chunks[chunkIndex];
    if (!chunk) {
      this.#chunks.push([element]);
      return;
    }
    const index = this.#indexIn(chunk, key) + 1;
    if (chunk.length < MAX_CHUNK_LENGTH) chunk.splice(index, 0, element);
    else if (index === 0) this.#chunks.splice(chunkIndex, 0, [element]);
    else this.#chunks.splice(chunkIndex + 1, 0, [element, ...chunk.splice(index)]);
  }

  /** Removes the element with the key of this one. */
  remove(element: T): void {
    const key = this.#keyOf(element);
    const chunkIndex = this.#chunkOf(key);
    const chunk = this.#chunks[chunkIndex];
    chunk?.splice(this.#indexIn(chunk, key), 1);
    if (chunk?.length === 0) this.#chunks.splice(chunkIndex, 1);
  }

  /** The index of the chunk to which the key belongs; -1 if it comes before all. */
  #chunkOf(key: number): number {
    return lastIndexUpTo(this.#chunks, key, ([first]) => first && this.#keyOf(first));
  }

  #indexIn(chunk: readonly T[], key: number): number {
    return lastIndexUpTo(chunk, key, this.#keyOf);
  }
}

/** Binary search: the last index of a sorted list whose key is this one or lower, or -1. */
function lastIndexUpTo<T>(
  list: readonly T[],
  key: number,
  keyOf: (element: T) => number | undefined,
): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = list[middle];
    const found = element === undefined ? undefined : keyOf(element);
    if (found !== undefined && found <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
