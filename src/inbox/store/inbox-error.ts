/** Turns errors of the disk into a LastcallError, which has a code and a next step. */
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';

/** Codes that a restart does not mend: the folder cannot be made, or is closed to this user. */
const noPlace: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

/**
 * Returns an error INBOX_DISK. A LastcallError is returned as it is.
 *
 * @param what what cannot be done, as a participle: `read`, `written to`
 */
export function inboxError(folder: string, what: string, cause: unknown): LastcallError {
  if (cause instanceof LastcallError) return cause;
  return new LastcallError('INBOX_DISK', folder, sentence(folder, what, cause), { cause });
}

/** Returns an error INBOX_UNAVAILABLE if there can be no inbox in the folder, else what `inboxError` returns. */
export function openingError(folder: string, cause: unknown): LastcallError {
  if (!noPlace.has(codeOf(cause) ?? '')) return inboxError(folder, 'opened', cause);
  return new LastcallError('INBOX_UNAVAILABLE', folder, sentence(folder, 'opened', cause), { cause });
}

/** Returns an error INBOX_FORBIDDEN if this user has no access to the inbox, else what `inboxError` returns. */
export function accessError(folder: string, what: string, cause: unknown): LastcallError {
  const code = codeOf(cause);
  if (code !== 'EACCES' && code !== 'EPERM') return inboxError(folder, what, cause);
  const message = `the inbox in ${folder} cannot be ${what} by this user`;
  return new LastcallError('INBOX_FORBIDDEN', folder, message, { cause });
}

function sentence(folder: string, what: string, cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  return `the inbox in ${folder} cannot be ${what}: ${why}`;
}
