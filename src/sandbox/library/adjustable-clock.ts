/** A clock that runs with the system's, and can be put ahead. */
import timers from 'node:timers';
import { onAbort } from '../../abort.js';
import { type Clock, systemClock } from '../../clock.js';

// Kept, since a test may put fake timers in their place.
const { setImmediate } = timers;

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
  cancel: () => void;
}

export class AdjustableClock implements Clock {
  readonly #base: Clock;
  readonly #timers = new Set<Timer>();
  #aheadMs = 0;

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#aheadMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stopListening = signal
        ? onAbort(signal, () => {
            cancel();
            reject(signal.reason);
          })
        : () => {};
      const cancel = this.after(ms, () => {
        stopListening();
        resolve();
      });
    });
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer: Timer = { dueMs: this.now() + ms, callback, cancel: () => {} };
    this.#timers.add(timer);
    this.#schedule(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  /** Puts the clock ahead. What is due meanwhile happens in the order of its time, with the time to have its effects. */
  async advance(ms: number): Promise<void> {
    const endMs = this.now() + ms;
    for (let next = this.#firstUntil(endMs); next; next = this.#firstUntil(endMs)) {
      this.#putTo(next.dueMs);
      this.#fire(next);
      await turn();
    }
    this.#putTo(endMs);
    for (const timer of this.#timers) this.#schedule(timer);
    await turn();
  }

  /** Time never goes back: the system's clock has gone on meanwhile. */
  #putTo(ms: number): void {
    this.#aheadMs += Math.max(0, ms - this.now());
  }

  #firstUntil(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.dueMs <= endMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    return first;
  }

  #schedule(timer: Timer): void {
    timer.cancel();
    timer.cancel = this.#base.after(Math.max(0, timer.dueMs - this.now()), () => this.#fire(timer));
  }

  #fire(timer: Timer): void {
    timer.cancel();
    if (this.#timers.delete(timer)) timer.callback();
  }
}

/** Lets what has become due have its effects. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
