/** The delay before the next attempt: exponential backoff with full jitter. */

export interface BackoffShape {
  /** The shortest delay. Defaults to 0. */
  readonly floorMs?: number;
  /** The longest first delay; the longest delay doubles with each attempt. */
  readonly firstMs: number;
  /** The limit that the longest delay never exceeds. */
  readonly capMs: number;
}

/**
 * Returns the next delay in milliseconds; `random` is a number from 0 up to 1. The jitter is full, because bots that lost
 * Telegram at the same moment must not return at the same moment.
 */
export function backoffMs(
  { floorMs = 0, firstMs, capMs }: BackoffShape,
  earlierDelays: number,
  random: number,
): number {
  const ceilingMs = Math.min(firstMs * 2 ** earlierDelays, capMs);
  const leastMs = Math.min(floorMs, ceilingMs);
  return leastMs + random * (ceilingMs - leastMs);
}
