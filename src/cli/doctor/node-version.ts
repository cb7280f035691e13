/** Asks another Node for its version. */
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { tryOr } from '../../thrown.js';
import { within } from './time-limit.js';

/** Resolves with the version of a node executable; undefined where it is none, or does not tell. */
export function nodeVersion(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || !basename(path).startsWith('node')) return Promise.resolve(undefined);
  if (tryOr(() => realpathSync(path), path) === process.execPath)
    return Promise.resolve(process.versions.node);
  return within<string | undefined>(
    (signal) =>
      new Promise((resolve) => {
        execFile(path, ['--version'], { signal }, (error, stdout) =>
          resolve(error ? undefined : stdout.trim().replace(/^v/, '')),
        );
      }),
    undefined,
    1_000,
  );
}
