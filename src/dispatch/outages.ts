/** When Telegram could not be reached, as far as that concerns handlers: none starts meanwhile. */
import type { Clock } from '../clock.js';

export class Outages {
  readonly #clock: Clock;
  /** When the present one began, in the clock's milliseconds. */
  #beganAt: number | undefined;
  /** When the last one ended, in the clock's milliseconds. */
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isNow(): boolean {
    return this.#beganAt !== undefined;
  }

  /** Whether there is, or was, one after that time, in the clock's milliseconds. */
  isSince(time: number): boolean {
    return this.isNow || time < this.#endedAt;
  }

  /** @returns false if there is one already */
  begin(): boolean {
    if (this.isNow) return false;
    this.#beganAt = this.#clock.now();
    return true;
  }

  /** @returns how long it lasted, in milliseconds; undefined if there was none */
  end(): number | undefined {
    if (this.#beganAt === undefined) return undefined;
    this.#endedAt = this.#clock.now();
    const lastedMs = this.#endedAt - this.#beganAt;
    this.#beganAt = undefined;
    return lastedMs;
  }
}
