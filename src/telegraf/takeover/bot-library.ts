/** Puts into words what fetches updates in place of a bot of Telegraf 4. */
import { dirname, relative, sep } from 'node:path';
import { tryOr } from '../../thrown.js';
import { commonJsLoader, nearestPackage } from '../module-file.js';

/** Packages that poll by themselves, and the names that people know them by. */
const libraries: ReadonlyMap<unknown, string> = new Map([
  ['telegraf', 'Telegraf'],
  ['grammy', 'grammY'],
  ['node-telegram-bot-api', 'node-telegram-bot-api'],
  ['telebot', 'TeleBot'],
  ['gramio', 'GramIO'],
  ['puregram', 'puregram'],
]);

/**
 * Names the library that polls, and its version: by the files that take part in the poll, else, since callbacks hide them,
 * by those that the program has loaded; undefined if it is none that is known.
 */
export function libraryAmong(files: readonly string[]): string | undefined {
  const loaded = Object.keys(commonJsLoader._cache);
  return nameAmong(files) ?? nameAmong(loaded);
}

function nameAmong(files: readonly string[]): string | undefined {
  for (const folder of new Set(files.filter(isInPackage).map((file) => dirname(file)))) {
    const found = tryOr(() => nearestPackage(folder), undefined);
    const name = libraries.get(found?.name);
    if (name !== undefined) return `${name} ${found?.version}`;
  }
  return undefined;
}

/** The innermost of the program's own files, from the working directory where that is shorter; undefined if there is none. */
export function ownFileAmong(files: readonly string[]): string | undefined {
  const file = files.find((candidate) => !isInPackage(candidate));
  return file === undefined ? undefined : shortPath(file);
}

/** A path as people write it: from the working directory, if the file is in it. */
export function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path === '' || path.startsWith('..') ? file : path;
}

const isInPackage = (file: string): boolean => file.includes(`${sep}node_modules${sep}`);
