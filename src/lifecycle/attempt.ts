/** One call of a hook's function, bounded in time: its signal asks it to end, and after a grace it is abandoned. */
import { onAbort } from '../abort.js';
import type { DeadlineTimer } from './deadline.js';

export type AttemptResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  | { readonly kind: 'abandoned' };

export interface AttemptOptions {
  /** Set by the caller to abort `signal`. After the abort it is set to the end of the grace. */
  readonly deadline: DeadlineTimer;
  readonly signal: AbortSignal;
  /** Returns how long the work may go on after the signal has aborted. Called at the abort. */
  graceMs(): number;
}

/** Resolves with how the work ended, or with `abandoned` when the grace is over. Never rejects. */
export function attempt(
  work: () => unknown,
  { deadline, signal, graceMs }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const end = (result: AttemptResult) => {
      removeListener();
      deadline.cancel();
      resolve(result);
    };
    const removeListener = onAbort(signal, () => deadline.set(graceMs(), () => end({ kind: 'abandoned' })));
    (async () => await work())().then(
      () => end({ kind: 'done' }),
      (thrown: unknown) => end({ kind: 'threw', thrown }),
    );
  });
}
