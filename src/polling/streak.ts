/**
 * The failures in a row behind one question to Telegram: how many, since when, and how long each class of them
 * has lasted. A new question starts a new one, so a success needs to reset nothing.
 */
import type { Clock } from '../clock.js';
import { Backoff } from './backoff.js';
import type { FailureClass, FailurePolicies } from './failure.js';

/** What the streak knows about the class of the failure just noted. */
export interface Noted {
  /** The first of its class in this row. */
  readonly first: boolean;
  /** Milliseconds since the first of its class with no other in between (0 for that one). */
  readonly lastedMs: number;
  readonly backoff: Backoff;
}

export class Streak {
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

  /** Since the first call of the row began. */
  get gapMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  has(failureClass: FailureClass): boolean {
    return this.#classes.has(failureClass);
  }

  note(failureClass: FailureClass): Noted {
    this.#failures++;
    const now = this.#clock.now();
    const before = this.#classes.get(failureClass);
    // What lies on both sides of an outage has not lasted through it.
    const since = before && this.#newest === failureClass ? before.since : now;
    this.#newest = failureClass;
    const backoff = before?.backoff.next() ?? new Backoff(this.#policies[failureClass].backoff);
    this.#classes.set(failureClass, { since, backoff });
    return { first: !before, lastedMs: now - since, backoff };
  }
}
