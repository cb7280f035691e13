/** Limits how many updates start in one turn of the event loop. */

/** 25 was the fastest of 10, 25 and 50 in a benchmark: starting 25 handlers takes about as long as a sync of a fast disk. */
const STARTS_A_TURN = 25;

/**
 * Used while the disk syncs. The end of a sync is noticed only between two turns of the event loop, so that starting many
 * handlers in one turn would delay it, and with it the next poll.
 */
export class TurnLimit {
  readonly #nextTurn: () => void;
  #left: number | undefined;

  /** @param nextTurn called when updates may start again */
  constructor(nextTurn: () => void) {
    this.#nextTurn = nextTurn;
  }

  /** How many updates may still start in this turn. */
  get left(): number {
    if (this.#left === undefined) {
      this.#left = STARTS_A_TURN;
      setImmediate(() => {
        this.#left = undefined;
        this.#nextTurn();
      });
    }
    return this.#left;
  }

  spend(starts: number): void {
    if (this.#left !== undefined) this.#left -= starts;
  }
}
