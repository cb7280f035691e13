/** Folders that are made together with the folders above them. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './system-error.js';

/**
 * Makes a folder that only its owner may use, unless there is one, and the missing folders above it. They are made one by
 * one: Node's `recursive` says ENOENT where the file system is read-only, and never returns where it is the kernel's, such
 * as /proc.
 *
 * @param made called with each folder that was not there before
 * @throws Error the system's, with its `code`
 */
export function makeFolder(path: string, made: (folder: string) => void = () => {}): void {
  try {
    makeOne(path, made);
  } catch (error) {
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error;
    makeFolder(parent, made);
    makeOne(path, made);
  }
}

function makeOne(path: string, made: (folder: string) => void): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Some file systems name another reason first, such as that they are read-only.
    if (codeOf(error) !== 'ENOENT' && isFolder(path)) return;
    throw error;
  }
  made(path);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
