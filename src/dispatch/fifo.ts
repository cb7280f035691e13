/** A queue as a linked list: adding and taking cost the same whether ten wait or a hundred thousand. */

interface Link<T> {
  readonly value: T;
  next: Link<T> | undefined;
}

export class Fifo<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get first(): T | undefined {
    return this.#first?.value;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  push(value: T): void {
    const link: Link<T> = { value, next: undefined };
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
  }

  shift(): T | undefined {
    const link = this.#first;
    if (!link) return undefined;
    this.#first = link.next;
    if (!this.#first) this.#last = undefined;
    // Else a link that has got old, though nobody holds it, keeps all that ever came after it until a full collection.
    link.next = undefined;
    return link.value;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let link = this.#first; link; link = link.next) yield link.value;
  }
}
