/**
 * Hands single updates to a bot. The bot's own `handleUpdate` does the work, so that its context type, session,
 * scenes and overrides are as ever; handlers see the stop and the attempt, and their failures reach the caller.
 */
import { setMaxListeners } from 'node:events';
import type { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import { TurnoverMap } from '../turnover-map.js';
import { endCallsWith } from './calls.js';
import { type BotInternals, internalsOf, specimenOf, telegrafClassOf } from './specimen.js';
import { isExitRequest } from './takeover/exit-request.js';

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
interface Run {
  /** Read only where the handler wants it or makes a call: a signal that is made when it is first read costs others nothing. */
  readonly signal: AbortSignal;
}

/** `caught`: the handler failed, and the bot's own `bot.catch` took the error. */
type HandlingResult = 'handled' | 'caught';

export interface PreparedBot {
  /**
   * Resolves when the update's handler has ended, whether or not the signal has aborted meanwhile. Rejects with what
   * the handler threw if the bot has no `bot.catch`, or with what that threw.
   */
  handle(update: Update, run: Run, attempt: number): Promise<HandlingResult>;
  /** Gives the bot back as it was. Handlers still running keep their signal. */
  restore(): void;
}

/** An update that is being handled. */
class Delivery implements Pick<LastcallContext, 'signal' | 'attempt'> {
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

/** Switches the bot's `handlerTimeout` and default error handler off until `restore`. */
export function prepareBot<C extends Context>(bot: Telegraf<C>): PreparedBot {
  const internals = internalsOf(bot);
  // By id, not by object: an overridden handleUpdate may pass a copy on.
  const running = new TurnoverMap<number, Delivery>();
  const undo = [
    switchOffTimeout(internals),
    switchOffDefaultErrorHandler(internals),
    wrapMiddleware(internals, running),
  ];

  return {
    async handle(update, run, attempt) {
      const delivery = new Delivery(run, attempt);
      running.set(update.update_id, delivery);
      try {
        await internals.handleUpdate(update);
      } finally {
        running.delete(update.update_id);
      }
      return delivery.failed ? 'caught' : 'handled';
    },
    restore() {
      for (const step of undo.splice(0)) step();
    },
  };
}

function switchOffTimeout({ options }: BotInternals): () => void {
  const before = options.handlerTimeout;
  options.handlerTimeout = Number.POSITIVE_INFINITY;
  return () => {
    options.handlerTimeout = before;
  };
}

/** A `bot.catch` registered before stays, and one registered later replaces ours; both are honoured. */
function switchOffDefaultErrorHandler(bot: BotInternals): () => void {
  if (!hasDefaultErrorHandler(bot)) return () => {};
  const before = bot.handleError;
  const rethrow = (error: unknown) => {
    throw error;
  };
  bot.handleError = rethrow;
  return () => {
    if (bot.handleError === rethrow) bot.handleError = before;
  };
}

/** Each instance has a closure of its own; what they share is the text. */
function hasDefaultErrorHandler(bot: BotInternals): boolean {
  return String(bot.handleError) === String(specimenOf(telegrafClassOf(bot)).handleError);
}

/** `handleUpdate` asks the bot for its middleware once per update: the one place where each context passes. */
function wrapMiddleware(bot: BotInternals, running: TurnoverMap<number, Delivery>): () => void {
  const before = Object.getOwnPropertyDescriptor(bot, 'middleware');
  const original = bot.middleware;
  const wrapped = () => {
    const middleware = Reflect.apply(original, bot, []);
    return async (ctx: Context, next: unknown) => {
      const delivery = running.get(ctx.update.update_id);
      if (delivery || !('signal' in ctx)) equip(ctx, delivery ?? undelivered(), bot.telegram);
      try {
        return await middleware(ctx, next);
      } catch (error) {
        // The program has asked to end while it is being stopped anyway; its handler has done what it wanted.
        if (isExitRequest(error)) return undefined;
        if (!delivery) throw error;
        delivery.failed = true;
        // The bot was given back while the handler was at work: nobody waits for it, and the default error handler
        // would print the whole update and set the exit code.
        if (hasDefaultErrorHandler(bot)) return undefined;
        throw error;
      }
    };
  };
  Object.defineProperty(bot, 'middleware', { configurable: true, writable: true, value: wrapped });
  return () => {
    if (bot.middleware !== wrapped) return;
    if (before) Object.defineProperty(bot, 'middleware', before);
    else Reflect.deleteProperty(bot, 'middleware');
  };
}

/** For an update that did not come from us: the program has called `bot.handleUpdate` itself. */
const undelivered = () => new Delivery({ signal: new AbortController().signal }, 1);

/** Where a context keeps its delivery. */
const DELIVERY = Symbol('delivery');

interface Equipped {
  readonly [DELIVERY]: Delivery;
}

/** Of all contexts the same functions, which look the delivery up: Node makes such properties in no time. */
const equipment: Readonly<Record<'signal' | 'attempt', PropertyDescriptor & ThisType<Equipped>>> = {
  signal: {
    configurable: true,
    get() {
      return this[DELIVERY].signal;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'signal', { configurable: true, writable: true, value });
    },
  },
  attempt: {
    configurable: true,
    get() {
      return this[DELIVERY].attempt;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'attempt', { configurable: true, writable: true, value });
    },
  },
};

/** Gives a context what {@link LastcallContext} promises, without taking anything of the program's own. */
function equip(ctx: Context, delivery: Delivery, shared: unknown): void {
  if (!(DELIVERY in ctx)) Object.defineProperty(ctx, DELIVERY, { value: delivery });
  if (!('signal' in ctx)) Object.defineProperty(ctx, 'signal', equipment.signal);
  if (!('attempt' in ctx)) Object.defineProperty(ctx, 'attempt', equipment.attempt);
  // Telegraf makes a client per update. A context that brings the bot's own client is left alone: others share it.
  if (ctx.telegram !== shared) endCallsWith(delivery, ctx.telegram);
}
