/**
 * The loop that fetches updates: ask, hand over, ask again from the offset that was handed back.
 * It knows neither where updates go nor how they are handled, and ends at once when its signal aborts.
 */
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import type { ApiAnswer, BotApi, Me } from './bot-api.js';
import { Caller } from './caller.js';
import { askFor, confirmingOffsets } from './confirm.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure, failurePolicies } from './failure.js';
import { clearTheWay, clearWebhook, greet, type Opening } from './opening.js';
import type { Streak } from './streak.js';

export interface PollerOptions<U extends { readonly update_id: number }, M extends Me = Me> {
  readonly api: BotApi<U, M>;
  /**
   * Takes a batch, never an empty one, and resolves with the offset that may be confirmed, or undefined when that is
   * none beyond the one before. While it is pending nothing is fetched. The poller's signal does not end it; a
   * rejection ends the run.
   */
  readonly accept: (batch: readonly U[]) => Promise<number | undefined>;
  readonly allowedUpdates: readonly string[];
  /** How long Telegram may hold a poll that has nothing to answer: rounded to seconds, at least one. */
  readonly pollTimeoutMs: number;
  readonly conflictPatienceMs: number;
  /** False forbids removing a webhook that is in the way at the start. */
  readonly deleteWebhook: boolean;
  /** Drops what waits at Telegram when the run begins. */
  readonly dropPending: boolean;
  /** The most that the last confirm may add to a stop. */
  readonly confirmTimeoutMs: number;
  /** Called once, as soon as `getMe` has answered. */
  readonly connected?: (me: M) => void;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
  readonly emit: (event: PollingEvent) => void;
}

export interface PollingEnd {
  /** The id of the newest update that Telegram has been told to forget. */
  readonly confirmedUpTo: number | undefined;
  /** How many updates were handed to `accept`. */
  readonly fetched: number;
  /** How many of them are done with, but Telegram could not be told: they come again. */
  readonly unconfirmed: number;
  /** Why polling ended by itself; absent when the signal ended it. */
  readonly error?: LastcallError;
}

/** What a poll that was answered brought. */
interface Polled<U> {
  readonly updates: readonly U[];
  /** The wait before the next poll if this one brought nothing new. */
  readonly pauseMs: number;
}

/** As many as Telegram gives at once. */
const BATCH_LIMIT = 100;

/** What an answer may take beyond the time Telegram is asked to wait: connecting, a slow network, a long body. */
const ANSWER_WITHIN_MS = 10_000;

/** A long poll that brought nothing new is not followed by the next one sooner, however fast it was answered. */
const SHORTEST_ROUND_MS = 1_000;

export class Poller<U extends { readonly update_id: number }, M extends Me = Me> {
  readonly #options: PollerOptions<U, M> & { readonly random: () => number };
  #caller: Caller | undefined;
  /** What the next poll asks for: the offset that `accept` returned last. */
  #offset: number | undefined;
  /** The offset of the newest poll that was answered: below it Telegram has forgotten. */
  #confirmed: number | undefined;
  /** The offset of the newest poll, answered or not. */
  #asked: number | undefined;
  #fetched = 0;
  /** How many updates of the last batch lie below `#offset`; those of earlier ones are confirmed. */
  #forgettable = 0;

  constructor(options: PollerOptions<U, M>) {
    this.#options = { random: Math.random, ...options };
  }

  /**
   * When the step at work ends at the latest, in the clock's milliseconds: a watchdog that finds it passed knows that
   * polling hangs. Infinite before and after the run, and while a batch is with `accept`, for which others answer.
   */
  get latestEnd(): number {
    return this.#caller?.latestEnd ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Polls until the signal aborts or a failure ends it. Never rejects. Resolves once nothing is under way any more:
   * `accept` has resolved and the last confirm is done, or given up after `confirmTimeoutMs`. To be called once.
   */
  async run(signal: AbortSignal): Promise<PollingEnd> {
    const { conflictPatienceMs, pollTimeoutMs, clock, random, emit } = this.#options;
    const policies = failurePolicies(conflictPatienceMs);
    const conflictOverAfterMs = longPollSeconds(pollTimeoutMs) * 1000 + ANSWER_WITHIN_MS;
    const caller = new Caller({ policies, conflictOverAfterMs, clock, random, emit, signal });
    this.#caller = caller;

    const error = await this.#fetchUntilEnd(caller, signal);
    caller.latestEnd = clock.now() + this.#options.confirmTimeoutMs;
    await this.#confirm(caller.latestEnd);
    caller.latestEnd = Number.POSITIVE_INFINITY;

    const confirmedUpTo = this.#confirmed === undefined ? undefined : this.#confirmed - 1;
    const unconfirmed = this.#confirmed === this.#offset ? 0 : this.#forgettable;
    const fetched = this.#fetched;
    emit({ event: 'poll.stopped', fetched, confirmedUpTo });
    return { confirmedUpTo, fetched, unconfirmed, ...(error && { error }) };
  }

  /** Resolves with the error that ended it, or undefined when the signal did. */
  async #fetchUntilEnd(caller: Caller, signal: AbortSignal): Promise<LastcallError | undefined> {
    const { api, deleteWebhook, dropPending, connected, emit } = this.#options;
    const opening: Opening<M> = {
      api,
      deleteWebhook,
      emit,
      ask: (call) => caller.ask(() => call(caller.within(ANSWER_WITHIN_MS))),
    };
    try {
      const me = await greet(opening);
      connected?.(me);
      await clearTheWay(opening, dropPending);
      for (;;) {
        const asked = this.#offset;
        const { updates, pauseMs } = await caller.ask(
          (streak) => this.#poll(caller, streak),
          (failure, streak) => this.#meet(failure, streak, caller, opening),
        );
        // An answer that the stop has overtaken stays with Telegram: nothing of it gets confirmed.
        signal.throwIfAborted();
        if (updates.length > 0) await this.#accept(updates, caller);
        if (this.#offset === asked) await caller.sleep(pauseMs);
      }
    } catch (reason) {
      if (signal.aborted && reason === signal.reason) return undefined;
      return asFault(reason, 'Polling ended in an unforeseen error');
    }
  }

  async #poll(caller: Caller, streak: Streak): Promise<ApiAnswer<Polled<U>>> {
    const { api, allowedUpdates, pollTimeoutMs, clock, emit } = this.#options;
    const offset = this.#offset;
    // The first poll, and the first after a failure, are to be answered at once, to show how things stand. Not so
    // after a conflict, where such a poll would slip in between two of the rival's and prove nothing.
    const prompt = caller.atStart || (streak.failures > 0 && !streak.has('conflict'));
    const timeoutSeconds = prompt ? 0 : longPollSeconds(pollTimeoutMs);

    // No update has a lower id, so that nothing is forgotten. But the process before this one may have ended in a poll
    // without an offset a moment ago, and the same offset again is made to wait for 3 s.
    const sent = offset ?? (caller.atStart ? 1 : undefined);

    const begunAt = clock.now();
    this.#asked = offset;
    const answer = await api.getUpdates(
      { ...(sent !== undefined && { offset: sent }), timeoutSeconds, limit: BATCH_LIMIT, allowedUpdates },
      caller.within(timeoutSeconds * 1000 + ANSWER_WITHIN_MS),
    );
    if (answer.kind !== 'ok') return answer;

    const updates = answer.result;
    const durationMs = clock.now() - begunAt;
    this.#confirmed = offset;
    emit({ event: 'poll.answered', count: updates.length, durationMs: Math.round(durationMs) });
    if (caller.atStart) emit({ event: 'poll.started' });
    caller.atStart = false;
    const pauseMs = Math.min(timeoutSeconds * 1000, SHORTEST_ROUND_MS) - durationMs;
    return { kind: 'ok', result: { updates, pauseMs } };
  }

  /** Two failures of a poll call for more than patience: which of them, depends on whether one has succeeded before. */
  async #meet(failure: Failure, streak: Streak, caller: Caller, opening: Opening<M>): Promise<void> {
    const { api, emit } = this.#options;
    if (caller.atStart && failure.class === 'conflict' && failure.by === 'webhook')
      await clearWebhook(opening);

    if (!caller.atStart && failure.class === 'token-refused') {
      emit({ event: 'poll.token-doubted', detail: failure.detail });
      await caller.backOff(failure.class, streak);
      await caller.ask(() => api.getMe(caller.within(ANSWER_WITHIN_MS)));
      return;
    }
    await caller.bear(failure, streak);
  }

  async #accept(updates: readonly U[], caller: Caller): Promise<void> {
    caller.latestEnd = Number.POSITIVE_INFINITY;
    this.#fetched += updates.length;
    try {
      const offset = await this.#options.accept(updates);
      if (offset === undefined) return;
      this.#offset = offset;
      this.#forgettable = 1 + updates.findLastIndex(({ update_id }) => update_id === offset - 1);
    } catch (reason) {
      throw asFault(reason, 'The inbox did not take a batch of updates');
    }
  }

  /** Tells Telegram to forget what was accepted, where no poll has done so. */
  async #confirm(latestEnd: number): Promise<void> {
    const { api, allowedUpdates, clock, random, emit } = this.#options;
    const offset = this.#offset;
    if (offset === undefined) return;
    const offsets = confirmingOffsets(offset, this.#confirmed, this.#asked);
    if (offsets.length > 0) {
      const answer = await askFor(offset, { offsets, api, allowedUpdates, clock, random, latestEnd });
      if (answer.kind !== 'ok') {
        emit({ event: 'poll.confirm-failed', offset, detail: classify(answer).detail });
        return;
      }
      emit({ event: 'poll.confirmed', offset });
    }
    this.#confirmed = offset;
  }
}

const longPollSeconds = (pollTimeoutMs: number) => Math.max(1, Math.round(pollTimeoutMs / 1000));

const asFault = (reason: unknown, message: string): LastcallError =>
  reason instanceof LastcallError
    ? reason
    : new LastcallError(
        'INTAKE_FAILED',
        'intake',
        `${message}: ${reason instanceof Error ? reason.message : String(reason)}`,
        { cause: reason },
      );
