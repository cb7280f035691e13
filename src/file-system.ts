/** The kind of file system that a path is on, which decides what the files there survive. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './system-error.js';

/** `overlay`: the layer of a container, most likely. `memory`: gone with the machine's power. */
export type FileSystemKind = 'overlay' | 'memory' | 'other';

/** The magic numbers of statfs(2). */
const kinds: ReadonlyMap<number, FileSystemKind> = new Map([
  [0x794c7630, 'overlay'], // OVERLAYFS_SUPER_MAGIC
  [0x01021994, 'memory'], // TMPFS_MAGIC
  [0x858458f6, 'memory'], // RAMFS_MAGIC
]);

/** Returns the kind of file system of a path, or of its nearest folder if there is nothing at the path yet. */
export function fileSystemOf(path: string): FileSystemKind {
  try {
    return kinds.get(statfsSync(path).type) ?? 'other';
  } catch (error) {
    const parent = dirname(path);
    return codeOf(error) === 'ENOENT' && parent !== path ? fileSystemOf(parent) : 'other';
  }
}
