/** Reads a file that a setting names, for so long only as somebody waits who looks for a fault. */
import { readTextFile } from '../../config/read-text-file.js';
import { within } from './time-limit.js';

/** A run waits longer, for a person who unlocks a password manager that serves the file as a pipe. */
const READ_WITHIN_MS = 5_000;

type Read = { readonly text: string } | { readonly error: unknown };

/** Rejects as `readTextFile` does, and with ETIMEDOUT once the time is over. */
export async function readInTime(path: string, signal?: AbortSignal, ms = READ_WITHIN_MS): Promise<string> {
  const overdue: Read = { error: Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }) };
  const read = await within<Read>(
    (over) =>
      readTextFile(path, signal ? AbortSignal.any([signal, over]) : over).then(
        (text) => ({ text }),
        (error: unknown) => ({ error }),
      ),
    overdue,
    ms,
  );
  if ('error' in read) throw read.error;
  return read.text;
}
