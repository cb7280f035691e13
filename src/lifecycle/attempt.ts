/** One call of somebody else's code, bounded: asked to end by its signal, left behind if it does not. */
import type { Countdown } from './deadline.js';

export type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  | { readonly kind: 'left-behind' };

export interface Bounds {
  /** Set by the caller to whatever makes `signal` abort; from then on it counts the grace. */
  readonly limit: Countdown;
  readonly signal: AbortSignal;
  /** How long `work` may go on once the signal has aborted, asked at that moment. */
  graceMs(): number;
}

/**
 * Resolves with how `work` ended, or, the grace being over, that it had not. Never rejects: what `work` throws is
 * part of the answer, and what it does after it was left behind concerns nobody any more.
 */
export function attempt(work: () => unknown, { limit, signal, graceMs }: Bounds): Promise<Ending> {
  return new Promise((resolve) => {
    const end = (ending: Ending) => {
      signal.removeEventListener('abort', askedToEnd);
      limit.cancel();
      resolve(ending);
    };
    const askedToEnd = () => limit.set(graceMs(), () => end({ kind: 'left-behind' }));
    signal.addEventListener('abort', askedToEnd, { once: true });
    (async () => await work())().then(
      () => end({ kind: 'done' }),
      (thrown: unknown) => end({ kind: 'threw', thrown }),
    );
  });
}
