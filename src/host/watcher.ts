/**
 * Programs that restart the bot when a file changes: pm2's `watch`, nodemon and `node --watch-path`. If one of them sees the
 * state, which changes with every start and every update, the bot is restarted before it comes to poll.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { isObject, parseJson } from '../json.js';
import type { WatchedStateEvent } from './events.js';
import { isInside } from './hidden-places.js';
import { lineOf, type ProcessTable, systemTable } from './process-table.js';
import { readText } from './read-text.js';
import { LAST_RUN_FILE, parseRunRecord } from './run-record.js';

/** What a watcher watches. Paths are relative to the working directory or absolute. */
export interface Watcher {
  readonly name: 'pm2' | 'nodemon' | 'node --watch-path';
  readonly watched: readonly string[];
  /** Patterns of paths that it leaves out; undefined if they are not known. */
  readonly ignored: readonly string[] | undefined;
}

export interface WatchedProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ppid: number;
  readonly cwd: string;
  readonly table?: ProcessTable;
  /** Returns the text of a file, or undefined if there is none. */
  readonly read?: (path: string) => string | undefined;
}

/** How soon pm2 has started the bot again after a change. */
const A_MOMENT_MS = 30_000;

/** A shell, npx and its shell may be between nodemon and the process. */
const GENERATIONS = 5;

/** The names of folders that pm2 and nodemon leave out unless they are told otherwise: `node_modules`, `.git` and so on. */
const usuallyIgnored = /^(?:node_modules$|\.)/;

/** Returns what to tell if a watcher would restart this process at each change in the folder of the state, else undefined. */
export function watchedState(folder: string, process: WatchedProcess): WatchedStateEvent | undefined {
  const watcher = pm2Watcher(process) ?? nodemon(process) ?? nodeWatcher(process);
  if (!watcher || !sees(watcher, folder, process.cwd)) return undefined;
  // What it leaves out is not known. If it restarts the bot at each change, a run has ended just now.
  if (watcher.ignored === undefined && !hasEndedRun(folder)) return undefined;
  const { name } = watcher;
  const path = relative(process.cwd, folder);
  return { event: 'state.watched', watcher: name, folder, cure: path === '' ? otherCure : cures[name](path) };
}

const otherCure = 'let it watch the sources only';

const cures: Readonly<Record<Watcher['name'], (path: string) => string>> = {
  pm2: (path) => `have ignore_watch: ['${path}', 'node_modules'] in the app's settings`,
  nodemon: (path) => `start it with --ignore ${path}/`,
  'node --watch-path': () => otherCure,
};

function sees({ name, watched, ignored = [] }: Watcher, folder: string, cwd: string): boolean {
  if (!watched.some((path) => isInside(folder, resolve(cwd, withoutGlob(path))))) return false;
  const names = relative(cwd, folder).split(sep);
  if (name !== 'node --watch-path' && names.some((each) => usuallyIgnored.test(each) && each !== '..'))
    return false;
  return !ignored
    .map(withoutGlob)
    .some((path) => isInside(folder, resolve(cwd, path)) || names.includes(path));
}

/** Returns the folder that a pattern begins with. */
const withoutGlob = (pattern: string): string =>
  pattern.replace(/^\*\*\//, '').replace(/(?:^|\/)(?:\*.*)?$/, '');

/** Whether a run of a bot with its state in the folder has ended in order a moment ago. */
function hasEndedRun(folder: string): boolean {
  const latest = Date.now() - A_MOMENT_MS;
  try {
    return readdirSync(folder).some((bot) => {
      const file = join(folder, bot, LAST_RUN_FILE);
      const changedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      return changedMs > latest && parseRunRecord(readText(file) ?? '')?.phase === 'stopped';
    });
  } catch {
    return false; // There is no such folder yet, or none that can be read, which others tell.
  }
}

/** pm2 passes lists on only in cluster mode. */
function pm2Watcher({ env, cwd }: WatchedProcess): Watcher | undefined {
  const { pm_id, watch, pm_cwd = cwd, ignore_watch, exec_mode } = env;
  if (pm_id === undefined || watch === undefined || watch === 'false') return undefined;
  const watched = watch === 'true' ? [pm_cwd] : watch.split(',').map((path) => resolve(pm_cwd, path));
  const known = exec_mode === 'cluster_mode' ? [] : undefined;
  return { name: 'pm2', watched, ignored: ignore_watch?.split(',') ?? known };
}

function nodemon({ ppid, cwd, table = systemTable, read = readText }: WatchedProcess): Watcher | undefined {
  const commands = lineOf(ppid, GENERATIONS, table).map((pid) => table.commandOf(pid) ?? '');
  const command = commands.find((each) => /^\S*(?: \S*)?\bnodemon(?:\.js)?(?: |$)/.test(each));
  if (command === undefined) return undefined;
  const manifest = objectIn(read(join(cwd, 'package.json')));
  const files = [objectIn(read(join(cwd, 'nodemon.json'))), objectOf(manifest['nodemonConfig'])];
  const setting = (flags: readonly string[], key: string): string[] => [
    ...valuesAfter(flags, command),
    ...files.flatMap((file) => textsOf(file[key])),
  ];
  const extensions = setting(['-e', '--ext'], 'ext').flatMap((list) => list.split(/[, ]+/));
  // The state changes in files of this type with each start, and every few seconds.
  if (extensions.length > 0 && !extensions.some((each) => /^\.?(?:json|\*)$/.test(each))) return undefined;
  const watched = setting(['-w', '--watch'], 'watch');
  return {
    name: 'nodemon',
    watched: watched.length > 0 ? watched : ['.'],
    ignored: setting(['-i', '--ignore'], 'ignore'),
  };
}

/** Without a path Node watches what is imported only. */
function nodeWatcher({ env, ppid, table = systemTable }: WatchedProcess): Watcher | undefined {
  if (env['WATCH_REPORT_DEPENDENCIES'] === undefined) return undefined;
  const watched = valuesAfter(['--watch-path'], table.commandOf(ppid) ?? '');
  return watched.length > 0 ? { name: 'node --watch-path', watched, ignored: [] } : undefined;
}

/** Returns the values of a flag in a command: `--flag value` and `--flag=value`. */
function valuesAfter(flags: readonly string[], command: string): string[] {
  const words = command.split(' ');
  return words.flatMap((word, index) => {
    const [flag = '', ...value] = word.split('=');
    if (!flags.includes(flag)) return [];
    return [value.length > 0 ? value.join('=') : (words[index + 1] ?? '')];
  });
}

const objectIn = (text: string | undefined): Readonly<Record<string, unknown>> =>
  objectOf(text === undefined ? undefined : parseJson(text));

const objectOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {});

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === 'string');
