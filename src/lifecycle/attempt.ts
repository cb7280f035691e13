/** Calls a hook's function with a time limit: its signal asks it to end, and after a grace period it is abandoned. */
import { onAbort } from '../abort.js';
import type { DeadlineTimer } from './deadline.js';

export type AttemptResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  | { readonly kind: 'abandoned' };

export interface AttemptOptions {
  /** The caller sets it to abort `signal`. After the abort, `attempt` sets it to the end of the grace period. */
  readonly deadline: DeadlineTimer;
  readonly signal: AbortSignal;
  /** Returns how long the work may go on after the signal has aborted. Called at the abort. */
  graceMs(): number;
}

/** Resolves with how the work ended, or with `abandoned` when the grace period is over. Never rejects. */
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
