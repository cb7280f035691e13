/** A queue in an array: adding and taking cost the same whether ten items wait or a hundred thousand. */

/** The array is not cleared for fewer taken items than this. */
const LEAST_CLEARED = 64;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #taken = 0;

  get size(): number {
    return this.#items.length - this.#taken;
  }

  get first(): T | undefined {
    return this.#items[this.#taken];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#taken > 0) this.#items[--this.#taken] = item;
    else this.#items.unshift(item);
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    // Clearing half of the array at a time moves each item once at most.
    if (this.#taken >= LEAST_CLEARED && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** The next items, at most `count` of them, without taking them. */
  peek(count: number): T[] {
    return this.#items.slice(this.#taken, this.#taken + count).filter((item) => item !== undefined);
  }
}
