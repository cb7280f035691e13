/** How much sooner a stop must end than the process would be killed. */

/**
 * How long before the kill a stop must end: it may exceed its budget by 250 ms, and the signal takes time to arrive. The
 * margin is at most `MAX_MARGIN_SHARE` of the time, so that a short one leaves time for the stop.
 */
const MARGIN_MS = 400;
const MAX_MARGIN_SHARE = 1 / 4;

/** The longest that a stop may take where the process is killed after `killAfterMs`. */
export const beforeKill = (killAfterMs: number): number =>
  killAfterMs - Math.min(MARGIN_MS, killAfterMs * MAX_MARGIN_SHARE);
