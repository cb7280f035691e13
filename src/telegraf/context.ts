/** What lastcall gives to the contexts of a bot: each knows of the delivery of its update, and nobody sees how. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'telegraf';
import { endCallsWith } from './calls.js';

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

/** The run of a handler, as whoever starts it has it. */
export interface Run {
  /** Read only where the handler wants it or makes a call: a signal that is made when it is first read costs others nothing. */
  readonly signal: AbortSignal;
}

/** An update that is being handled. */
export class Delivery implements Pick<LastcallContext, 'signal' | 'attempt'> {
  readonly attempt: number;
  failed = false;
  readonly #run: Run;
  #signal: AbortSignal | undefined;

  constructor(run: Run, attempt: number) {
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
}

/** So that a subclass hangs its private fields on what it is given, instead of on something new. */
class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return object;
  }
}

/** A delivery, hung on its context: a private field costs less than a property, or an entry in a WeakMap. */
class Hung extends Itself {
  readonly #delivery: Delivery;

  constructor(ctx: object, delivery: Delivery) {
    super(ctx);
    this.#delivery = delivery;
  }

  static on(ctx: object): Delivery | undefined {
    return #delivery in ctx ? ctx.#delivery : undefined;
  }
}

/** Programs may take the names for something of their own. */
const equipment: Readonly<Record<'signal' | 'attempt', PropertyDescriptor & ThisType<object>>> = {
  signal: {
    configurable: true,
    get() {
      return Hung.on(this)?.signal;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'signal', { configurable: true, writable: true, value });
    },
  },
  attempt: {
    configurable: true,
    get() {
      return Hung.on(this)?.attempt;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'attempt', { configurable: true, writable: true, value });
    },
  },
};

/** Adds what {@link LastcallContext} promises, without taking anything of the program's own. */
function addEquipment(target: object): void {
  if (!('signal' in target)) Object.defineProperty(target, 'signal', equipment.signal);
  if (!('attempt' in target)) Object.defineProperty(target, 'attempt', equipment.attempt);
}

export type ContextType = new (...args: never[]) => object;

/** A type of contexts like this one, with what {@link LastcallContext} promises; in all else nobody can tell them apart. */
export function equippedType(type: ContextType): ContextType {
  const equipped = class extends type {};
  Object.defineProperty(equipped, 'name', { configurable: true, value: type.name });
  const likeAny = { configurable: true, writable: true, value: type };
  Object.defineProperty(equipped.prototype, 'constructor', likeAny);
  addEquipment(equipped.prototype);
  return equipped;
}

/** Makes a context one of this delivery, whoever has made it. */
export function equip(ctx: Context, delivery: Delivery | undefined, shared: unknown): void {
  const known = Hung.on(ctx);
  if (known && !delivery) return;
  const own = delivery ?? undelivered();
  if (!known) {
    new Hung(ctx, own);
    addEquipment(ctx);
  }
  // Telegraf makes a client per update. A context that brings the bot's own client is left alone: others share it.
  if (ctx.telegram !== shared) endCallsWith(own, ctx.telegram);
}

/** For an update that did not come from us: the program has called `bot.handleUpdate` itself. */
const undelivered = () => new Delivery({ signal: new AbortController().signal }, 1);
