/**
 * Reads a whole file without ever standing in the way of a stop. A named pipe is a file, too (password managers serve
 * `.env` and tokens through one): opened the plain way it would block a thread until somebody writes, and with it the
 * exit of the process.
 */
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../clock.js';
import { codeOf } from '../system-error.js';

/** Between two looks whether a pipe has something to say. */
const LOOK_EVERY_MS = 20;
/** How long whoever serves a pipe may take, a person who has to unlock it included. */
const PIPE_PATIENCE_MS = 60_000;

/**
 * The file's text as UTF-8. Rejects with the signal's reason when it aborts, else with what the file system says
 * (`code`: ENOENT, EACCES, EISDIR, …), or with ETIMEDOUT when nobody has written into a pipe for a minute.
 */
export async function readTextFile(
  path: string,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<string> {
  signal?.throwIfAborted();
  const kind = await stat(path);
  if (kind.isFIFO()) return readPipe(path, signal, clock);
  return readFile(path, { encoding: 'utf8', signal });
}

async function readPipe(path: string, signal: AbortSignal | undefined, clock: Clock): Promise<string> {
  const pipe = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    const giveUpAt = clock.now() + PIPE_PATIENCE_MS;
    while (clock.now() < giveUpAt) {
      const chunk = Buffer.alloc(65_536);
      const length = await pipe.read(chunk).then(({ bytesRead }) => bytesRead, nothingYet);
      if (length !== undefined && length > 0) {
        chunks.push(chunk.subarray(0, length));
        continue;
      }
      // 0 before the first byte means that nobody has opened the other end yet; after it, that it is closed.
      if (length === 0 && chunks.length > 0) return Buffer.concat(chunks).toString('utf8');
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    throw Object.assign(new Error('nobody wrote into the pipe'), { code: 'ETIMEDOUT' });
  } finally {
    await pipe.close();
  }
}

/** The other end is open and has not written. */
function nothingYet(error: unknown): undefined {
  if (codeOf(error) !== 'EAGAIN') throw error;
}
