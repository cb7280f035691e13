/**
 * The fight with a rival over the bot's updates. It outlasts the successes in it: while updates flow, two pollers
 * take them in turns, and a row of failures never gets long.
 */
import type { Clock } from '../clock.js';

/** What is known about the fight that the conflict just noted belongs to. */
interface Fought {
  /** The first conflict of its fight. */
  readonly first: boolean;
  /** Milliseconds since the first (0 for that one), less those in which something else failed. */
  readonly lastedMs: number;
}

export class Rivalry {
  readonly #clock: Clock;
  readonly #overAfterMs: number;
  #last: { readonly at: number; readonly lastedMs: number } | undefined;
  #interrupted = false;

  /** @param overAfterMs the fight is over when no conflict came for longer; less than a whole poll proves nothing */
  constructor(clock: Clock, overAfterMs: number) {
    this.#clock = clock;
    this.#overAfterMs = overAfterMs;
  }

  /** Something else has failed: the time from the last conflict to the next one is not the rival's. */
  interrupt(): void {
    this.#interrupted = true;
  }

  note(): Fought {
    const at = this.#clock.now();
    const before = this.#last && at - this.#last.at <= this.#overAfterMs ? this.#last : undefined;
    const lastedMs = before ? before.lastedMs + (this.#interrupted ? 0 : at - before.at) : 0;
    this.#last = { at, lastedMs };
    this.#interrupted = false;
    return { first: !before, lastedMs };
  }
}
