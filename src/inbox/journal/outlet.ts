/** Hands items on in their order, a limited number in each turn of the event loop; never in the turn of the call. */

export class Outlet<T> {
  readonly #deliver: (items: readonly T[]) => void;
  readonly #itemsATurn: number;
  #waiting: T[] = [];
  #scheduled = false;
  readonly #emptied: (() => void)[] = [];

  constructor(deliver: (items: readonly T[]) => void, itemsATurn: number) {
    this.#deliver = deliver;
    this.#itemsATurn = itemsATurn;
  }

  push(items: readonly T[]): void {
    this.#waiting.push(...items);
    this.#schedule();
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

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const items = this.#waiting.slice(0, this.#itemsATurn);
    this.#waiting = this.#waiting.slice(this.#itemsATurn);
    if (items.length > 0) this.#deliver(items);
    this.#schedule();
    if (this.#waiting.length === 0) this.#tellEmptied();
  }

  #tellEmptied(): void {
    for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
