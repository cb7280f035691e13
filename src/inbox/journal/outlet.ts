/** Hands items on in their order, a limited number in each turn of the event loop; never in the turn of the call. */

export class Outlet<T> {
  readonly #deliver: (items: readonly T[]) => void;
  readonly #itemsATurn: number;
  #waiting: T[] = [];
  readonly #emptied: (() => void)[] = [];

  constructor(deliver: (items: readonly T[]) => void, itemsATurn: number) {
    this.#deliver = deliver;
    this.#itemsATurn = itemsATurn;
  }

  push(items: readonly T[]): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#turn());
    this.#waiting.push(...items);
  }

  /** Resolves once nothing waits to be handed on. */
  emptied(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** What still waits is not handed on any more. */
  close(): void {
    this.#waiting = [];
    this.#tellEmptied();
  }

  #turn(): void {
    if (this.#waiting.length === 0) return;
    const items = this.#waiting.slice(0, this.#itemsATurn);
    this.#waiting = this.#waiting.slice(this.#itemsATurn);
    this.#deliver(items);
    if (this.#waiting.length > 0) setImmediate(() => this.#turn());
    else this.#tellEmptied();
  }

  #tellEmptied(): void {
    for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
