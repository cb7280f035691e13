/** The delay before the next attempt: exponential backoff with full jitter, as an immutable value. */

export interface BackoffShape {
  /** The shortest delay. Defaults to 0. */
  readonly floorMs?: number;
  /** The longest first delay; the longest delay doubles with each `next()`. */
  readonly firstMs: number;
  /** The limit that the longest delay never exceeds. */
  readonly capMs: number;
}

/** Uses full jitter, because bots that lost Telegram at the same moment must not return at the same moment. */
export class Backoff {
  readonly #shape: BackoffShape;
  /** The longest delay that this value can return. */
  readonly ceilingMs: number;

  constructor(shape: BackoffShape, ceilingMs: number = shape.firstMs) {
    this.#shape = shape;
    this.ceilingMs = Math.min(ceilingMs, shape.capMs);
  }

  /** Returns a delay between floor and ceiling; `random` is a number from 0 up to 1. */
  delayMs(random: number): number {
    const floorMs = Math.min(this.#shape.floorMs ?? 0, this.ceilingMs);
    return floorMs + random * (this.ceilingMs - floorMs);
  }

  /** Returns the backoff of the next attempt. */
  next(): Backoff {
    return new Backoff(this.#shape, this.ceilingMs * 2);
  }
}
