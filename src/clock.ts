/** The clock that time-dependent code is given, so that tests can step time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** All times are in milliseconds. */
export interface Clock {
  /** A monotonic time, which has no meaning outside the process. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls back once after `ms`, unless the returned function is called before. With `Infinity`, it never calls back.
   */
  after(ms: number, callback: () => void): () => void;
}

/** The longest delay of a timer (2^31 - 1 ms, 24.8 days); Node fires a timer with a longer delay at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** Its timers keep the process alive. */
export const systemClock: Clock = clockWith({ ref: true });

/** Its timers do not keep the process alive, which then ends when nothing else does. */
export const backgroundClock: Clock = clockWith({ ref: false });

function clockWith({ ref }: { readonly ref: boolean }): Clock {
  return {
    now: () => performance.now(),
    async sleep(ms, signal) {
      try {
        await sleep(Math.min(ms, LONGEST_TIMER_MS), undefined, { ref, ...(signal && { signal }) });
      } catch (error) {
        // node:timers rejects with an AbortError instead of the signal's reason.
        throw signal?.aborted ? signal.reason : error;
      }
    },
    after(ms, callback) {
      if (ms === Number.POSITIVE_INFINITY) return () => {};
      const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
      if (!ref) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
