/** Prints to a reader that may be slow or stop reading. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onAbort } from '../../abort.js';
import { codeOf } from '../../system-error.js';
import type { InboxContext } from './context.js';

/** Prints the texts as fast as they are read. A reader that stops early (`| head`) is not an error. */
export async function print(
  { stdout, signal }: InboxContext['io'],
  texts: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  try {
    await pipeline(Readable.from(texts), stdout, { end: false, signal });
    await flushed(stdout, signal);
  } catch (error) {
    const code = codeOf(error);
    if (!signal.aborted && code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Resolves when everything is written, since the process exits after the command and would cut off a slow reader. */
function flushed(stdout: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = onAbort(signal, resolve);
    stdout.write('', () => {
      stopListening();
      resolve();
    });
  });
}
