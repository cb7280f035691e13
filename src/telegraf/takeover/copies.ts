/**
 * Finds every copy of Telegraf that the process loads, lastcall's own and the bot program's, whatever its version.
 * Telegraf 4 is CommonJS, so `require` and `import` both bring it in through `Module._load`.
 */
import Module from 'node:module';
import { types } from 'node:util';
import { isTelegrafClass, type TelegrafClass } from '../specimen.js';
import { Patches } from './patches.js';

/** The part of Node's CommonJS loader that is public by long use, not by its types. */
interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  readonly _cache: Readonly<Record<string, { readonly exports?: unknown } | undefined>>;
}

/**
 * Calls `found` once for the Telegraf class of each copy: for those loaded already at once, for later ones before
 * the code that asked for them gets hold of them.
 *
 * @returns a function that stops looking
 */
export function watchCopies(found: (telegrafClass: TelegrafClass) => void): () => void {
  const loader = Module as unknown as Loader;
  const load = loader._load;
  const patches = new Patches();
  const seen = new Set<unknown>();

  const look = (exports: unknown) => {
    const candidate = exportedTelegraf(exports);
    if (!isTelegrafClass(candidate) || seen.has(candidate)) return;
    seen.add(candidate);
    found(candidate);
  };

  for (const module of Object.values(loader._cache)) look(module?.exports);
  patches.replace(loader, '_load', function (this: unknown, ...args: unknown[]) {
    const exports: unknown = Reflect.apply(load, this, args);
    if (patches.active) look(exports);
    return exports;
  });
  return () => patches.undo();
}

/** Reads no getter: the exports of modules that are none of our business may do anything when looked at. */
function exportedTelegraf(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null || types.isProxy(exports)) return undefined;
  return Object.getOwnPropertyDescriptor(exports, 'Telegraf')?.value;
}
