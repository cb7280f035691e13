/** Counts the consecutive failures of one call, and how long each class of failure has lasted. */
import type { Clock } from '../clock.js';
import type { FailureClass } from './failure.js';

/** So many failures of a class are told one by one, then one of them every so often: an outage may last for days. */
const TOLD_ONE_BY_ONE = 5;
const TOLD_EVERY_MS = 30_000;

/** Each call gets a new streak, so that a success need not reset anything. */
export class FailureStreak {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #classes = new Map<FailureClass, { readonly since: number; readonly failures: number }>();
  #newest: FailureClass | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

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

  /** Whether the failure that was recorded last is to be told; asked once for each. */
  isToBeTold(): boolean {
    const now = this.#clock.now();
    const { failures } = (this.#newest && this.#classes.get(this.#newest)) ?? { failures: 0 };
    if (failures > TOLD_ONE_BY_ONE && now - this.#toldAt < TOLD_EVERY_MS) return false;
    this.#toldAt = now;
    return true;
  }
}
