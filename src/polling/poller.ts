/** How a bot is polled during a run: once Telegram has told who the bot is, and whenever it is this process's turn. */
import { onAbort } from '../abort.js';
import { within } from '../clock.js';
import type { LastcallError } from '../errors.js';
import { guarded } from '../listener.js';
import { BatchLimit } from './batch-limit.js';
import type { BotApi, Me } from './bot-api.js';
import { untilEnd } from './ending.js';
import { classify, type FailureClass, failurePolicies } from './failure.js';
import { FetchLoop, type FetchOptions, longPollSeconds } from './fetch-loop.js';
import { type PollingTurn, soleTurn } from './polling-turn.js';
import { Reachability } from './reachability.js';
import { RetryingCaller } from './retrying-caller.js';
import { ANSWER_WITHIN_MS, getMe } from './token-check.js';

export interface PollerOptions<U extends { readonly update_id: number }, M extends Me = Me>
  extends Omit<FetchOptions<U>, 'random'> {
  readonly api: BotApi<U, M>;
  /** Waits until this process may poll. Rejects with the signal's reason. Default: it always may. */
  readonly nextTurn?: ((signal: AbortSignal) => Promise<PollingTurn>) | undefined;
  readonly conflictPatienceMs: number;
  /** Whether a poll of this bot has been answered in an earlier run, so that its token was valid. Default: no. */
  readonly hasPolledBefore?: () => boolean;
  /** Called once, as soon as `getMe` has answered. */
  readonly connected?: (me: M) => void;
  /** Called when Telegram gets out of reach, once `connected` was called, and when it is back. */
  readonly reachable?: (isReachable: boolean) => void;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
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

export class Poller<U extends { readonly update_id: number }, M extends Me = Me> {
  readonly #options: PollerOptions<U, M> & { readonly random: () => number };
  readonly #batchLimit = new BatchLimit();
  #caller: RetryingCaller | undefined;
  /** Undefined until `getMe` has answered: nothing has been started before that could be held. */
  #reachability: Reachability | undefined;
  /** That of the newest turn. */
  #loop: FetchLoop<U> | undefined;
  #fetched = 0;
  /** Whether a turn of this run has taken Telegram's queue as it is, or dropped it. */
  #isPrepared = false;
  readonly #failures: Record<FailureClass, number> = {
    unreachable: 0,
    'rate-limited': 0,
    conflict: 0,
    'token-refused': 0,
    rejected: 0,
  };

  /** Errors of the listener `emit` are ignored. */
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
    return this.#loop?.position.lagMs(this.#options.clock.now()) ?? 0;
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
    const connected = await untilEnd(signal, () => this.#connect(signal));
    const error = 'error' in connected ? connected.error : await this.#takeTurns(signal);
    this.#endStep();

    const { confirmedUpTo, unconfirmed = 0 } = this.#loop?.position ?? {};
    const fetched = this.#fetched;
    this.#options.emit({ event: 'poll.stopped', fetched, confirmedUpTo });
    return { confirmedUpTo, fetched, unconfirmed, ...(error && { error }) };
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { api, hasPolledBefore, connected, reachable, clock, random, emit } = this.#options;
    const me = await getMe({ api, caller: this.#newCaller(signal, hasPolledBefore?.() ?? false) });
    emit({ event: 'poll.connected', id: me.id, username: me.username });
    const changed = guarded((isReachable: boolean) => reachable?.(isReachable));
    this.#reachability = new Reachability({ api, clock, random, changed, signal });
    connected?.(me);
  }

  /** Polls whenever it is this process's turn. Resolves with the error that ended polling; none where the signal did. */
  async #takeTurns(signal: AbortSignal): Promise<LastcallError | undefined> {
    const { nextTurn = async () => soleTurn(), confirmTimeoutMs, clock } = this.#options;
    for (;;) {
      // Where the turn is shared, another process may poll for as long as it likes.
      this.#endStep();
      const next = await untilEnd(signal, () => nextTurn(signal));
      if ('error' in next) return next.error;
      const turn = next.result;
      const error = await this.#pollIn(turn, signal);
      // Where no answer comes, the turn ends with this process.
      await within(confirmTimeoutMs, clock, turn.end());
      if (error || signal.aborted) return error;
    }
  }

  /** Polls until the turn or the run ends. Resolves as `#takeTurns` does. */
  async #pollIn(turn: PollingTurn, signal: AbortSignal): Promise<LastcallError | undefined> {
    const either = new AbortController();
    const forget = [signal, turn.signal].map((one) => onAbort(one, () => either.abort(one.reason)));
    const loop = new FetchLoop({
      ...this.#options,
      // In a later turn of the run, what waits has come during an outage of what the processes share.
      dropPending: this.#options.dropPending && !this.#isPrepared,
      accept: (batch) => {
        this.#fetched += batch.length;
        return this.#options.accept(batch);
      },
      turn,
      caller: this.#newCaller(either.signal, true),
      batchLimit: this.#batchLimit,
    });
    this.#loop = loop;
    const error = await loop.run(either.signal);
    this.#isPrepared ||= loop.isPrepared;
    for (const removeListener of forget) removeListener();
    return error;
  }

  /** @param tokenWasValid whether Telegram has ever taken the token for valid */
  #newCaller(signal: AbortSignal, tokenWasValid: boolean): RetryingCaller {
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
    caller.tokenWasValid = tokenWasValid;
    this.#caller = caller;
    return caller;
  }

  #endStep(): void {
    if (this.#caller) this.#caller.latestEnd = Number.POSITIVE_INFINITY;
  }
}
