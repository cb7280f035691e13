/** Divides the time for all starts, and the time for the whole stop, among the hooks. */

/** The time reserved for the stop of each later hook, and the limit of each hook's stop after `hasten`. */
export const SHORT_STOP_MS = 1_000;

/** Returns an equal share of `leftMs` for a step and each of the `later` steps after it, at most SHORT_STOP_MS. */
export function shortShareMs(leftMs: number, later: number): number {
  return Math.min(SHORT_STOP_MS, Math.max(0, leftMs) / (later + 1));
}

/** Returns how long a start may last: `leftMs` of all starts, or `ownMs` if it is less or `Infinity`. */
export function startCapMs(leftMs: number, ownMs?: number): number {
  return ownMs === Number.POSITIVE_INFINITY ? ownMs : smallest(leftMs, [ownMs]);
}

/** Returns how long a stop may last: `leftMs` less a short share for each later stop, and at most each of `ownMs`. */
export function stopCapMs(leftMs: number, later: number, ...ownMs: readonly (number | undefined)[]): number {
  return smallest(leftMs - later * shortShareMs(leftMs, later), ownMs);
}

/** Returns the least of the limits, at least 0. Ignores limits that are undefined or NaN. */
function smallest(capMs: number, ownMs: readonly (number | undefined)[]): number {
  const least = ownMs.reduce<number>((ms, own) => (own !== undefined && own < ms ? own : ms), capMs);
  return Math.max(0, least);
}
