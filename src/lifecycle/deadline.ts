/** Until when a step may last: the share of the budget it gets, and the moment by which it must have ended. */
import type { Clock } from '../clock.js';

/** What a hook may leave, at most, to each hook behind it; and what each gets once the stop is hastened. */
export const shortStopMs = 1_000;

/** The moment by which a step must have ended. A second stop signal brings it closer. */
export interface Deadline {
  /** In the lifecycle's clock, milliseconds; `Infinity` where nothing limits the step. */
  readonly at: number;
  /** Milliseconds left; 0 once it has passed. */
  remainingMs(): number;
}

/** A deadline that acts when it is reached. It has at most one timer, and none once it is cancelled. */
export class Countdown implements Deadline {
  readonly #clock: Clock;
  #at = Number.POSITIVE_INFINITY;
  #disarm = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get at(): number {
    return this.#at;
  }

  remainingMs(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  /** Sets the moment, and what happens then, in place of what was set before. */
  set(ms: number, reached: () => void): void {
    this.cancel();
    this.#at = this.#clock.now() + ms;
    this.#disarm = this.#clock.after(ms, reached);
  }

  cancel(): void {
    this.#disarm();
  }
}

/** One of equal shares of what is left, among the step itself and those behind it, and no more than a second. */
export function shortShareMs(leftMs: number, behind: number): number {
  return Math.min(shortStopMs, Math.max(0, leftMs) / (behind + 1));
}

/** How long a hook's start may last: what is left of the budget of all starts, or less; `Infinity` lifts it. */
export function startCapMs(leftMs: number, ownMs?: number): number {
  return ownMs === Number.POSITIVE_INFINITY ? ownMs : smallest(leftMs, [ownMs]);
}

/**
 * How long a hook's stop may last: all that is left, less a short share for each hook behind it, or less. What it
 * does not use passes on to them.
 *
 * @param leftMs what is left of the stop's budget
 * @param behind how many stops come after this one
 * @param ownMs further limits, where there are any; they can only make it smaller
 */
export function stopCapMs(leftMs: number, behind: number, ...ownMs: readonly (number | undefined)[]): number {
  return smallest(leftMs - behind * shortShareMs(leftMs, behind), ownMs);
}

/** A limit that is missing, or no number, limits nothing. */
function smallest(capMs: number, ownMs: readonly (number | undefined)[]): number {
  const least = ownMs.reduce<number>((ms, own) => (own !== undefined && own < ms ? own : ms), capMs);
  return Math.max(0, least);
}
