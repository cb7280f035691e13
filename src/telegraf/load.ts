/**
 * Loads a bot module and tells which of the three forms it has: a function that sets a bot up, a bot, or a whole
 * program that launches its bots itself.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Telegraf } from 'telegraf';
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { findModule, runModule } from './module-file.js';
import { isBot, isTelegrafClass } from './specimen.js';
import { isExitRequest } from './takeover/exit-request.js';

export type Loaded =
  /** To be called with what lastcall gives to bot modules; what it returns is to be awaited. */
  | { readonly form: 'function'; readonly setup: (context: unknown) => unknown }
  | { readonly form: 'instance'; readonly bot: Telegraf }
  /** It has launched a bot, and may launch more. */
  | { readonly form: 'program' };

export interface LoadOptions {
  /** What the module finds in `process.argv` behind its own path. */
  readonly args?: readonly string[];
  /** Resolves when the module launches a bot: from then on it counts as loaded, settled or not. */
  readonly launched: Promise<unknown>;
  /** Ends the wait, not the module: code that is being loaded cannot be interrupted. */
  readonly signal: AbortSignal;
  /** How long the module may take until it has exported or launched a bot. */
  readonly timeoutMs: number;
  /**
   * The module has launched a bot, and has failed after that; perhaps by letting the very error through that its
   * `launch()` was rejected with.
   */
  failedLater(error: unknown): void;
  /** Called once when it takes long, with what the module has done so far, in words. */
  slow?(progress: string): void;
  readonly clock?: Clock;
}

/** From then on somebody who watches wonders; of a shorter time, a quarter. */
const SLOW_MS = 5_000;

/**
 * Loads the file that `node FILE` would run. Sets `process.argv` as that does, and leaves it so.
 *
 * Rejects with BOT_MODULE_NOT_FOUND, with BOT_MODULE_FAILED when the module throws, with BOT_MODULE_UNUSABLE when in
 * `timeoutMs` it neither exports nor launches a bot, and with the signal's reason when that aborts first.
 */
export async function loadBotModule(file: string, options: LoadOptions): Promise<Loaded> {
  const { args = [], launched, signal, timeoutMs, failedLater, clock = systemClock } = options;
  signal.throwIfAborted();
  const path = findModule(file);
  if (path === undefined) throw notFound(file);
  process.argv = [process.execPath, resolve(file), ...args];

  const over = new AbortController();
  let isProgram = false;
  let progress = 'it is still loading; does a top-level await never end?';

  const program = launched.then((): Loaded => {
    isProgram = true;
    return { form: 'program' };
  });
  const loading = runModule(path).then((exports) => {
    progress = `it exports ${describe(exports)}, and has not called launch() on any bot`;
    return recognise(exports) ?? program;
  });
  loading.catch((error) => {
    if (isProgram && !isExitRequest(error)) failedLater(error);
  });
  const overdue = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).then((): never => {
    throw unusable(path, timeoutMs, progress);
  });
  const cancelSlow = clock.after(Math.min(SLOW_MS, timeoutMs / 4), () => options.slow?.(progress));

  try {
    // In this order: a module that has launched a bot is a program, whatever else it exports or does.
    return await Promise.race([program, loading, overdue]);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof LastcallError ? error : await failed(path, error);
  } finally {
    over.abort();
    cancelSlow();
  }
}

/** The default export, however it was compiled: of an ES module, of CommonJS, or of the one made into the other. */
function recognise(exports: unknown): Loaded | undefined {
  for (const candidate of [exports, defaultOf(exports), defaultOf(defaultOf(exports))]) {
    if (isBot(candidate)) return { form: 'instance', bot: candidate };
    if (typeof candidate === 'function' && !isClass(candidate))
      return { form: 'function', setup: (context) => Reflect.apply(candidate, undefined, [context]) };
  }
  return undefined;
}

function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, 'default') : undefined;
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(String(value));
}

/** What a module exports that is no bot, in words that let its author see what is missing. */
function describe(exports: unknown): string {
  const given = defaultOf(exports);
  if (given !== undefined) return `as default ${describeValue(given)}`;
  if (typeof exports !== 'object' || exports === null) return describeValue(exports);
  const names = Object.keys(exports).filter((name) => name !== '__esModule');
  return names.length === 0 ? 'nothing' : `no default, only ${list(names)}`;
}

function describeValue(value: unknown): string {
  if (isTelegrafClass(value)) return 'the Telegraf class, not an instance of it';
  if (isClass(value)) return 'a class, not a function';
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (value instanceof Promise) return 'a promise, not a bot';
  const names = Object.keys(value);
  return names.length === 0 ? 'an empty object' : `an object with ${list(names)}`;
}

const list = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');

function notFound(file: string): LastcallError {
  const path = resolve(file);
  const message = `there is no bot module ${path} (the working directory is ${process.cwd()})`;
  return new LastcallError('BOT_MODULE_NOT_FOUND', path, message);
}

function unusable(path: string, timeoutMs: number, progress: string): LastcallError {
  const message = `the bot module ${path} has given no bot in ${Number((timeoutMs / 1000).toFixed(1))} s: ${progress}`;
  return new LastcallError('BOT_MODULE_UNUSABLE', path, message);
}

async function failed(path: string, cause: unknown): Promise<LastcallError> {
  const message = `the bot module ${path} does not load: ${await explain(cause, path)}`;
  return new LastcallError('BOT_MODULE_FAILED', path, message, { cause });
}

/** What the module threw, and where. */
async function explain(error: unknown, path: string): Promise<string> {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const [message = ''] = error.message.split('\n');
  const code: unknown = Reflect.get(error, 'code');
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return `a dependency is missing: ${message}`;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return `${message}; Node runs JavaScript, so compile it first and run what comes of that`;
  const place =
    error instanceof SyntaxError ? await placeOfSyntaxError(error, path) : placeIn(error.stack, path);
  return [place, error.name, message].filter(Boolean).join(': ');
}

/** For ES modules Node keeps the place to itself until it prints the error, so it is asked to print one. */
async function placeOfSyntaxError({ stack }: SyntaxError, path: string): Promise<string> {
  const told = firstLinePlace(stack);
  if (told !== undefined) return told;
  // Loaded here, since hardly any start needs it, and all would wait for it.
  const { spawnSync } = await import('node:child_process');
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return firstLinePlace(stderr) ?? 'in a file that it imports';
}

/** `file:line`, which Node puts on the line above the code. */
function firstLinePlace(text = ''): string | undefined {
  const [place = ''] = text.split('\n');
  if (!/:\d+$/.test(place)) return undefined;
  return place.startsWith('file:') ? fileURLToPath(place) : place;
}

/** The innermost line of the module itself that a stack names. */
function placeIn(stack = '', path: string): string | undefined {
  const at = stack.indexOf(`${path}:`);
  const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + path.length + 1));
  return line ? `${path}:${line[0]}` : undefined;
}
