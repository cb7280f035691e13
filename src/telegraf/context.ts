/** What the contexts of a bot offer to handlers while lastcall runs it. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'telegraf';
import type { HandlerRun } from '../dispatch/task.js';
import { RetryLater } from './retry-later.js';

/** What handlers find in their context while lastcall runs the bot. */
export interface LastcallContext extends Context {
  /**
   * Aborts when the stop has no more time for this handler, or when the handler has run for longer than
   * HANDLER_TIMEOUT. API calls made through `ctx` end with it, by rejecting with its reason.
   */
  readonly signal: AbortSignal;
  /** How often the handlers of this update have begun, this time included. */
  readonly attempt: number;
  /**
   * Ends the handler by throwing a {@link RetryLater}: the update is handled again after the delay, at its place in its
   * chat, until it is 24 hours old.
   *
   * @param delay a duration with its unit (`'500ms'`, `'30s'`, `'2m'`, `'1h'`), or a number of milliseconds
   * @throws TypeError if the delay is neither
   */
  retryAfter(delay: string | number): never;
}

/** One run of a bot's handlers over one update. */
export class UpdateRun implements HandlerRun {
  readonly attempt: number;
  /** Why the handlers have failed, and whether that was kept from the bot's error handler, since they will run again. */
  failure: { readonly error: unknown; readonly isPutBack: boolean } | undefined;
  /** Whether the handlers have called `process.exit`: nothing after that call should have an effect. */
  hasExited = false;
  readonly #run: HandlerRun;
  #signal: AbortSignal | undefined;

  constructor(run: HandlerRun, attempt: number) {
    this.#run = run;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      this.#signal = this.#run.signal;
      // One listener a call is normal here; Node 20 would warn of a leak at the eleventh.
      setMaxListeners(0, this.#signal);
    }
    return this.#signal;
  }

  pause(ms: number): Promise<boolean> {
    return this.#run.pause(ms);
  }

  isPutBack(error: unknown): boolean {
    return this.#run.isPutBack(error);
  }
}

export type ContextType = new (...args: never[]) => object;

/** The runs that the contexts of one bot belong to. */
export interface ContextRuns {
  /** A subtype of the bot's context type that has {@link LastcallContext}'s properties and looks like the type. */
  readonly type: ContextType;
  /**
   * Makes a context one of the run, whichever type it has.
   *
   * @returns false if it belongs to a run already, which it keeps
   */
  assign(ctx: object, run: UpdateRun): boolean;
}

export function createContextRuns(type: ContextType): ContextRuns {
  /** The runs of contexts of another type, which a program has made itself. */
  const others = new WeakMap<object, UpdateRun>();

  class ContextWithRun extends type {
    /** A field, since a WeakMap for all contexts takes 0.8 µs more for each update. */
    // biome-ignore lint/style/useReadonlyClassProperties: a static method assigns it
    #run: UpdateRun | undefined;

    static runOf(ctx: object): UpdateRun | undefined {
      return #run in ctx ? ctx.#run : others.get(ctx);
    }

    static assign(ctx: object, run: UpdateRun): boolean {
      if (ContextWithRun.runOf(ctx)) return false;
      if (#run in ctx) ctx.#run = run;
      else {
        others.set(ctx, run);
        addProperties(ctx, ContextWithRun.runOf);
      }
      return true;
    }
  }
  Object.defineProperty(ContextWithRun, 'name', { configurable: true, value: type.name });
  const asDeclared = { configurable: true, writable: true, value: type };
  Object.defineProperty(ContextWithRun.prototype, 'constructor', asDeclared);
  addProperties(ContextWithRun.prototype, ContextWithRun.runOf);
  return { type: ContextWithRun, assign: ContextWithRun.assign };
}

/** Adds the properties of {@link LastcallContext}, except those whose name the program uses already. */
function addProperties(target: object, runOf: (ctx: object) => UpdateRun | undefined): void {
  for (const name of ['signal', 'attempt'] as const) {
    if (name in target) continue;
    Object.defineProperty(target, name, {
      configurable: true,
      get(this: object) {
        return runOf(this)?.[name];
      },
      // A program may take the name for something of its own.
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { configurable: true, writable: true, value });
      },
    });
  }
  if ('retryAfter' in target) return;
  Object.defineProperty(target, 'retryAfter', {
    configurable: true,
    writable: true,
    value: (delay: string | number): never => {
      throw new RetryLater(delay);
    },
  });
}
