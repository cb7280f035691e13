/** The heartbeat of a run in a container: a file that is written while the run makes progress, for `lastcall probe`. */
import { lstatSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../make-folder.js';
import { replaceFile } from '../replace-file.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the path of the heartbeat. It is in the container's own /tmp and not in STATE_DIR, since a volume may have the
 * heartbeat of another container, and a watcher may look at it.
 */
export function heartbeatFile(env: Environment): string {
  const folder = env['TMPDIR'] || tmpdir();
  return join(folder, `lastcall-${process.getuid?.() ?? 0}`, 'heartbeat');
}

/** Writes the heartbeat. Throws an error that says why it cannot be written. */
export function writeHeartbeat(path: string, nowMs = systemUptimeMs()): void {
  const folder = dirname(path);
  makeFolder(folder);
  if (!isOwnFolder(folder)) throw new Error(`${folder} is not a folder of this user alone`);
  replaceFile(path, `${nowMs}\n`);
}

/** Returns how long ago the heartbeat was written; undefined if there is none, or one of another boot. */
export function heartbeatAgeMs(path: string, nowMs = systemUptimeMs()): number | undefined {
  try {
    if (!isOwnFolder(dirname(path))) return undefined;
    const ageMs = nowMs - Number.parseInt(readFileSync(path, 'utf8'), 10);
    return ageMs >= 0 ? ageMs : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody else can have put the folder, or a link, there. */
function isOwnFolder(folder: string): boolean {
  const stats = lstatSync(folder);
  return stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}

/** A time that all processes of the machine share, and that no change of the wall clock moves. */
const systemUptimeMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);
