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

/** The run that each context belongs to. */
const runs = new WeakMap<object, UpdateRun>();

/** Assigning to either property replaces it, as programs may use the names for something of their own. */
const properties: PropertyDescriptorMap & ThisType<object> = {
  signal: {
    configurable: true,
    get() {
      return runs.get(this)?.signal;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'signal', { configurable: true, writable: true, value });
    },
  },
  attempt: {
    configurable: true,
    get() {
      return runs.get(this)?.attempt;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'attempt', { configurable: true, writable: true, value });
    },
  },
};

/** Adds the properties of {@link LastcallContext}, except those whose name the program uses already. */
function addProperties(target: object): void {
  for (const [name, property] of Object.entries(properties))
    if (!(name in target)) Object.defineProperty(target, name, property);
}

export type ContextType = new (...args: never[]) => object;

/** A subtype whose contexts have the properties of {@link LastcallContext}, and which looks like the type itself. */
export function withRunProperties(type: ContextType): ContextType {
  const subtype = class extends type {};
  Object.defineProperty(subtype, 'name', { configurable: true, value: type.name });
  Object.defineProperty(subtype.prototype, 'constructor', {
    configurable: true,
    writable: true,
    value: type,
  });
  addProperties(subtype.prototype);
  return subtype;
}

/**
 * Makes a context one of the run, whichever type it has.
 *
 * @returns false if it belongs to a run already, which it keeps
 */
export function assignRun(ctx: object, run: UpdateRun): boolean {
  if (runs.has(ctx)) return false;
  runs.set(ctx, run);
  addProperties(ctx);
  return true;
}
