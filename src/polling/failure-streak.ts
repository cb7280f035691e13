/** Counts the consecutive failures of one call, and how long each class of failure has lasted. */
import type { Clock } from '../clock.js';
import { Backoff } from './backoff.js';
import type { FailureClass, FailurePolicies } from './failure.js';

export interface RecordedFailure {
  /** Whether the failure is the first of its class in the streak. */
  readonly isFirst: boolean;
  /** Milliseconds since the first failure of the class with no other class in between; 0 for the first. */
  readonly lastedMs: number;
  readonly backoff: Backoff;
}

/** Each call has a streak of its own, so that a success need not reset anything. */
export class FailureStreak {
  readonly #clock: Clock;
  readonly #policies: FailurePolicies;
  readonly #startedAt: number;
  readonly #classes = new Map<FailureClass, { readonly since: number; readonly backoff: Backoff }>();
  #newest: FailureClass | undefined;
  #failures = 0;

  constructor(clock: Clock, policies: FailurePolicies) {
    this.#clock = clock;
    this.#policies = policies;
    this.#startedAt = clock.now();
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds since the first attempt of the call began. */
  get gapMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  has(failureClass: FailureClass): boolean {
    return this.#classes.has(failureClass);
  }

  record(failureClass: FailureClass): RecordedFailure {
    this.#failures++;
    const now = this.#clock.now();
    const previous = this.#classes.get(failureClass);
    // A class that failed before and after an outage has not lasted through the outage.
    const since = previous && this.#newest === failureClass ? previous.since : now;
    this.#newest = failureClass;
    const backoff = previous?.backoff.next() ?? new Backoff(this.#policies[failureClass].backoff);
    this.#classes.set(failureClass, { since, backoff });
    return { isFirst: !previous, lastedMs: now - since, backoff };
  }
}
