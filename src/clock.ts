/**
 * Time as the core sees it: a clock it is given, never the process's own. Tests hand in one that they step.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** All times are milliseconds; `now()` only ever rises and has no meaning outside the process. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`, unless the returned function is called before. `Infinity` never fires. */
  after(ms: number, callback: () => void): () => void;
}

/** Node fires a timer at once when it is set for longer than this (2^31 - 1 ms, 24.8 days). */
export const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await sleep(Math.min(ms, LONGEST_TIMER_MS), undefined, signal && { signal });
    } catch (error) {
      // node:timers rejects with an AbortError of its own; callers want to see why they were woken.
      throw signal?.aborted ? signal.reason : error;
    }
  },
  after(ms, callback) {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
