/** Loads a bot module, and tells by what it exports or does which form it has. */
import { resolve } from 'node:path';
import type { Telegraf } from 'telegraf';
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { moduleFailed, moduleNotFound, moduleUnusable } from './load-error.js';
import { describeExports, formOf } from './module-exports.js';
import { findModule, runModule } from './module-file.js';
import { isExitRequest } from './takeover/exit-request.js';

/** What a module exports beside its bot. */
interface Extras {
  /** The export `orderKey`, whatever it is. */
  readonly orderKey: unknown;
}

export type Loaded =
  /** To be called with what lastcall gives to bot modules; what it returns is to be awaited. */
  | ({ readonly form: 'function'; readonly setup: (context: unknown) => unknown } & Extras)
  | ({ readonly form: 'instance'; readonly bot: Telegraf } & Extras)
  /** A whole program that has launched a bot, and may launch more. */
  | { readonly form: 'program' };

export interface LoadOptions {
  /** The arguments that the module finds in `process.argv` behind its own path. */
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
  /** Called once when loading takes long, with what the module has done so far, in words. */
  slow?(progress: string): void;
  readonly clock?: Clock;
}

/** How long loading takes before `slow` is called; of a shorter time limit, a quarter. */
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
  if (path === undefined) throw moduleNotFound(file);
  process.argv = [process.execPath, resolve(file), ...args];

  const over = new AbortController();
  let isProgram = false;
  let progress = 'it is still loading; does a top-level await never end?';

  const program = launched.then((): Loaded => {
    isProgram = true;
    return { form: 'program' };
  });
  const loading = runModule(path).then((exports) => {
    progress = `it exports ${describeExports(exports)}, and has not called launch() on any bot`;
    return formOf(exports) ?? program;
  });
  loading.catch((error) => {
    if (isProgram && !isExitRequest(error)) failedLater(error);
  });
  const overdue = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).then((): never => {
    throw moduleUnusable(path, timeoutMs, progress);
  });
  const cancelSlow = clock.after(Math.min(SLOW_MS, timeoutMs / 4), () => options.slow?.(progress));

  try {
    // In this order: a module that has launched a bot is a program, whatever else it exports or does.
    return await Promise.race([program, loading, overdue]);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof LastcallError ? error : await moduleFailed(path, error);
  } finally {
    over.abort();
    cancelSlow();
  }
}
