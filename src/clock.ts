/** The clock that time-dependent code is given, so that tests can step time. */
import timers from 'node:timers';

// Kept, since an unchanged bot program is given other functions in their place.
const { setTimeout, clearTimeout } = timers;

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

/** The clock of programs that have nothing but timers to keep them alive. */
export const systemClock: Clock = clockOf((timer) => timer);

/** A clock whose timers do not keep the process alive. */
export const backgroundClock: Clock = clockOf((timer) => timer.unref());

function clockOf(begun: (timer: NodeJS.Timeout) => NodeJS.Timeout): Clock {
  return {
    now: () => performance.now(),
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        const timer = begun(
          setTimeout(
            () => {
              signal?.removeEventListener('abort', abort);
              resolve();
            },
            Math.min(ms, LONGEST_TIMER_MS),
          ),
        );
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    after(ms, callback) {
      if (ms === Number.POSITIVE_INFINITY) return () => {};
      const timer = begun(setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)));
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves with true when the promise has settled, however, and with false if the time is over before. Never rejects. */
export async function within(ms: number, clock: Clock, promise: Promise<unknown>): Promise<boolean> {
  const wait = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const over = clock.sleep(ms, wait.signal).then(
    () => false,
    () => true,
  );
  const isSettled = await Promise.race([settled, over]);
  wait.abort();
  return isSettled;
}
