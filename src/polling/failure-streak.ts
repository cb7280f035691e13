/** Counts the consecutive failures of one call, and how long each class of failure has lasted. */
import type { Clock } from '../clock.js';
import type { FailureClass } from './failure.js';

/** Each call gets a new streak, so that a success need not reset anything. */
export class FailureStreak {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #classes = new Map<FailureClass, { readonly since: number; readonly failures: number }>();
  #newest: FailureClass | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  get failures(): number {
    return [...this.#classes.values()].reduce((sum, { failures }) => sum + failures, 0);
  }

  /** Milliseconds since the first attempt of the call began. */
  get gapMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  has(failureClass: FailureClass): boolean {
    return this.#classes.has(failureClass);
  }

  /** `earlier` counts the previous failures of the class; `lastedMs` is how long the class has failed without others. */
  record(failureClass: FailureClass): { readonly earlier: number; readonly lastedMs: number } {
    const now = this.#clock.now();
    const { since, failures } = this.#classes.get(failureClass) ?? { since: now, failures: 0 };
    // A class that failed before and after another class has not lasted through the other.
    const begunAt = this.#newest === failureClass ? since : now;
    this.#newest = failureClass;
    this.#classes.set(failureClass, { since: begunAt, failures: failures + 1 });
    return { earlier: failures, lastedMs: now - begunAt };
  }
}
