/** Limits how long a check may look at something that may hang. */
import { backgroundClock } from '../../clock.js';

/** How long each look may take: the looks run side by side, and all of them are to end within 3 s. */
export const LOOK_WITHIN_MS = 2_300;

/** Resolves with what `look` resolves with; with `fallback` if it rejects, or has not ended in time. */
export async function within<T>(
  look: (signal: AbortSignal) => Promise<T>,
  fallback: T,
  ms = LOOK_WITHIN_MS,
): Promise<T> {
  const over = new AbortController();
  const overdue = new Promise<T>((resolve) => {
    over.signal.addEventListener('abort', () => resolve(fallback), { once: true });
  });
  const cancel = backgroundClock.after(ms, () =>
    over.abort(new Error(`it took longer than ${ms / 1_000} s`)),
  );
  try {
    return await Promise.race([look(over.signal).catch(() => fallback), overdue]);
  } finally {
    cancel();
  }
}
