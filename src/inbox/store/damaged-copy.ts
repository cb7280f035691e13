/** Where the damaged files of an inbox are kept, so that nothing is lost that somebody could still recover. */
import type { Disk } from '../log/disk.js';
import { type Scan, segmentPath } from '../log/scan.js';

/** What of the inbox could not be read. */
export interface Damage {
  /** Where the damaged files are kept. */
  readonly path: string;
  readonly bytes: number;
  /** How many updates could be read. */
  readonly saved: number;
}

/** The path with the time added to its name, because it may be damaged again. */
export function damagedCopyPath(path: string, nowMs: number): string {
  return `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
}

/**
 * Moves the segments of a log that cannot be read to a folder beside it.
 *
 * @param path the folder of the log
 * @returns the path of that folder, or undefined if nothing is damaged
 */
export function setAside(disk: Disk, path: string, scan: Scan, nowMs: number): string | undefined {
  if (scan.damagedBytes === 0) return undefined;
  const damagedFolder = damagedCopyPath(path, nowMs);
  disk.makeFolder(damagedFolder);
  for (const start of scan.discarded)
    disk.rename(segmentPath(path, start), segmentPath(damagedFolder, start));
  return damagedFolder;
}
