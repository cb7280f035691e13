/** Loads a bot module, and tells by what it exports or does which form it has. */
import { resolve } from 'node:path';
import type { Telegraf } from 'telegraf';
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { endedWithoutBot, moduleFailed, moduleNotFound, notLaunchedInTime } from './load-error.js';
import { describeExports, formOf } from './module-exports.js';
import { findModule, runModule } from './module-file.js';
import { isExitRequest } from './takeover/exit-request.js';

interface Exported {
  /** The export `orderKey` beside the bot, whatever it is. */
  readonly orderKey: unknown;
  /**
   * When the export may be used, unless the module launches a bot before: once the module has loaded, once it most
   * probably waits for nothing any more, or once it has come to rest.
   */
  readonly useWhen: 'loaded' | 'settled' | 'at-rest';
}

export type Loaded =
  /** To be called with what lastcall gives to bot modules; what it returns is to be awaited. */
  | ({ readonly form: 'function'; readonly setup: (context: unknown) => unknown } & Exported)
  | ({ readonly form: 'instance'; readonly bot: Telegraf } & Exported)
  /** A whole program that has launched a bot, and may launch more. */
  | { readonly form: 'program' };

/** What the program has under way; a {@link ProgramWatch} begins it, and its end ends that. */
interface Watch {
  readonly atRest: Promise<void>;
  settled(): Promise<void>;
  readonly hasWaited: boolean;
  readonly open: readonly string[];
  end(): void;
}

export interface LoadOptions {
  /** The arguments that the module finds in `process.argv` behind its own path. */
  readonly args?: readonly string[];
  /** Resolves when the module launches a bot: from then on it counts as loaded, settled or not. */
  readonly launched: Promise<unknown>;
  /** Watches the program until the result is there. */
  watch(): Watch;
  /** Ends the wait, not the module: code that is being loaded cannot be interrupted. */
  readonly signal: AbortSignal;
  /** How long the module may take until it has exported or launched a bot. */
  readonly timeoutMs: number;
  /**
   * The module has launched a bot, and has failed after that; perhaps by letting the very error through that its
   * `launch()` was rejected with.
   */
  failedLater(error: unknown): void;
  /** Called once when loading takes long, with what the module has done so far, in words. */
  slow?(progress: string): void;
  /** Called when the export is used although the program still has something open, of these kinds. */
  usedWhileOpen?(kinds: readonly string[]): void;
  readonly clock?: Clock;
}

/** How long loading takes before `slow` is called; of a shorter time limit, a quarter. */
const SLOW_MS = 5_000;

/** A program that has been at work for longer than this after it was loaded has waited for something. */
const SHORT_MS = 50;

/**
 * Loads the file that `node FILE` would run. Sets `process.argv` as that does, and leaves it so.
 *
 * Rejects with BOT_MODULE_NOT_FOUND, with BOT_MODULE_FAILED when the module throws, with BOT_MODULE_UNUSABLE or
 * BOT_NOT_LAUNCHED when it comes to rest and has neither exported nor launched a bot, with BOT_NOT_LAUNCHED when it has
 * not done so in `timeoutMs`, and with the signal's reason when that aborts first.
 */
export async function loadBotModule(file: string, options: LoadOptions): Promise<Loaded> {
  const { args = [], launched, signal, timeoutMs, failedLater, clock = systemClock } = options;
  signal.throwIfAborted();
  const path = findModule(file);
  if (path === undefined) throw moduleNotFound(file);
  process.argv = [process.execPath, resolve(file), ...args];

  const over = new AbortController();
  const watch = options.watch();
  let isProgram = false;
  let progress = 'it is still loading; does a top-level await never end?';
  let exported: Exclude<Loaded, { form: 'program' }> | undefined;
  let loadedAt = Number.POSITIVE_INFINITY;

  const program = launched.then((): Loaded => {
    isProgram = true;
    return { form: 'program' };
  });
  // Begun before the module is, whose code may keep Node busy for a while.
  const overdue = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).then((): never => {
    throw notLaunchedInTime(path, { timeoutMs, open: watch.open, progress });
  });
  const cancelSlow = clock.after(Math.min(SLOW_MS, timeoutMs / 4), () => options.slow?.(progress));
  const loading = runModule(path).then(async (exports): Promise<Loaded> => {
    loadedAt = clock.now();
    progress = `it exports ${describeExports(exports)}, and has not called launch() on any bot`;
    exported = formOf(exports);
    if (!exported || exported.useWhen === 'at-rest') return program;
    if (exported.useWhen === 'loaded') return exported;
    await watch.settled();
    return exported;
  });
  loading.catch((error) => {
    if (isProgram && !isExitRequest(error)) failedLater(error);
  });
  const atRest = watch.atRest.then((): Loaded => {
    if (exported) return exported;
    throw endedWithoutBot(path, progress, watch.hasWaited || clock.now() - loadedAt > SHORT_MS);
  });

  try {
    // In this order: a module that has launched a bot is a program, whatever else it exports or does.
    const loaded = await Promise.race([program, loading, atRest, overdue]);
    if (loaded.form !== 'program' && loaded.useWhen === 'settled' && watch.open.length > 0)
      options.usedWhileOpen?.(watch.open);
    return loaded;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof LastcallError ? error : await moduleFailed(path, error);
  } finally {
    over.abort();
    cancelSlow();
    watch.end();
  }
}
