/** Repeats a call until Telegram answers, and handles each failure by the table of failure policies (failure.ts). */
import type { Clock } from '../clock.js';
import { type BackoffShape, backoffMs } from './backoff.js';
import type { ApiAnswer, CallOptions } from './bot-api.js';
import { ConflictTracker } from './conflict-tracker.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure, type FailurePolicies, fatalError } from './failure.js';
import { FailureStreak } from './failure-streak.js';

export interface RetryingCallerOptions {
  readonly policies: FailurePolicies;
  /** A conflict is over when no 409 came for longer than this. */
  readonly conflictOverAfterMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: PollingEvent) => void;
  /** Called with each answer, and each failure to get one. */
  readonly answered: (answer: ApiAnswer<unknown>) => void;
  /** Aborting ends every call and every wait at once. */
  readonly signal: AbortSignal;
}

/** Resolves when the call may be repeated; rejects if the failure ends the run. */
export type FailureHandler = (failure: Failure, streak: FailureStreak) => Promise<void>;

export class RetryingCaller {
  readonly #options: RetryingCallerOptions;
  readonly #conflicts: ConflictTracker;
  /** Whether no poll has succeeded yet. */
  atStart = true;
  /** Whether Telegram has ever taken the token for valid. */
  tokenWasValid = false;
  /** The latest time at which the current step ends, in the clock's milliseconds. */
  latestEnd = Number.POSITIVE_INFINITY;

  constructor(options: RetryingCallerOptions) {
    this.#options = options;
    this.#conflicts = new ConflictTracker(options.clock, options.conflictOverAfterMs);
  }

  /** Resolves with the answer. Rejects with the reason of the signal, or with a LastcallError that ends the run. */
  async call<T>(
    attempt: (streak: FailureStreak) => Promise<ApiAnswer<T>>,
    onFailure: FailureHandler = (failure, streak) => this.waitOrGiveUp(failure, streak),
  ): Promise<T> {
    const { clock, emit, answered, signal } = this.#options;
    const streak = new FailureStreak(clock);
    for (;;) {
      signal.throwIfAborted();
      const answer = await attempt(streak);
      answered(answer);
      if (answer.kind === 'ok') {
        const { gapMs, failures } = streak;
        if (failures > 0) emit({ event: 'poll.recovered', gapMs: Math.round(gapMs), failures });
        return answer.result;
      }
      await onFailure(classify(answer), streak);
    }
  }

  /** Reports the failure, and waits as its policy says. Rejects when the patience of the policy is over. */
  async waitOrGiveUp(failure: Failure, streak: FailureStreak): Promise<void> {
    const { policies, emit } = this.#options;
    const { delayMs, lastedMs, isNewConflict } = this.#record(failure, streak);
    const { patience } = policies[failure.class];
    const patienceMs = patience && ((this.tokenWasValid ? undefined : patience.untilValidMs) ?? patience.ms);
    const patienceLeftMs = (patienceMs ?? Number.POSITIVE_INFINITY) - lastedMs;
    if (patience && patienceLeftMs <= 0) throw fatalError(failure, patience.code, lastedMs);

    const waitMs = failure.class === 'rate-limited' ? failure.retryAfterSeconds * 1000 : delayMs;
    // The last attempt is made when the patience ends, not later.
    const retryInMs = Math.min(waitMs, patienceLeftMs);
    // Only the first 409 of a conflict is reported, and few failures of a long outage, because the others would fill the log.
    if (failure.class === 'conflict' ? isNewConflict : failure.class !== 'unreachable' || streak.isToBeTold())
      emit(failureEvent(failure, { patienceLeftMs, retryInMs, attempt: streak.failures }));
    await this.sleep(retryInMs);
  }

  /** Waits as the policy of the failure says, without an event, whether or not the patience is over. */
  async backOff(failure: Failure, streak: FailureStreak): Promise<void> {
    await this.sleep(this.#record(failure, streak).delayMs);
  }

  /** Returns the options of a call that begins now, and keeps `latestEnd` at the end of the stage that the call is in. */
  optionsOf(answerWithinMs: number): CallOptions {
    const { clock, signal } = this.#options;
    const alive = (ms: number) => {
      this.latestEnd = clock.now() + ms;
    };
    alive(answerWithinMs);
    return { signal, answerWithinMs, alive };
  }

  async sleep(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { clock, signal } = this.#options;
    this.latestEnd = clock.now() + ms;
    await clock.sleep(ms, signal);
  }

  #record(failure: Failure, streak: FailureStreak) {
    const { policies, random } = this.#options;
    const { earlier, lastedMs } = streak.record(failure.class);
    const delayMs = backoffMs(backoffAfter(failure, policies), earlier, random());
    if (failure.class === 'conflict') return { delayMs, ...this.#conflicts.record() };
    this.#conflicts.interrupt();
    return { delayMs, lastedMs, isNewConflict: false };
  }
}

function backoffAfter(failure: Failure, policies: FailurePolicies): BackoffShape {
  const { backoff, backoffIfAnswered = backoff } = policies[failure.class];
  return failure.class === 'unreachable' && failure.isAnswered ? backoffIfAnswered : backoff;
}

function failureEvent(
  failure: Failure,
  step: { patienceLeftMs: number; retryInMs: number; attempt: number },
): PollingEvent {
  const { detail } = failure;
  const { attempt } = step;
  const retryInMs = Math.round(step.retryInMs);
  const patienceLeftMs = Math.round(step.patienceLeftMs);
  switch (failure.class) {
    case 'unreachable':
    case 'token-refused':
      return { event: 'poll.failed', class: failure.class, detail, retryInMs, attempt };
    case 'rate-limited':
      return { event: 'poll.rate-limited', retryAfterSeconds: failure.retryAfterSeconds };
    case 'conflict':
      return { event: 'poll.conflict', by: failure.by, detail, patienceLeftMs };
    case 'rejected':
      return { event: 'poll.rejected', detail, retryInMs, patienceLeftMs, attempt };
  }
}
