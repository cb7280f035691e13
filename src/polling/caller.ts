/**
 * Puts a question to Telegram until it is answered, doing about each failure what the table of failures says.
 * Every wait in it ends as soon as the signal aborts.
 */
import type { Clock } from '../clock.js';
import type { ApiAnswer, CallOptions } from './bot-api.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure, type FailureClass, type FailurePolicies, fatal } from './failure.js';
import { Rivalry } from './rivalry.js';
import { type Noted, Streak } from './streak.js';

export interface CallerOptions {
  readonly policies: FailurePolicies;
  /** A fight with a rival is over when no conflict came for longer. */
  readonly conflictOverAfterMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: PollingEvent) => void;
  readonly signal: AbortSignal;
}

/** What is done about a failure before the call is tried again; rejects where that ends the run. */
export type Meet = (failure: Failure, streak: Streak) => Promise<void>;

export class Caller {
  readonly #options: CallerOptions;
  readonly #rivalry: Rivalry;
  /** Until the first poll has succeeded. */
  atStart = true;
  /** When the step at work ends at the latest, in the clock's milliseconds. */
  latestEnd = Number.POSITIVE_INFINITY;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#rivalry = new Rivalry(options.clock, options.conflictOverAfterMs);
  }

  /**
   * Resolves with Telegram's answer, however long that takes. Rejects with the signal's reason when that aborts, and
   * with a LastcallError where a failure ends the run.
   */
  async ask<T>(
    call: (streak: Streak) => Promise<ApiAnswer<T>>,
    meet: Meet = (failure, streak) => this.bear(failure, streak),
  ): Promise<T> {
    const { policies, clock, emit, signal } = this.#options;
    const streak = new Streak(clock, policies);
    for (;;) {
      signal.throwIfAborted();
      const answer = await call(streak);
      if (answer.kind === 'ok') {
        const { gapMs, failures } = streak;
        if (failures > 0) emit({ event: 'poll.recovered', gapMs: Math.round(gapMs), failures });
        return answer.result;
      }
      await meet(classify(answer), streak);
    }
  }

  /** Tells of a failure and waits as its row of the table says; rejects when the patience with it is over. */
  async bear(failure: Failure, streak: Streak): Promise<void> {
    const { policies, random, emit } = this.#options;
    const { first, lastedMs, backoff } = this.#note(failure.class, streak);
    const { ends } = policies[failure.class];
    const patienceMs = ends && ((this.atStart ? ends.atStartAfterMs : undefined) ?? ends.afterMs);
    const patienceLeftMs = (patienceMs ?? Number.POSITIVE_INFINITY) - lastedMs;
    if (ends && patienceLeftMs <= 0) throw fatal(failure, ends.code, lastedMs);

    const waitMs =
      failure.class === 'rate-limited' ? failure.retryAfterSeconds * 1000 : backoff.delayMs(random());
    // The last try falls on the end of the patience, not behind it.
    const retryInMs = Math.min(waitMs, patienceLeftMs);
    const event = eventOf(failure, { first, patienceLeftMs, retryInMs, attempt: streak.failures });
    if (event) emit(event);
    await this.sleep(retryInMs);
  }

  /** Waits as the row of the class says, without telling of it and without an end to the patience. */
  async backOff(failureClass: FailureClass, streak: Streak): Promise<void> {
    await this.sleep(this.#note(failureClass, streak).backoff.delayMs(this.#options.random()));
  }

  /** The options of a call that must have ended after `timeoutMs`. */
  within(timeoutMs: number): CallOptions {
    const { clock, signal } = this.#options;
    this.latestEnd = clock.now() + timeoutMs;
    return { signal, timeoutMs };
  }

  async sleep(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { clock, signal } = this.#options;
    this.latestEnd = clock.now() + ms;
    await clock.sleep(ms, signal);
  }

  #note(failureClass: FailureClass, streak: Streak): Noted {
    const noted = streak.note(failureClass);
    if (failureClass === 'conflict') return { ...noted, ...this.#rivalry.note() };
    this.#rivalry.interrupt();
    return noted;
  }
}

/** What is told of a failure; a conflict only once in a fight, it would fill the log. */
function eventOf(
  failure: Failure,
  step: { first: boolean; patienceLeftMs: number; retryInMs: number; attempt: number },
): PollingEvent | undefined {
  const { detail } = failure;
  const { first, attempt } = step;
  const retryInMs = Math.round(step.retryInMs);
  const patienceLeftMs = Math.round(step.patienceLeftMs);
  switch (failure.class) {
    case 'unreachable':
    case 'token-refused':
      return { event: 'poll.failed', class: failure.class, detail, retryInMs, attempt };
    case 'rate-limited':
      return { event: 'poll.rate-limited', retryAfterSeconds: failure.retryAfterSeconds };
    case 'conflict':
      return first ? { event: 'poll.conflict', by: failure.by, detail, patienceLeftMs } : undefined;
    case 'rejected':
      return { event: 'poll.rejected', detail, retryInMs, patienceLeftMs, attempt };
  }
}
