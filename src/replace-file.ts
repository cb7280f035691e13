/** Small files that are written whole or not at all. */
import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

interface ReplaceOptions {
  /** The user and group that the file is given to. Default: those of this process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Syncs the content to the disk first. Default: a power cut may bring the old file back. */
  readonly sync?: boolean;
  /** The id of this process, where several write the file: each then has an unfinished one of its own. */
  readonly writer?: number;
}

/**
 * Writes a small file that only its owner may read. A new file takes the old one's place, so that nobody ever reads a
 * part of it.
 *
 * @throws Error the system's, with its `code`
 */
export function replaceFile(path: string, text: string, { owner, sync, writer }: ReplaceOptions = {}): void {
  const unfinished = writer === undefined ? `${path}.new` : `${path}.${writer}.new`;
  try {
    rmSync(unfinished, { force: true });
    // `x` never follows a link that someone else has put there.
    const descriptor = openSync(unfinished, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      if (owner) fchownSync(descriptor, owner.uid, owner.gid);
      if (sync) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

type Write = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => number;

/** The smallest block that file systems give a file; a text that fits in it needs no further room. */
const BLOCK_BYTES = 1_024;

/**
 * Writes a small JSON file anew in its own place, which works on a full disk, too. A power cut may leave a mixture of old and
 * new.
 *
 * @param write returns how many bytes it has written at the position; stands for the system's in tests
 * @throws Error the system's, with its `code`; ENOENT if there is no such file, ENOSPC if there is no room for the text, and
 * the old one is kept
 */
export function overwriteFile(path: string, json: string, write: Write = writeSync): void {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const old = readFileSync(descriptor);
    const text = Buffer.from(json);
    if (text.length > Math.max(old.length, BLOCK_BYTES)) throw noRoom('the text needs a further block');
    // In one step, which a kill cannot divide. Blanks behind JSON mean nothing.
    const bytes = Buffer.concat([text, Buffer.alloc(Math.max(0, old.length - text.length), ' ')]);
    const written = write(descriptor, bytes, 0, bytes.length, 0);
    if (written === bytes.length) return;
    ftruncateSync(descriptor, old.length);
    write(descriptor, old, 0, Math.min(written, old.length), 0);
    throw noRoom(`only ${written} of ${bytes.length} bytes could be written`);
  } finally {
    closeSync(descriptor);
  }
}

const noRoom = (message: string): Error => Object.assign(new Error(message), { code: 'ENOSPC' });
