/** What goes wrong with an inbox on disk, as an error with a name and a next step. */
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';

/** What cannot be, where there is no inbox to be had. */
export const OPENED = 'opened';

/** Does what may fail with the disk. Rejects with a LastcallError. */
export async function guarded<T>(folder: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inboxError(folder, what, error);
  }
}

/** @param what `opened`, `written to`, … */
export function inboxError(folder: string, what: string, cause: unknown): LastcallError {
  if (cause instanceof LastcallError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  // What is not there, or is closed to us, nobody mends by starting again.
  const code = what === OPENED && noPlace.has(codeOf(cause) ?? '') ? 'INBOX_UNAVAILABLE' : 'INBOX_DISK';
  return new LastcallError(code, folder, `the inbox in ${folder} cannot be ${what}: ${why}`, { cause });
}

const noPlace: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);
