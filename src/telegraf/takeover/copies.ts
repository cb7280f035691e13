/**
 * Finds every copy of Telegraf that the process loads, lastcall's own and the bot program's, whatever its version.
 * Telegraf 4 is CommonJS, so `require` and `import` both bring it in through `Module._load`.
 */
import Module from 'node:module';
import { dirname } from 'node:path';
import { types } from 'node:util';
import { isTelegrafClass, type TelegrafClass } from '../internals.js';
import { rememberClient, rememberErrorClass, type TelegramErrorClass } from '../known-clients.js';
import { nearestPackage } from '../module-file.js';
import { Patches } from './patches.js';

/** The part of Node's CommonJS loader that is public by long use, not by its types. */
interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  readonly _cache: Readonly<
    Record<string, { readonly exports?: unknown; readonly filename?: string } | undefined>
  >;
}

/**
 * Calls `found` once for the Telegraf class of each copy: for those loaded already at once, for later ones before the
 * code that asked for them gets hold of them. The clients of the later ones become known (see known-clients.ts).
 *
 * @returns a function that stops looking
 */
export function watchCopies(found: (telegrafClass: TelegrafClass) => void): () => void {
  const loader = Module as unknown as Loader;
  const load = loader._load;
  const patches = new Patches();
  const seen = new Set<unknown>();

  /** Only of the package itself is it certain that nobody can have changed it before: forks and bundles come as they like. */
  const isOfTelegraf = (exports: unknown): boolean => {
    const module = Object.values(loader._cache).find((candidate) => candidate?.exports === exports);
    return module?.filename !== undefined && nearestPackage(dirname(module.filename))?.name === 'telegraf';
  };
  const look = (exports: unknown, isLoadedNow: boolean) => {
    const { telegrafClass, errorClass } = exportsOfTelegraf(exports);
    if (!isTelegrafClass(telegrafClass)) return;
    if (!seen.has(telegrafClass)) {
      seen.add(telegrafClass);
      if (isLoadedNow && isOfTelegraf(exports)) rememberClient(telegrafClass);
      found(telegrafClass);
    }
    if (isErrorClass(errorClass)) rememberErrorClass(telegrafClass, errorClass);
  };

  for (const module of Object.values(loader._cache)) look(module?.exports, false);
  patches.replace(loader, '_load', function (this: unknown, ...args: unknown[]) {
    const exports: unknown = Reflect.apply(load, this, args);
    if (patches.active) look(exports, true);
    return exports;
  });
  return () => patches.undo();
}

/**
 * The exports that a copy of Telegraf is known by. The class is first seen in the module that declares it, the error class
 * in the package's main module. Getters are only read where all the names of that are found, since the exports of
 * modules that are none of our business may do anything when looked at.
 */
function exportsOfTelegraf(exports: unknown): { telegrafClass?: unknown; errorClass?: unknown } {
  if (typeof exports !== 'object' || exports === null || types.isProxy(exports)) return {};
  if (!Object.hasOwn(exports, 'Telegraf')) return {};
  if (['Telegram', 'TelegramError'].every((name) => Object.hasOwn(exports, name)))
    return {
      telegrafClass: Reflect.get(exports, 'Telegraf'),
      errorClass: Reflect.get(exports, 'TelegramError'),
    };
  return { telegrafClass: Object.getOwnPropertyDescriptor(exports, 'Telegraf')?.value };
}

function isErrorClass(value: unknown): value is TelegramErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error;
}
