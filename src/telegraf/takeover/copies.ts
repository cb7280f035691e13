/**
 * Finds every copy of Telegraf that the process loads, lastcall's own and the bot program's, whatever its version.
 * Telegraf is CommonJS, so `require` and `import` both bring it in through `Module.prototype.load`, unless it is bundled.
 */
import { dirname } from 'node:path';
import { types } from 'node:util';
import { isTelegraf3Class, isTelegrafClass, type TelegrafClass } from '../internals.js';
import { rememberClient, rememberErrorClass, type TelegramErrorClass } from '../known-clients.js';
import { commonJsLoader, nearestPackage } from '../module-file.js';
import { watchConstructors } from './bundled-copies.js';
import { Patches } from './patches.js';

export interface CopyListener {
  /** Called once for the Telegraf class of each copy of version 4. */
  found(telegrafClass: TelegrafClass): void;
  /** Called once for the Telegraf class of each copy of version 3. */
  foundVersion3(telegraf3Class: { readonly prototype: object }, version: string): void;
}

export interface CopyWatch {
  /** Takes the Telegraf class of a bot for that of a copy, if no copy has been found with it. */
  add(telegrafClass: TelegrafClass): void;
  stop(): void;
}

/**
 * Tells of each copy: of those loaded already at once, of later ones before the code that asked for them gets hold of them,
 * of bundled ones when the first bot is made. The clients of the later ones become known (see known-clients.ts).
 */
export function watchCopies({ found, foundVersion3 }: CopyListener): CopyWatch {
  const { load } = commonJsLoader.prototype;
  const patches = new Patches();
  const inspected = new WeakSet<object>();
  const classes = new WeakSet<object>();

  const add = (telegrafClass: TelegrafClass, rememberIt = () => {}) => {
    if (classes.has(telegrafClass)) return;
    classes.add(telegrafClass);
    rememberIt();
    found(telegrafClass);
  };

  const inspect = (exports: unknown, isLoadedNow: boolean) => {
    // Version 3 exports its class.
    if (isTelegraf3Class(exports) && !inspected.has(exports)) {
      inspected.add(exports);
      foundVersion3(exports, String(packageOf(exports)?.version ?? 3));
    }
    if (!hasTelegraf(exports) || inspected.has(exports)) return;
    const isFromPackage = packageOf(exports)?.name === 'telegraf';
    const telegrafClass = exportOf(exports, 'Telegraf', isFromPackage);
    if (!isTelegrafClass(telegrafClass)) return;
    inspected.add(exports);
    // A fork or a bundle may have a client of another kind.
    add(telegrafClass, () => {
      if (isLoadedNow && isFromPackage) rememberClient(telegrafClass);
    });
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
  watchConstructors((telegrafClass) => add(telegrafClass), patches);
  return { add: (telegrafClass) => add(telegrafClass), stop: () => patches.undo() };
}

function hasTelegraf(exports: unknown): exports is object {
  return (
    typeof exports === 'object' &&
    exports !== null &&
    !types.isProxy(exports) &&
    Object.hasOwn(exports, 'Telegraf')
  );
}

/** The package that a loaded module with these exports belongs to. */
function packageOf(exports: object): ReturnType<typeof nearestPackage> {
  const module = Object.values(commonJsLoader._cache).find((candidate) => candidate?.exports === exports);
  return module && nearestPackage(dirname(module.filename));
}

/** An export. Getters are read only where that is safe: those of unrelated modules may throw, or have side effects. */
function exportOf(exports: object, name: string, mayReadGetter: boolean): unknown {
  return mayReadGetter ? Reflect.get(exports, name) : Object.getOwnPropertyDescriptor(exports, name)?.value;
}

function isErrorClass(value: unknown): value is TelegramErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error;
}
