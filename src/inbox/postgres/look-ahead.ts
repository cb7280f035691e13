/**
 * How many lanes a process asks for ahead of its handlers: as many as it lately began updates in 50 ms. One whose handlers
 * compute has little in hand, so that the others can have the rest; one whose handlers wait asks for many at once, and
 * therefore seldom.
 */

/** Some ten round trips to the database. */
const WINDOW_MS = 50;

const FEWEST = 8;

/** With 16 updates of 1 kB in each, an answer is 1 MB. */
const MOST = 64;

export class LookAhead {
  /** When the window began, in the clock's milliseconds. */
  #since = Number.NEGATIVE_INFINITY;
  #begun = 0;
  #begunBefore = 0;

  /** So many updates have begun. */
  note(updates: number, now: number): void {
    this.#turn(now);
    this.#begun += updates;
  }

  lanes(now: number): number {
    this.#turn(now);
    return Math.min(Math.max(this.#begun, this.#begunBefore, FEWEST), MOST);
  }

  #turn(now: number): void {
    const windows = Math.floor((now - this.#since) / WINDOW_MS);
    if (windows < 1) return;
    this.#begunBefore = windows === 1 ? this.#begun : 0;
    this.#begun = 0;
    this.#since = windows === 1 ? this.#since + WINDOW_MS : now;
  }
}
