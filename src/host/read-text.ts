/** Files that may be missing. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Returns the text of a file, or undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe that a stranger has put there would block until somebody writes to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return fstatSync(descriptor).isFile() ? readFileSync(descriptor, 'utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
