/** Small files that are written whole or not at all. */
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

interface ReplaceOptions {
  /** The user and group that the file is given to. Default: those of this process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Syncs the content to the disk first. Default: a power cut may bring the old file back. */
  readonly sync?: boolean;
}

/**
 * Writes a small file that only its owner may read. A new file takes the old one's place, so that nobody ever reads a
 * part of it.
 *
 * @throws Error the system's, with its `code`
 */
export function replaceFile(path: string, text: string, { owner, sync }: ReplaceOptions = {}): void {
  const unfinished = `${path}.new`;
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
