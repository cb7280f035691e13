/**
 * Hands single updates to a bot. The bot's own `handleUpdate` does the work, so that its context type, session,
 * scenes and overrides are as ever; handlers see the stop and the attempt, and their failures reach the caller.
 */
import { setMaxListeners } from 'node:events';
import type { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
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

interface Delivery {
  readonly signal: AbortSignal;
  readonly attempt: number;
}

/** `caught`: the handler failed, and the bot's own `bot.catch` took the error. */
type HandlingResult = 'handled' | 'caught';

export interface PreparedBot {
  /**
   * Resolves when the update's handler has ended, whether or not the signal has aborted meanwhile. Rejects with what
   * the handler threw if the bot has no `bot.catch`, or with what that threw.
   */
  handle(update: Update, delivery: Delivery): Promise<HandlingResult>;
  /** Gives the bot back as it was. Handlers still running keep their signal. */
  restore(): void;
}

interface Running extends Delivery {
  failed: boolean;
}

/** Switches the bot's `handlerTimeout` and default error handler off until `restore`. */
export function prepareBot<C extends Context>(bot: Telegraf<C>): PreparedBot {
  const internals = internalsOf(bot);
  // By id, not by object: an overridden handleUpdate may pass a copy on.
  const running = new Map<number, Running>();
  const undo = [
    switchOffTimeout(internals),
    switchOffDefaultErrorHandler(internals),
    wrapMiddleware(internals, running),
  ];

  return {
    async handle(update, { signal, attempt }) {
      // One listener a call is normal here; Node 20 would warn of a leak at the eleventh.
      setMaxListeners(0, signal);
      const delivery: Running = { signal, attempt, failed: false };
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
function wrapMiddleware(bot: BotInternals, running: ReadonlyMap<number, Running>): () => void {
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
const undelivered = (): Delivery => ({ signal: new AbortController().signal, attempt: 1 });

/** Gives a context what {@link LastcallContext} promises, without taking anything of the program's own. */
function equip(ctx: Context, { signal, attempt }: Delivery, shared: unknown): void {
  for (const [name, value] of Object.entries({ signal, attempt })) {
    if (name in ctx) continue;
    Object.defineProperty(ctx, name, { configurable: true, writable: true, enumerable: false, value });
  }
  // Telegraf makes a client per update. A context that brings the bot's own client is left alone: others share it.
  if (ctx.telegram !== shared) endCallsWith(signal, ctx.telegram);
}

type CallApi = (method: string, payload: object, options?: { signal?: AbortLike }) => Promise<unknown>;

/** An AbortSignal of the platform, or one of the abort-controller package, which Telegraf's types ask for. */
type AbortLike = Pick<AbortSignal, 'aborted' | 'addEventListener' | 'removeEventListener'>;

function endCallsWith(signal: AbortSignal, telegram: object): void {
  const client = telegram as { callApi: CallApi };
  const original = client.callApi;
  client.callApi = async (method, payload, options = {}) => {
    signal.throwIfAborted();
    const controller = new AbortController();
    const endByCaller = () => controller.abort();
    const { signal: callers } = options;
    if (callers?.aborted) endByCaller();
    callers?.addEventListener('abort', endByCaller);
    let end = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = () => {
        reject(signal.reason);
        controller.abort(signal.reason);
      };
    });
    signal.addEventListener('abort', end);
    try {
      const call = Reflect.apply(original, client, [
        method,
        payload,
        { ...options, signal: controller.signal },
      ]);
      // A race, since node-fetch may never settle, not even when it is aborted: a body cut off is one such case.
      return await Promise.race([ended, call]);
    } finally {
      signal.removeEventListener('abort', end);
      callers?.removeEventListener('abort', endByCaller);
    }
  };
}
