/**
 * Whose settings are looked at. A bot under systemd has its settings from its unit, and not from the shell in which somebody
 * looks for what is wrong with it: where the shell has no token, those of the unit that runs the bot of this folder count.
 */
import { accessSync, constants, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tryOr } from '../../thrown.js';
import { fileAfterRun } from './processes.js';
import type { Unit } from './systemd-facts.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  /** The unit that the settings are of; undefined for those of this shell. */
  readonly unit: Unit | undefined;
  /** Why the token of the unit is not known, if so. */
  readonly closedToken: string | undefined;
  /** The bot's file as it is named for this folder; undefined where BOT_MODULE may name it. */
  readonly file: string | undefined;
}

const tokenVariables = ['BOT_TOKEN', 'LASTCALL_BOT_TOKEN', 'BOT_TOKEN_FILE', 'LASTCALL_BOT_TOKEN_FILE'];
const UNIT_STATES = '/var/lib';

/** The units that run the bot: those in the folder, or with the file; else the only one of the host, if no file is named. */
export function unitsOf(
  units: readonly Unit[],
  { cwd, file }: { readonly cwd: string; readonly file: string | undefined },
): readonly Unit[] {
  const wanted = file === undefined ? undefined : realPath(resolve(cwd, file));
  const own = units.filter((unit) => {
    const folder = folderOf(unit);
    if (wanted === undefined) return folder === realPath(cwd);
    const named = fileAfterRun(unit.argv) ?? moduleIn(unit);
    return named !== undefined && realPath(resolve(folder, named)) === wanted;
  });
  return own.length === 0 && wanted === undefined && units.length === 1 ? units : own;
}

/** As a process sees it that runs there: without symbolic links. */
const folderOf = ({ properties }: Unit): string =>
  realPath((properties['WorkingDirectory'] ?? '/').replace(/^[!-]+/, '') || '/');

const moduleIn = ({ env }: Unit): string | undefined => env['LASTCALL_BOT_MODULE'] || env['BOT_MODULE'];

/** The path itself where nothing is there, or it may not be seen. */
const realPath = (path: string): string => tryOr(() => realpathSync(path), path);

export function surroundingsOf(
  own: readonly Unit[],
  shell: { readonly env: Environment; readonly cwd: string; readonly file: string | undefined },
): Surroundings {
  const [unit] = own;
  const nothing = { ...shell, unit: undefined, closedToken: undefined };
  if (!unit || tokenVariables.some((name) => shell.env[name])) return nothing;
  const { tokenFile, properties } = unit;
  const state = properties['StateDirectory']?.split(' ')[0];
  const isReadable = tokenFile !== undefined && mayRead(tokenFile);
  return {
    unit,
    cwd: folderOf(unit),
    file: shell.file === undefined ? fileAfterRun(unit.argv) : resolve(shell.cwd, shell.file),
    env: {
      ...shell.env,
      ...unit.env,
      ...(state && { STATE_DIRECTORY: join(UNIT_STATES, state) }),
      ...(isReadable && { BOT_TOKEN_FILE: tokenFile }),
    },
    closedToken:
      tokenFile !== undefined && !isReadable
        ? `The token of ${unit.name} is in ${tokenFile}, which this user may not read, or which is not there`
        : undefined,
  };
}

const mayRead = (path: string): boolean =>
  tryOr(() => {
    accessSync(path, constants.R_OK);
    return true;
  }, false);
