/** The button presses that wait for an answer of the bot. */
import type { Clock } from '../clock.js';
import { retentionMs } from './update-kinds.js';

export class CallbackQueries {
  readonly #clock: Clock;
  /** When an answer is too late, by the query's id. */
  readonly #latestAnswers = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string): void {
    // The oldest come first, and those that are too old are forgotten.
    for (const [old, latest] of this.#latestAnswers) {
      if (latest >= this.#clock.now()) break;
      this.#latestAnswers.delete(old);
    }
    this.#latestAnswers.set(id, this.#clock.now() + retentionMs('callback_query'));
  }

  /** Answers a query. Returns whether it was waiting: not unknown, not answered before, and not too old. */
  answer(id: string): boolean {
    const latest = this.#latestAnswers.get(id);
    this.#latestAnswers.delete(id);
    return latest !== undefined && this.#clock.now() <= latest;
  }
}
