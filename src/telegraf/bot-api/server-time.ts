/**
 * The time of day, as far as something may be given up for its age. The system's clock can be wrong by years, where a machine
 * has no battery for it, say; then the server's clock counts, which its answers tell.
 */

/** The server's time is told in full seconds, and the answer was under way. A smaller difference does no harm. */
const SMALLEST_CORRECTION_MS = 60_000;

export class ServerTime {
  readonly #systemNow: () => number;
  /** By how much the system's clock is ahead of the server's; 0 for a small difference. */
  #aheadMs = 0;
  #isChecked = false;

  constructor(systemNow: () => number = Date.now) {
    this.#systemNow = systemNow;
  }

  /** The time in milliseconds since 1970: the system's, corrected by what the server has told last. */
  now(): number {
    return this.#systemNow() - this.#aheadMs;
  }

  /** What the system's clock shows at a time that `now` tells. */
  bySystem(ms: number): number {
    return ms + this.#aheadMs;
  }

  /** Whether the server has answered, so that the time is as good as it gets. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** Takes the time from the `Date` field of an answer. Servers that send none leave the system's clock to count. */
  read(date: string | undefined): void {
    const toldMs = Date.parse(date ?? '');
    const aheadMs = Number.isNaN(toldMs) ? 0 : this.#systemNow() - toldMs;
    this.#aheadMs = Math.abs(aheadMs) < SMALLEST_CORRECTION_MS ? 0 : aheadMs;
    this.#isChecked = true;
  }
}
