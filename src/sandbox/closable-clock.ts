/**
 * A clock whose timers all end at once, so that nothing of a closed sandbox keeps its process alive.
 */
import type { Clock } from '../clock.js';

export class ClosableClock implements Clock {
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

  /** Cancels every timer that still waits. Sleeps end with their own signals. */
  close(): void {
    for (const cancel of [...this.#cancels]) cancel();
  }
}
