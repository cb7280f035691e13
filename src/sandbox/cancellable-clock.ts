/** A clock whose pending timers can all be cancelled, so that a closed sandbox does not keep its process alive. */
import type { Clock } from '../clock.js';

export class CancellableClock implements Clock {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }

  after(ms: number, callback: () => void): () => void {
    const cancelTimer = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    const cancel = () => {
      this.#cancels.delete(cancel);
      cancelTimer();
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  /** Cancels all pending timers of `after`. Sleeps are not affected: they end with their own signals. */
  cancelAll(): void {
    for (const cancel of [...this.#cancels]) cancel();
  }
}
