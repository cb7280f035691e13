/** Tracks the length of a conflict, which outlasts polls that succeed: two pollers take the updates in turns. */
import type { Clock } from '../clock.js';

export class ConflictTracker {
  readonly #clock: Clock;
  readonly #overAfterMs: number;
  #newest: { readonly at: number; readonly lastedMs: number } | undefined;
  #interrupted = false;

  /** @param overAfterMs the conflict is over when no 409 came for longer; has to be at least one whole poll */
  constructor(clock: Clock, overAfterMs: number) {
    this.#clock = clock;
    this.#overAfterMs = overAfterMs;
  }

  /** Records that something else has failed: the time from the newest 409 to the next does not count. */
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
