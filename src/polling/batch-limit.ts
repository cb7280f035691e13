/** How many updates a poll asks for: fewer after an answer that has not come through, since the line may be bad. */

/** The most that Telegram gives at once. */
const LARGEST_BATCH = 100;

/** Four cuts in a row lead from the largest batch to single updates. */
const SHRINKS_BY = 4;

export class BatchLimit {
  #updates = LARGEST_BATCH;

  get updates(): number {
    return this.#updates;
  }

  /** An answer was cut on its way. */
  shrink(): void {
    this.#updates = Math.ceil(this.#updates / SHRINKS_BY);
  }

  /** An answer with updates has come through. */
  grow(): void {
    this.#updates = Math.min(LARGEST_BATCH, this.#updates * 2);
  }
}
