/** Limits how many updates start in one turn of the event loop. */

/** So many that their handlers take about as long to start as a fast disk to sync; of 10, 25 and 50 the fastest. */
const STARTS_A_TURN = 25;

/**
 * While the disk syncs, the start of many handlers would hold up the end of the sync, which is heard only between two turns
 * of the event loop, and with it the next poll.
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
