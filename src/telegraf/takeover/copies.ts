/**
 * Finds every copy of Telegraf that the process loads, lastcall's own and the bot program's, whatever its version.
 * Telegraf 4 is CommonJS, so `require` and `import` both bring it in through `Module.prototype.load`.
 */
import { dirname } from 'node:path';
import { types } from 'node:util';
import { isTelegrafClass, type TelegrafClass } from '../internals.js';
import { rememberClient, rememberErrorClass, type TelegramErrorClass } from '../known-clients.js';
import { commonJsLoader, nearestPackage } from '../module-file.js';
import { Patches } from './patches.js';

/**
 * Calls `found` once for the Telegraf class of each copy: for those loaded already at once, for later ones before the
 * code that asked for them gets hold of them. The clients of the later ones become known (see known-clients.ts).
 *
 * @returns a function that stops looking
 */
export function watchCopies(found: (telegrafClass: TelegrafClass) => void): () => void {
  const { load } = commonJsLoader.prototype;
  const patches = new Patches();
  const inspected = new WeakSet<object>();
  const classes = new WeakSet<TelegrafClass>();

  const inspect = (exports: unknown, isLoadedNow: boolean) => {
    if (!hasTelegraf(exports) || inspected.has(exports)) return;
    const isFromPackage = packageOf(exports) === 'telegraf';
    const telegrafClass = exportOf(exports, 'Telegraf', isFromPackage);
    if (!isTelegrafClass(telegrafClass)) return;
    inspected.add(exports);
    if (!classes.has(telegrafClass)) {
      classes.add(telegrafClass);
      // A fork or a bundle may have a client of another kind.
      if (isLoadedNow && isFromPackage) rememberClient(telegrafClass);
      found(telegrafClass);
    }
    // Exported by the package's main module, which is loaded right behind the one that declares the class.
    const errorClass = isFromPackage && exportOf(exports, 'TelegramError', true);
    if (isErrorClass(errorClass)) rememberErrorClass(telegrafClass, errorClass);
  };

  for (const module of Object.values(commonJsLoader._cache)) inspect(module?.exports, false);
  // Not `Module._load`, which also loads Node's own modules: they look at the stack for whoever asks for them, and warn of
  // `punycode` unless that is a file in node_modules. Replaced, it would be lastcall.
  patches.replace(commonJsLoader.prototype, 'load', function (this: NodeJS.Module, ...args: unknown[]) {
    Reflect.apply(load, this, args);
    if (patches.active) inspect(this.exports, true);
  });
  return () => patches.undo();
}

function hasTelegraf(exports: unknown): exports is object {
  return (
    typeof exports === 'object' &&
    exports !== null &&
    !types.isProxy(exports) &&
    Object.hasOwn(exports, 'Telegraf')
  );
}

/** The name of the package that a loaded module with these exports belongs to. */
function packageOf(exports: object): unknown {
  const module = Object.values(commonJsLoader._cache).find((candidate) => candidate?.exports === exports);
  return module && nearestPackage(dirname(module.filename))?.name;
}

/** An export. Getters are read only where that is safe: those of unrelated modules may throw, or have side effects. */
function exportOf(exports: object, name: string, mayReadGetter: boolean): unknown {
  return mayReadGetter ? Reflect.get(exports, name) : Object.getOwnPropertyDescriptor(exports, name)?.value;
}

function isErrorClass(value: unknown): value is TelegramErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error;
}
