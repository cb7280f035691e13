/** Deadlines of steps, which can move while the step runs. */
import type { Clock } from '../clock.js';

/** The time by which a step must have ended. A second stop signal moves it closer. */
export interface Deadline {
  /** Milliseconds of the lifecycle's clock; `Infinity` if the step has no limit. */
  readonly at: number;
  /** Returns the milliseconds left, 0 once the deadline has passed. */
  remainingMs(): number;
}

/** A deadline that calls back when it is reached. Has at most one timer, and none after `cancel()`. */
export class DeadlineTimer implements Deadline {
  readonly #clock: Clock;
  #at = Number.POSITIVE_INFINITY;
  #cancelTimer = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get at(): number {
    return this.#at;
  }

  remainingMs(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  set(ms: number, onReached: () => void): void {
    this.cancel();
    this.#at = this.#clock.now() + ms;
    this.#cancelTimer = this.#clock.after(ms, onReached);
  }

  cancel(): void {
    this.#cancelTimer();
  }
}
