/**
 * Reads a whole file so that a stop can interrupt the reading. The file may be a named pipe, by which password managers
 * serve `.env` and tokens. Opening a pipe the usual way blocks a thread, and the exit of the process, until it is written.
 */
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../clock.js';
import { codeOf } from '../system-error.js';

/** The pause between two reads of a pipe that has nothing to read yet. */
const READ_EVERY_MS = 20;
/** How long the writer of a pipe may take, including a person who has to unlock a password manager. */
const PIPE_PATIENCE_MS = 60_000;

/**
 * Returns the file's text: UTF-8, or UTF-16 with a byte order mark, as editors and shells of Windows write it. Rejects with the signal's reason when the signal aborts, with the error of the file
 * system (`code`: ENOENT, EACCES, EISDIR, …), with EILSEQ if it is no text, or with ETIMEDOUT if nobody writes into a pipe
 * for a minute.
 */
export async function readTextFile(
  path: string,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<string> {
  signal?.throwIfAborted();
  const kind = await stat(path);
  return decoded(kind.isFIFO() ? await readPipe(path, signal, clock) : await readFile(path, { signal }));
}

async function readPipe(path: string, signal: AbortSignal | undefined, clock: Clock): Promise<Buffer> {
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
      // Before the first byte, 0 means that nobody has opened the other end yet; later, that the other end is closed.
      if (length === 0 && chunks.length > 0) return Buffer.concat(chunks);
      await clock.sleep(READ_EVERY_MS, signal);
    }
    throw Object.assign(new Error('nobody wrote into the pipe'), { code: 'ETIMEDOUT' });
  } finally {
    await pipe.close();
  }
}

/** @throws Error with the code EILSEQ */
function decoded(bytes: Buffer): string {
  const [first = 0, second = 0] = bytes;
  const mark = (first << 8) | second;
  if (mark === 0xfffe) return new TextDecoder('utf-16le').decode(bytes);
  if (mark === 0xfeff) return new TextDecoder('utf-16be').decode(bytes);
  // UTF-16 without a mark has a NUL in every letter, and text in UTF-8 has none.
  if (bytes.includes(0)) throw Object.assign(new Error('a NUL in the text'), { code: 'EILSEQ' });
  return bytes.toString('utf8');
}

/** Ignores EAGAIN: the other end of the pipe is open and has not written yet. */
function nothingYet(error: unknown): undefined {
  if (codeOf(error) !== 'EAGAIN') throw error;
}
