/** Small files that are written whole or not at all. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a small file, for its owner only, so that nobody ever reads half of it: a new file takes the old one's place. It
 * survives the process; a power cut may bring the old one back.
 *
 * @throws Error the system's, with its `code`
 */
export function replaceFile(path: string, text: string): void {
  const unfinished = `${path}.new`;
  try {
    writeFileSync(unfinished, text, { mode: 0o600 });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
