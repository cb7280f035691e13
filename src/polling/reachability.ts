/**
 * Tracks whether Telegram can be reached at all. One failing call proves nothing: a long poll may break for reasons of its
 * own. Telegram counts as out of reach when `getMe` fails, too, and until any call is answered again, if only by a refusal.
 */
import type { Clock } from '../clock.js';
import { backoffMs } from './backoff.js';
import type { ApiAnswer, BotApi } from './bot-api.js';
import { classify } from './failure.js';

export interface ReachabilityOptions {
  readonly api: Pick<BotApi<unknown>, 'getMe'>;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Called when Telegram gets out of reach, and when it is back. Must not throw. */
  readonly changed: (isReachable: boolean) => void;
  /** Aborting ends every check. */
  readonly signal: AbortSignal;
}

/** An answer to `getMe` needs no time at Telegram; handlers go on starting and failing until the check has ended. */
const CHECK_WITHIN_MS = 10_000;

/** No check begins sooner after one that was answered: calls of handlers may fail although Telegram can be reached. */
const CHECK_EVERY_MS = 1_000;

/** The wait between the checks of an outage: people wait for answers, and one call in a few seconds costs nothing. */
const checkBackoff = { floorMs: 500, firstMs: 1_000, capMs: 5_000 };

export class Reachability {
  readonly #options: ReachabilityOptions;
  #isReachable = true;
  #isChecking = false;
  /** How many calls Telegram has answered. */
  #answers = 0;
  /** When the last check was answered, in the clock's milliseconds. */
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
  }

  /** Takes note of the answer to a call of polling; one that Telegram did not answer is followed by a check. */
  observe(answer: ApiAnswer<unknown>): void {
    if (this.#note(answer)) return;
    this.check();
  }

  /** Asks `getMe` at once, because a call has failed; repeats that until Telegram answers. */
  check(): void {
    const { clock, signal } = this.#options;
    if (this.#isChecking || signal.aborted || clock.now() - this.#checkedAt < CHECK_EVERY_MS) return;
    this.#isChecking = true;
    this.#checkUntilAnswered()
      // The calls and the waits reject only when the signal aborts.
      .catch(() => {})
      .finally(() => {
        this.#isChecking = false;
      });
  }

  async #checkUntilAnswered(): Promise<void> {
    const { api, clock, random, signal } = this.#options;
    for (let checks = 0; ; checks++) {
      const before = this.#answers;
      const isAnswered = this.#note(await api.getMe({ signal, answerWithinMs: CHECK_WITHIN_MS }));
      if (isAnswered) this.#checkedAt = clock.now();
      // Another call may have been answered meanwhile.
      if (isAnswered || this.#answers > before) return;
      this.#become(false);
      await clock.sleep(backoffMs(checkBackoff, checks, random()), signal);
      if (this.#isReachable) return;
    }
  }

  /** Returns whether the answer shows that Telegram can be reached. */
  #note(answer: ApiAnswer<unknown>): boolean {
    if (answer.kind !== 'ok' && classify(answer).class === 'unreachable') return false;
    this.#answers++;
    this.#become(true);
    return true;
  }

  #become(isReachable: boolean): void {
    if (this.#isReachable === isReachable) return;
    this.#isReachable = isReachable;
    this.#options.changed(isReachable);
  }
}
