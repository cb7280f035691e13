/**
 * The time of day, as far as something may be given up for its age. The system's clock can be wrong by years, where a machine
 * has no battery for it, say; then the server's clock counts, which its answers tell.
 */

/** The server's time is told in full seconds, and the answer was under way. A smaller difference does no harm. */
const SMALLEST_CORRECTION_MS = 60_000;

const withoutSmall = (ms: number) => (Math.abs(ms) < SMALLEST_CORRECTION_MS ? 0 : ms);

export class ServerTime {
  readonly #systemNow: () => number;
  readonly #monotonicNow: () => number;
  /** By how much the system's clock was ahead of the server's at the last answer; 0 for a small difference. */
  #aheadMs = 0;
  /** What the two clocks of the machine showed then. */
  #answered: { readonly systemMs: number; readonly monotonicMs: number };
  #isChecked = false;

  /**
   * @param systemNow the system's clock, in milliseconds since 1970
   * @param monotonicNow a clock that nobody sets, in milliseconds; it goes on while the process is stopped
   */
  constructor(
    systemNow: () => number = Date.now,
    monotonicNow: () => number = performance.now.bind(performance),
  ) {
    this.#systemNow = systemNow;
    this.#monotonicNow = monotonicNow;
    this.#answered = { systemMs: systemNow(), monotonicMs: monotonicNow() };
  }

  /** The time in milliseconds since 1970: the system's, corrected by what the server has told last. */
  now(): number {
    const systemMs = this.#systemNow();
    return systemMs - this.#aheadAt(systemMs);
  }

  /** What the system's clock shows at a time that `now` tells. */
  bySystem(ms: number): number {
    return ms + this.#aheadAt(this.#systemNow());
  }

  /** Whether the server has answered, so that the time is as good as it gets. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** Takes the time from the `Date` field of an answer. Servers that send none leave the system's clock to count. */
  read(date: string | undefined): void {
    const systemMs = this.#systemNow();
    const toldMs = Date.parse(date ?? '');
    const toldAheadMs = Number.isNaN(toldMs) ? 0 : systemMs - toldMs;
    const aheadMs = this.#aheadAt(systemMs);
    // Otherwise a difference of about a minute would be corrected at one answer and not at the next.
    const isOther = Math.abs(toldAheadMs - aheadMs) >= SMALLEST_CORRECTION_MS;
    this.#aheadMs = isOther ? withoutSmall(toldAheadMs) : aheadMs;
    this.#answered = { systemMs, monotonicMs: this.#monotonicNow() };
    this.#isChecked = true;
  }

  /**
   * By how much the system's clock is ahead when it shows `systemMs`. A clock that is wrong may be set right at any moment,
   * and the next answer may be a long poll away.
   */
  #aheadAt(systemMs: number): number {
    if (this.#aheadMs === 0) return 0;
    const passedMs = this.#monotonicNow() - this.#answered.monotonicMs;
    const setByMs = withoutSmall(Math.round(systemMs - this.#answered.systemMs - passedMs));
    return withoutSmall(this.#aheadMs + setByMs);
  }
}
