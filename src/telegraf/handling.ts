/**
 * Hands single updates to a bot. The bot's own `handleUpdate` does the work, so that its context type, session,
 * scenes and overrides are as ever; handlers see the stop and the attempt, and their failures reach the caller.
 */
import type { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import { Delivery, equip, equippedType, type Run } from './context.js';
import { type BotInternals, internalsOf, specimenOf, telegrafClassOf } from './specimen.js';
import { isExitRequest } from './takeover/exit-request.js';

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

/** Switches the bot's `handlerTimeout` and default error handler off until `restore`. */
export function prepareBot<C extends Context>(bot: Telegraf<C>): PreparedBot {
  const internals = internalsOf(bot);
  // By id, not by object: an overridden handleUpdate may pass a copy on.
  const running = new Map<number, Delivery>();
  const undo = [
    switchOffTimeout(internals),
    switchOffDefaultErrorHandler(internals),
    equipContexts(internals),
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

/** The contexts that Telegraf makes have all they need from their type: nothing has to be hung on each of them. */
function equipContexts({ options }: BotInternals): () => void {
  const before = options.contextType;
  const equipped = equippedType(before);
  options.contextType = equipped;
  return () => {
    if (options.contextType === equipped) options.contextType = before;
  };
}

type Middleware = (ctx: Context, next: unknown) => unknown;

/** `handleUpdate` asks the bot for its middleware once per update: the one place where each context passes. */
function wrapMiddleware(bot: BotInternals, running: Map<number, Delivery>): () => void {
  const before = Object.getOwnPropertyDescriptor(bot, 'middleware');
  const original = bot.middleware;
  const wrapping = (middleware: Middleware) => async (ctx: Context, next: unknown) => {
    const delivery = running.get(ctx.update.update_id);
    equip(ctx, delivery, bot.telegram);
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
  let last: { readonly middleware: Middleware; readonly wrapping: Middleware } | undefined;
  const wrapped = () => {
    const middleware = Reflect.apply(original, bot, []);
    // It is the same one until the program adds to it.
    if (last?.middleware !== middleware) last = { middleware, wrapping: wrapping(middleware) };
    return last.wrapping;
  };
  Object.defineProperty(bot, 'middleware', { configurable: true, writable: true, value: wrapped });
  return () => {
    if (bot.middleware !== wrapped) return;
    if (before) Object.defineProperty(bot, 'middleware', before);
    else Reflect.deleteProperty(bot, 'middleware');
  };
}
