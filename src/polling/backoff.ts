/**
 * How long to wait before the next try: full jitter under a ceiling that doubles, as an immutable value.
 * Full jitter, because bots that lost Telegram at the same moment must not come back at the same moment.
 */
export interface BackoffShape {
  /** No delay is shorter. */
  readonly floorMs?: number;
  /** The ceiling of the first delay; it doubles with each `next()`. */
  readonly firstMs: number;
  /** The ceiling never rises above it. */
  readonly capMs: number;
}

export class Backoff {
  readonly #shape: BackoffShape;
  /** The longest delay this value can give. */
  readonly ceilingMs: number;

  constructor(shape: BackoffShape, ceilingMs: number = shape.firstMs) {
    this.#shape = shape;
    this.ceilingMs = Math.min(ceilingMs, shape.capMs);
  }

  /** A delay between floor and ceiling; `random` is a number from 0 up to 1. */
  delayMs(random: number): number {
    const floorMs = Math.min(this.#shape.floorMs ?? 0, this.ceilingMs);
    return floorMs + random * (this.ceilingMs - floorMs);
  }

  /** The backoff of the try after this one. */
  next(): Backoff {
    return new Backoff(this.#shape, this.ceilingMs * 2);
  }
}
