/** A clock that counts its pending timers, so that they can be told from those of the program that shares the process. */
import type { Clock } from './clock.js';

export class CountedClock implements Clock {
  readonly #source: Clock;
  #pending = 0;

  constructor(source: Clock) {
    this.#source = source;
  }

  /** The number of timers that wait. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#source.now();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#pending++;
    try {
      await this.#source.sleep(ms, signal);
    } finally {
      this.#pending--;
    }
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    let isPending = true;
    const end = () => {
      if (isPending) this.#pending--;
      isPending = false;
    };
    this.#pending++;
    const cancel = this.#source.after(ms, () => {
      end();
      callback();
    });
    return () => {
      end();
      cancel();
    };
  }
}
