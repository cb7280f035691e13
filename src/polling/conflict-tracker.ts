/** Tracks how long a conflict lasts. A poll that succeeds does not end it: two pollers get the updates in turns. */
import type { Clock } from '../clock.js';

export class ConflictTracker {
  readonly #clock: Clock;
  readonly #overAfterMs: number;
  #newest: { readonly at: number; readonly lastedMs: number } | undefined;
  #interrupted = false;

  /** @param overAfterMs the time without a 409 after which the conflict is over; at least one whole poll */
  constructor(clock: Clock, overAfterMs: number) {
    this.#clock = clock;
    this.#overAfterMs = overAfterMs;
  }

  /** Records another failure: the time from the newest 409 to the next one does not count. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /** Records a 409. `lastedMs` is the time since the first 409 of the conflict, less the interruptions. */
  record(): { readonly isNewConflict: boolean; readonly lastedMs: number } {
    const at = this.#clock.now();
    const previous = this.#newest && at - this.#newest.at <= this.#overAfterMs ? this.#newest : undefined;
    const lastedMs = previous ? previous.lastedMs + (this.#interrupted ? 0 : at - previous.at) : 0;
    this.#newest = { at, lastedMs };
    this.#interrupted = false;
    return { isNewConflict: !previous, lastedMs };
  }
}
