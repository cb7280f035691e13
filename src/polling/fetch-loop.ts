/**
 * The polls of one turn: fetches a batch, hands it to `accept`, and polls from the offset that this returns, until the turn
 * or the run ends. What it knows of Telegram's queue is not taken into the next turn: another process
 * may have polled meanwhile.
 */
import type { Clock } from '../clock.js';
import type { LastcallError } from '../errors.js';
import type { BatchLimit } from './batch-limit.js';
import type { ApiAnswer, BotApi } from './bot-api.js';
import { asLastcallError, untilEnd } from './ending.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure } from './failure.js';
import type { FailureStreak } from './failure-streak.js';
import { confirmOffset } from './final-confirm.js';
import type { PollingTurn } from './polling-turn.js';
import { QueuePosition } from './queue-position.js';
import type { RetryingCaller } from './retrying-caller.js';
import { prepareQueue, removeConflictingWebhook, type StartupContext } from './startup-calls.js';
import { ANSWER_WITHIN_MS, callIfOffered, checkToken } from './token-check.js';

export interface FetchOptions<U extends { readonly update_id: number }> {
  readonly api: BotApi<U>;
  /**
   * Takes a batch, never an empty one, and resolves with the offset that may be confirmed, if any. Nothing is fetched
   * meanwhile, and a stop does not abort the call. A rejection ends the run.
   */
  readonly accept: (batch: readonly U[]) => Promise<number | undefined>;
  readonly allowedUpdates: readonly string[];
  /** How long Telegram may delay an empty answer; rounded to seconds, at least one. */
  readonly pollTimeoutMs: number;
  /** Whether a webhook that is set at the start may be removed. */
  readonly deleteWebhook: boolean;
  /** Whether to drop the updates that wait at Telegram when the run begins. */
  readonly dropPending: boolean;
  /** How long the final confirm may take. */
  readonly confirmTimeoutMs: number;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly emit: (event: PollingEvent) => void;
}

export interface FetchLoopOptions<U extends { readonly update_id: number }> extends FetchOptions<U> {
  readonly turn: PollingTurn;
  /** Makes the calls of this turn, which end with it. */
  readonly caller: RetryingCaller;
  readonly batchLimit: BatchLimit;
}

/** The shortest time between two long polls from the same offset, however fast the first is answered. */
const MIN_ROUND_MS = 1_000;

export class FetchLoop<U extends { readonly update_id: number }> {
  readonly #options: FetchLoopOptions<U>;
  readonly #startup: StartupContext;
  readonly #position = new QueuePosition();
  #isPrepared = false;

  constructor(options: FetchLoopOptions<U>) {
    this.#options = options;
    this.#startup = { ...options, callIfOffered: (attempt) => callIfOffered(attempt, options) };
  }

  get position(): Pick<QueuePosition, 'confirmedUpTo' | 'unconfirmed' | 'lagMs'> {
    return this.#position;
  }

  /** Whether Telegram's queue has been taken as it is, or dropped. */
  get isPrepared(): boolean {
    return this.#isPrepared;
  }

  /**
   * Polls until the signal aborts, with the run or with the turn, and then confirms what was accepted, unless another process
   * polls. Resolves with the error that ended polling, or with undefined when the signal ended it. Never rejects.
   */
  async run(signal: AbortSignal): Promise<LastcallError | undefined> {
    const { turn, caller, clock, confirmTimeoutMs } = this.#options;
    const ended = await untilEnd(signal, () => this.#fetch(signal));
    if (!turn.signal.aborted) {
      caller.latestEnd = clock.now() + confirmTimeoutMs;
      await this.#confirm(caller.latestEnd);
    }
    return 'error' in ended ? ended.error : undefined;
  }

  /** Rejects with what ends polling. */
  async #fetch(signal: AbortSignal): Promise<never> {
    const { turn, caller, dropPending } = this.#options;
    const position = this.#position;
    // Where another process has polled until now, there is no webhook, and nothing that waits is from before the start.
    if (!turn.hasWaited) await prepareQueue(this.#startup, dropPending);
    this.#isPrepared = true;
    for (;;) {
      const offset = position.next;
      const { updates, pauseMs } = await caller.call(
        (streak) => this.#requestUpdates(streak),
        (failure, streak) => {
          // Where this process has stood still, a conflict is with the one that polls now, and no fault of anybody.
          turn.check();
          signal.throwIfAborted();
          return this.#handleFailure(failure, streak);
        },
      );
      // Updates that arrive after the stop has begun are not accepted, so they are not confirmed and stay at Telegram.
      signal.throwIfAborted();
      if (updates.length > 0) await this.#accept(updates);
      if (position.next === offset) await caller.sleep(pauseMs);
    }
  }

  /** Sends one `getUpdates` request. `pauseMs` is the wait before the next poll if the offset has not changed. */
  async #requestUpdates(
    streak: FailureStreak,
  ): Promise<ApiAnswer<{ readonly updates: readonly U[]; readonly pauseMs: number }>> {
    const { api, turn, caller, batchLimit, allowedUpdates, pollTimeoutMs, clock, emit } = this.#options;
    const position = this.#position;
    // A process that has stood still must not disturb the one that polls now.
    turn.check();
    // The first poll, and the first after a failure, asks for an answer at once, which shows that Telegram is reachable.
    // After a conflict, a short poll could succeed between two polls of the other program and would prove nothing.
    const isShort = caller.atStart || (streak.failures > 0 && !streak.has('conflict'));
    const timeoutSeconds = isShort ? 0 : longPollSeconds(pollTimeoutMs);

    // The first poll sends the offset 1 rather than none: Telegram delays a repeated offset by up to 3 s, and the previous
    // process may just have polled without one. No update has an id below 1, so Telegram forgets nothing.
    const offset = position.next ?? (caller.atStart ? 1 : undefined);

    const begunAt = clock.now();
    position.requested();
    const answer = await api.getUpdates(
      {
        ...(offset !== undefined && { offset }),
        timeoutSeconds,
        limit: batchLimit.updates,
        allowedUpdates,
      },
      caller.optionsOf(timeoutSeconds * 1000 + ANSWER_WITHIN_MS),
    );
    if (answer.kind !== 'ok') {
      position.failed();
      if (answer.kind === 'unreachable' && answer.why === 'cut') batchLimit.shrink();
      return answer;
    }
    const updates = answer.result;
    if (updates.length > 0) batchLimit.grow();
    const durationMs = clock.now() - begunAt;
    position.answered();
    emit({ event: 'poll.answered', count: updates.length, durationMs: Math.round(durationMs) });
    if (caller.atStart) emit({ event: 'poll.started' });
    caller.atStart = false;
    const pauseMs = Math.min(timeoutSeconds * 1000, MIN_ROUND_MS) - durationMs;
    return { kind: 'ok', result: { updates, pauseMs } };
  }

  /** Handles two failures of a poll specially: a webhook at the start, and a token that seems to be refused. */
  async #handleFailure(failure: Failure, streak: FailureStreak): Promise<void> {
    const { caller } = this.#options;
    if (caller.atStart && failure.class === 'conflict' && failure.by === 'webhook')
      await removeConflictingWebhook(this.#startup);

    if (failure.class !== 'token-refused') return caller.waitOrGiveUp(failure, streak);
    await caller.backOff(failure, streak);
    await checkToken(failure, this.#options);
  }

  async #accept(updates: readonly U[]): Promise<void> {
    const { accept, caller, clock } = this.#options;
    // The inbox has a limit of its own.
    caller.latestEnd = Number.POSITIVE_INFINITY;
    this.#position.fetched(clock.now());
    try {
      const offset = await accept(updates);
      if (offset === undefined) return;
      const newest = updates.findLastIndex(({ update_id }) => update_id === offset - 1);
      this.#position.accepted(offset, newest + 1);
    } catch (reason) {
      throw asLastcallError(reason, 'The inbox did not take a batch of updates');
    }
  }

  /** Tells Telegram to forget the accepted updates, unless a poll has done so. */
  async #confirm(latestEnd: number): Promise<void> {
    const { emit } = this.#options;
    const { next: offset, toConfirm: offsets } = this.#position;
    if (offset === undefined) return;
    if (offsets.length > 0) {
      const answer = await confirmOffset(offset, { ...this.#options, offsets, latestEnd });
      if (answer.kind !== 'ok') {
        emit({ event: 'poll.confirm-failed', offset, detail: classify(answer).detail });
        return;
      }
      emit({ event: 'poll.confirmed', offset });
    }
    this.#position.confirmed();
  }
}

/** How long Telegram is asked to wait, in seconds, of which it takes whole ones only. */
export const longPollSeconds = (pollTimeoutMs: number): number =>
  Math.max(1, Math.round(pollTimeoutMs / 1000));
