/** What the contexts of a bot offer to handlers while lastcall runs it: `ctx.signal` and `ctx.attempt`. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'telegraf';

/** What handlers find in their context while lastcall runs the bot. */
export interface LastcallContext extends Context {
  /**
   * Aborts when the stop has no more time for this handler, or when the handler has run for longer than
   * HANDLER_TIMEOUT. API calls made through `ctx` end with it, by rejecting with its reason.
   */
  readonly signal: AbortSignal;
  /** 1 at first; higher when the update was begun before by a run that did not live to end it. */
  readonly attempt: number;
}

/** An object whose signal may be made only when it is first read, since making one takes Node 20 2 µs. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

/** One run of a bot's handlers over one update. */
export class UpdateRun implements Pick<LastcallContext, 'signal' | 'attempt'> {
  readonly attempt: number;
  /** Whether the handlers have failed. */
  failed = false;
  /** Whether the handlers have called `process.exit`: nothing behind that call should have an effect. */
  hasExited = false;
  readonly #source: SignalSource;
  #signal: AbortSignal | undefined;

  constructor(source: SignalSource, attempt: number) {
    this.#source = source;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      this.#signal = this.#source.signal;
      // One listener a call is normal here; Node 20 would warn of a leak at the eleventh.
      setMaxListeners(0, this.#signal);
    }
    return this.#signal;
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
}
