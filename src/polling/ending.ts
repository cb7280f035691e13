/** What ends polling: the stop, or an error that no further try can heal. */
import { LastcallError } from '../errors.js';
import { describeThrown, isLastcallError } from '../thrown.js';

/** Does the work. Where it rejects, `error` is what ends polling; undefined where the signal has ended it. */
export async function untilEnd<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<{ readonly result: T } | { readonly error: LastcallError | undefined }> {
  try {
    return { result: await work() };
  } catch (reason) {
    if (signal.aborted && reason === signal.reason) return { error: undefined };
    return { error: asLastcallError(reason, 'Polling ended with an unexpected error') };
  }
}

export function asLastcallError(reason: unknown, message: string): LastcallError {
  if (isLastcallError(reason)) return reason;
  const words = `${message}: ${describeThrown(reason)}`;
  return new LastcallError('INTAKE_FAILED', 'intake', words, { cause: reason });
}
