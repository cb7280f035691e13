/** Numbers that wait, first in, first out, in as little memory as numbers need. */

/** Below this, what was taken is not worth clearing away. */
const LEAST_CLEARED = 64;

import type { Seq } from '../ids.js';

export class Aside {
  #numbers: Seq[] = [];
  #taken = 0;

  get size(): number {
    return this.#numbers.length - this.#taken;
  }

  get first(): Seq | undefined {
    return this.#numbers[this.#taken];
  }

  push(number: Seq): void {
    this.#numbers.push(number);
  }

  /** The next ones, at most so many. */
  peek(count: number): Seq[] {
    return this.#numbers.slice(this.#taken, this.#taken + count);
  }

  shift(): void {
    this.#taken++;
    // Half of it at a time, so that each number is moved once at most.
    if (this.#taken < LEAST_CLEARED || this.#taken * 2 < this.#numbers.length) return;
    this.#numbers = this.#numbers.slice(this.#taken);
    this.#taken = 0;
  }
}
