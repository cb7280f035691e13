/** A queue in an array: adding and taking cost the same whether ten wait or a hundred thousand. */

/** Below this, what was taken is not worth clearing away. */
const LEAST_CLEARED = 64;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    // Half of it at a time, so that each item is moved once at most.
    if (this.#taken >= LEAST_CLEARED && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const item of this.#items) if (item !== undefined) yield item;
  }
}
