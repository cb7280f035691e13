/** Small files that are written whole or not at all. */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
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

/** The smallest block that file systems give a file; a text that fits in it needs no further room. */
const BLOCK_BYTES = 1_024;

/**
 * Writes a small JSON file anew in its own place, which works on a full disk, too. A power cut may leave a mixture of old and
 * new.
 *
 * @throws Error the system's, with its `code`; ENOENT if there is no such file, ENOSPC if the text is too long
 */
export function overwriteFile(path: string, json: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(descriptor);
    const text = Buffer.from(json);
    if (text.length > Math.max(size, BLOCK_BYTES))
      throw Object.assign(new Error('the text needs a further block'), { code: 'ENOSPC' });
    // In one step, which a kill cannot divide. Blanks behind JSON mean nothing.
    writeSync(descriptor, Buffer.concat([text, Buffer.alloc(Math.max(0, size - text.length), ' ')]));
  } finally {
    closeSync(descriptor);
  }
}
