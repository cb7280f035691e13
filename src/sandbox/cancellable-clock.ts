/** A clock whose pending timers can all be cancelled, so that a closed sandbox does not keep its process alive. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';

/** Like the given clock, but cancels all timers of `after` when `closing` aborts. Sleeps end with their own signals. */
export function cancellableClock(clock: Clock, closing: AbortSignal): Clock {
  const cancels = new Set<() => void>();
  onAbort(closing, () => {
    for (const cancel of cancels) cancel();
  });
  return {
    now: () => clock.now(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after(ms, callback) {
      const cancelTimer = clock.after(ms, () => {
        cancels.delete(cancelTimer);
        callback();
      });
      cancels.add(cancelTimer);
      return () => {
        cancels.delete(cancelTimer);
        cancelTimer();
      };
    },
  };
}
