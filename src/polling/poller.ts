/** The loop that fetches updates: it polls, hands the batch to `accept`, and polls from the offset that this returns. */
import { onAbort } from '../abort.js';
import { type Clock, within } from '../clock.js';
import { LastcallError } from '../errors.js';
import { guarded } from '../listener.js';
import { describeThrown, isLastcallError } from '../thrown.js';
import type { ApiAnswer, BotApi, CallOptions, Me } from './bot-api.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure, type FailureClass, failurePolicies } from './failure.js';
import type { FailureStreak } from './failure-streak.js';
import { confirmOffset, offsetsToConfirm } from './final-confirm.js';
import { Reachability } from './reachability.js';
import { RetryingCaller } from './retrying-caller.js';
import { prepareQueue, removeConflictingWebhook, type StartupContext } from './startup-calls.js';

/** The right to poll, where several processes share a bot. */
export interface PollingTurn {
  /** Aborts when the turn is over. */
  readonly signal: AbortSignal;
  /** Whether another process has polled until now. */
  readonly hasWaited: boolean;
  /** Aborts the signal if the turn is over by now. */
  check(): void;
  /** Lets another process poll. Never rejects. */
  end(): Promise<void>;
}

export interface PollerOptions<U extends { readonly update_id: number }, M extends Me = Me> {
  readonly api: BotApi<U, M>;
  /**
   * Takes a batch, never an empty one, and resolves with the offset that may be confirmed, if any. The poller fetches
   * nothing meanwhile, and does not abort the call when it stops. A rejection ends the run.
   */
  readonly accept: (batch: readonly U[]) => Promise<number | undefined>;
  /** Waits until this process may poll. Rejects with the signal's reason. Default: it always may. */
  readonly nextTurn?: ((signal: AbortSignal) => Promise<PollingTurn>) | undefined;
  readonly allowedUpdates: readonly string[];
  /** How long Telegram may delay an empty answer; rounded to seconds, at least one. */
  readonly pollTimeoutMs: number;
  readonly conflictPatienceMs: number;
  /** Whether a webhook that is set at the start may be removed. */
  readonly deleteWebhook: boolean;
  /** Whether to drop the updates that wait at Telegram when the run begins. */
  readonly dropPending: boolean;
  /** How long the final confirm may take. */
  readonly confirmTimeoutMs: number;
  /** Whether a poll of this bot has been answered in an earlier run, so that its token was valid. Default: no. */
  readonly hasPolledBefore?: () => boolean;
  /** Called once, as soon as `getMe` has answered. */
  readonly connected?: (me: M) => void;
  /** Called when Telegram gets out of reach, once `connected` was called, and when it is back. */
  readonly reachable?: (isReachable: boolean) => void;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
  /** Receives every event. Errors of the listener are ignored. */
  readonly emit: (event: PollingEvent) => void;
}

export interface PollingEnd {
  /** The id of the newest update that Telegram has been told to forget. */
  readonly confirmedUpTo: number | undefined;
  /** The number of updates that were handed to `accept`. */
  readonly fetched: number;
  /** The number of accepted updates that could not be confirmed, which Telegram will send again. */
  readonly unconfirmed: number;
  /** Why polling ended by itself; absent when the signal ended the run. */
  readonly error?: LastcallError;
}

/** The most that Telegram gives at once. */
const LARGEST_BATCH = 100;

/** The time for the first byte of an answer, besides the time that Telegram is asked to wait. */
const ANSWER_WITHIN_MS = 10_000;

/** After so many refusals in a row, a server is taken not to offer a method. */
const REFUSALS_BELIEVED = 3;

/** Four cuts in a row lead from the largest batch to single updates. */
const BATCH_SHRINKS_BY = 4;

/** The shortest time between two long polls from the same offset, however fast the first is answered. */
const MIN_ROUND_MS = 1_000;

export class Poller<U extends { readonly update_id: number }, M extends Me = Me> {
  readonly #options: PollerOptions<U, M> & { readonly random: () => number };
  #caller: RetryingCaller | undefined;
  /** Undefined until `getMe` has answered: nothing has been started before that could be held. */
  #reachability: Reachability | undefined;
  /** The offset that `accept` returned last, from which the next poll starts. */
  #offset: number | undefined;
  /** The offset of the newest poll that was answered: Telegram has forgotten all updates below it. */
  #answeredOffset: number | undefined;
  /** The offset of the newest poll, answered or not. */
  #requestedOffset: number | undefined;
  #turn: PollingTurn | undefined;
  /** Whether this run has taken Telegram's queue as it is, or dropped it. */
  #isPrepared = false;
  #fetched = 0;
  /** How many updates the next poll asks for: fewer after an answer that has not come through, since the line may be bad. */
  #batchLimit = LARGEST_BATCH;
  /** The number of updates below `#offset` in the newest batch; all earlier batches are confirmed. */
  #acceptedInBatch = 0;
  /** When the newest batch was fetched, in the clock's milliseconds, until Telegram is told to forget it. */
  #unconfirmedSince: number | undefined;
  readonly #failures: Record<FailureClass, number> = {
    unreachable: 0,
    'rate-limited': 0,
    conflict: 0,
    'token-refused': 0,
    rejected: 0,
  };

  constructor(options: PollerOptions<U, M>) {
    this.#options = { random: Math.random, ...options, emit: guarded(options.emit) };
  }

  /** The latest end of the current step, in the clock's milliseconds; `Infinity` while no step is limited. */
  get latestEnd(): number {
    return this.#caller?.latestEnd ?? Number.POSITIVE_INFINITY;
  }

  /** How many calls have failed so far, each try counted. */
  get failures(): Readonly<Record<FailureClass, number>> {
    return this.#failures;
  }

  /** For how long fetched updates have waited until Telegram is told to forget them, in milliseconds; 0 if none wait. */
  get confirmLagMs(): number {
    return this.#unconfirmedSince === undefined ? 0 : this.#options.clock.now() - this.#unconfirmedSince;
  }

  /** Checks at once whether Telegram can be reached, because a call that polling knows nothing of has failed. */
  checkReachability(): void {
    this.#reachability?.check();
  }

  /**
   * Polls until the signal aborts or a failure ends the run. Never rejects. Resolves when `accept` has resolved and the
   * final confirm is done, or has been given up after `confirmTimeoutMs`. May be called once only.
   */
  async run(signal: AbortSignal): Promise<PollingEnd> {
    const { nextTurn, hasPolledBefore, emit } = this.#options;
    const caller = this.#newCaller(signal);
    caller.tokenWasValid = hasPolledBefore?.() ?? false;

    const connected = await untilEnd(signal, () => this.#connect(caller, signal));
    const ended = 'result' in connected ? undefined : connected;
    const poll = () => (nextTurn ? this.#takeTurns(nextTurn, signal) : this.#pollAndConfirm(caller, signal));
    const error = ended ? ended.error : await poll();
    if (this.#caller) this.#caller.latestEnd = Number.POSITIVE_INFINITY;

    const confirmedUpTo = this.#answeredOffset === undefined ? undefined : this.#answeredOffset - 1;
    const unconfirmed = this.#answeredOffset === this.#offset ? 0 : this.#acceptedInBatch;
    const fetched = this.#fetched;
    emit({ event: 'poll.stopped', fetched, confirmedUpTo });
    return { confirmedUpTo, fetched, unconfirmed, ...(error && { error }) };
  }

  #newCaller(signal: AbortSignal): RetryingCaller {
    const { conflictPatienceMs, pollTimeoutMs, clock, random, emit } = this.#options;
    const caller = new RetryingCaller({
      policies: failurePolicies(conflictPatienceMs),
      conflictOverAfterMs: longPollSeconds(pollTimeoutMs) * 1000 + ANSWER_WITHIN_MS,
      clock,
      random,
      emit,
      answered: (answer) => {
        if (answer.kind !== 'ok') this.#failures[classify(answer).class]++;
        this.#reachability?.observe(answer);
      },
      signal,
    });
    this.#caller = caller;
    return caller;
  }

  async #connect(caller: RetryingCaller, signal: AbortSignal): Promise<void> {
    const { api, connected, reachable, clock, random, emit } = this.#options;
    const me = await this.#getMe(caller);
    caller.tokenWasValid = true;
    emit({ event: 'poll.connected', id: me.id, username: me.username });
    const changed = guarded((isReachable: boolean) => reachable?.(isReachable));
    this.#reachability = new Reachability({ api, clock, random, changed, signal });
    connected?.(me);
  }

  /** Polls whenever it is this process's turn. Resolves as `#pollAndConfirm` does. */
  async #takeTurns(
    nextTurn: (signal: AbortSignal) => Promise<PollingTurn>,
    signal: AbortSignal,
  ): Promise<LastcallError | undefined> {
    const { confirmTimeoutMs, clock } = this.#options;
    for (;;) {
      // Another process may poll for as long as it likes.
      if (this.#caller) this.#caller.latestEnd = Number.POSITIVE_INFINITY;
      const next = await untilEnd(signal, () => nextTurn(signal));
      if (!('result' in next)) return next.error;
      const turn = next.result;
      const both = new AbortController();
      const forget = [signal, turn.signal].map((one) => onAbort(one, () => both.abort(one.reason)));
      // What this process knows of Telegram's queue is of an earlier turn.
      this.#turn = turn;
      this.#offset = undefined;
      this.#answeredOffset = undefined;
      this.#requestedOffset = undefined;
      this.#acceptedInBatch = 0;
      this.#unconfirmedSince = undefined;
      const caller = this.#newCaller(both.signal);
      caller.tokenWasValid = true;
      const error = await this.#pollAndConfirm(caller, both.signal);
      // Where no answer comes, the turn ends with this process.
      await within(confirmTimeoutMs, clock, turn.end());
      for (const removeListener of forget) removeListener();
      if (error || signal.aborted) return error;
    }
  }

  /** Resolves with the error that ended polling, or undefined when the signal ended it. */
  async #pollAndConfirm(caller: RetryingCaller, signal: AbortSignal): Promise<LastcallError | undefined> {
    const ended = await untilEnd(signal, () => this.#fetch(caller, signal));
    if (!this.#turn?.signal.aborted) {
      caller.latestEnd = this.#options.clock.now() + this.#options.confirmTimeoutMs;
      await this.#confirm(caller.latestEnd);
    }
    return 'result' in ended ? undefined : ended.error;
  }

  /** Rejects with what ends polling. */
  async #fetch(caller: RetryingCaller, signal: AbortSignal): Promise<never> {
    const { api, deleteWebhook, dropPending, emit } = this.#options;
    const startup: StartupContext = {
      api,
      deleteWebhook,
      emit,
      callIfOffered: (attempt) => this.#callIfOffered(attempt, caller),
    };
    // Where another process has polled until now, there is no webhook, and nothing that waits is from before the start.
    // In a later turn of the run, what waits has come during an outage of what the processes share.
    if (!this.#turn?.hasWaited) await prepareQueue(startup, dropPending && !this.#isPrepared);
    this.#isPrepared = true;
    for (;;) {
      const offset = this.#offset;
      const { updates, pauseMs } = await caller.call(
        (streak) => this.#requestUpdates(caller, streak),
        (failure, streak) => {
          // Where this process has stood still, a conflict is with the one that polls now, and no fault of anybody.
          this.#turn?.check();
          signal.throwIfAborted();
          return this.#handleFailure(failure, streak, caller, startup);
        },
      );
      // Updates that arrive after the stop has begun are not accepted, so they are not confirmed and stay at Telegram.
      signal.throwIfAborted();
      if (updates.length > 0) await this.#accept(updates, caller);
      if (this.#offset === offset) await caller.sleep(pauseMs);
    }
  }

  /** Sends one `getUpdates` request. `pauseMs` is the wait before the next poll if the offset has not changed. */
  async #requestUpdates(
    caller: RetryingCaller,
    streak: FailureStreak,
  ): Promise<ApiAnswer<{ readonly updates: readonly U[]; readonly pauseMs: number }>> {
    const { api, allowedUpdates, pollTimeoutMs, clock, emit } = this.#options;
    // A process that has stood still must not disturb the one that polls now.
    this.#turn?.check();
    const offset = this.#offset;
    // The first poll, and the first after a failure, asks for an answer at once, which shows that Telegram is reachable.
    // After a conflict, a short poll could succeed between two polls of the other program and would prove nothing.
    const isShort = caller.atStart || (streak.failures > 0 && !streak.has('conflict'));
    const timeoutSeconds = isShort ? 0 : longPollSeconds(pollTimeoutMs);

    // The first poll sends the offset 1 rather than none: Telegram delays a repeated offset by up to 3 s, and the previous
    // process may just have polled without one. No update has an id below 1, so Telegram forgets nothing.
    const sent = offset ?? (caller.atStart ? 1 : undefined);

    const begunAt = clock.now();
    const unconfirmedSince = this.#unconfirmedSince;
    // A poll may wait for long until it is answered, and tells Telegram what to forget when it begins.
    if (offset !== this.#requestedOffset) this.#unconfirmedSince = undefined;
    this.#requestedOffset = offset;
    const answer = await api.getUpdates(
      {
        ...(sent !== undefined && { offset: sent }),
        timeoutSeconds,
        limit: this.#batchLimit,
        allowedUpdates,
      },
      caller.optionsOf(timeoutSeconds * 1000 + ANSWER_WITHIN_MS),
    );
    if (answer.kind !== 'ok') {
      this.#unconfirmedSince = unconfirmedSince;
      if (answer.kind === 'unreachable' && answer.why === 'cut')
        this.#batchLimit = Math.ceil(this.#batchLimit / BATCH_SHRINKS_BY);
      return answer;
    }
    const updates = answer.result;
    if (updates.length > 0) this.#batchLimit = Math.min(LARGEST_BATCH, this.#batchLimit * 2);
    const durationMs = clock.now() - begunAt;
    this.#answeredOffset = offset;
    this.#unconfirmedSince = undefined;
    emit({ event: 'poll.answered', count: updates.length, durationMs: Math.round(durationMs) });
    if (caller.atStart) emit({ event: 'poll.started' });
    caller.atStart = false;
    const pauseMs = Math.min(timeoutSeconds * 1000, MIN_ROUND_MS) - durationMs;
    return { kind: 'ok', result: { updates, pauseMs } };
  }

  #getMe(caller: RetryingCaller): Promise<M> {
    return caller.call(() => this.#options.api.getMe(caller.optionsOf(ANSWER_WITHIN_MS)));
  }

  #callIfOffered<T>(
    attempt: (options: CallOptions) => Promise<ApiAnswer<T>>,
    caller: RetryingCaller,
  ): Promise<T | undefined> {
    let refusals = 0;
    return caller.call<T | undefined>(
      async () => {
        const answer = await attempt(caller.optionsOf(ANSWER_WITHIN_MS));
        const failure = answer.kind === 'ok' ? undefined : classify(answer);
        if (failure?.class !== 'token-refused') return answer;
        await this.#checkToken(failure, caller);
        // A server that is starting may refuse anything for a moment.
        return ++refusals < REFUSALS_BELIEVED ? answer : { kind: 'ok', result: undefined };
      },
      (failure, streak) =>
        failure.class === 'token-refused'
          ? caller.backOff(failure, streak)
          : caller.waitOrGiveUp(failure, streak),
    );
  }

  /** Only `getMe` can say that a token is refused. Rejects with TOKEN_REFUSED where it does, for as long as it may. */
  async #checkToken({ detail }: Failure, caller: RetryingCaller): Promise<void> {
    this.#options.emit({ event: 'poll.token-doubted', detail });
    await this.#getMe(caller);
  }

  /** Handles two failures of a poll specially: a webhook at the start, and a token that seems to be refused. */
  async #handleFailure(
    failure: Failure,
    streak: FailureStreak,
    caller: RetryingCaller,
    startup: StartupContext,
  ): Promise<void> {
    if (caller.atStart && failure.class === 'conflict' && failure.by === 'webhook')
      await removeConflictingWebhook(startup);

    if (failure.class !== 'token-refused') return caller.waitOrGiveUp(failure, streak);
    await caller.backOff(failure, streak);
    await this.#checkToken(failure, caller);
  }

  async #accept(updates: readonly U[], caller: RetryingCaller): Promise<void> {
    caller.latestEnd = Number.POSITIVE_INFINITY;
    this.#fetched += updates.length;
    this.#unconfirmedSince = this.#options.clock.now();
    try {
      const offset = await this.#options.accept(updates);
      if (offset === undefined) return;
      this.#offset = offset;
      this.#acceptedInBatch = 1 + updates.findLastIndex(({ update_id }) => update_id === offset - 1);
    } catch (reason) {
      throw asLastcallError(reason, 'The inbox did not take a batch of updates');
    }
  }

  /** Tells Telegram to forget the accepted updates, unless a poll has done so. */
  async #confirm(latestEnd: number): Promise<void> {
    const { api, allowedUpdates, clock, random, emit } = this.#options;
    const offset = this.#offset;
    if (offset === undefined) return;
    const offsets = offsetsToConfirm(offset, this.#answeredOffset, this.#requestedOffset);
    if (offsets.length > 0) {
      const answer = await confirmOffset(offset, { offsets, api, allowedUpdates, clock, random, latestEnd });
      if (answer.kind !== 'ok') {
        emit({ event: 'poll.confirm-failed', offset, detail: classify(answer).detail });
        return;
      }
      emit({ event: 'poll.confirmed', offset });
    }
    this.#answeredOffset = offset;
    this.#unconfirmedSince = undefined;
  }
}

const longPollSeconds = (pollTimeoutMs: number) => Math.max(1, Math.round(pollTimeoutMs / 1000));

/** Does the work. Where it rejects, the result is the error that ends polling; none where the signal has ended it. */
async function untilEnd<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<{ readonly result: T } | { readonly error: LastcallError | undefined }> {
  try {
    return { result: await work() };
  } catch (reason) {
    if (signal.aborted && reason === signal.reason) return { error: undefined };
    return { error: asLastcallError(reason, 'Polling ended with an unexpected error') };
  }
}

function asLastcallError(reason: unknown, message: string): LastcallError {
  if (isLastcallError(reason)) return reason;
  const words = `${message}: ${describeThrown(reason)}`;
  return new LastcallError('INTAKE_FAILED', 'intake', words, { cause: reason });
}
