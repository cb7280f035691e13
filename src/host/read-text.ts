/** Files that may be missing. */
import { readFileSync } from 'node:fs';

/** Returns the text of a file, or undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
