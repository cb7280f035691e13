/**
 * Hands single updates to a bot. The bot's own `handleUpdate` does the work, so that its context type, session,
 * scenes and overrides are as ever; handlers see the stop and the attempt, and their failures reach the caller. Errors for
 * which an update is handled again reach the caller alone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { Failure } from '../dispatch/failure.js';
import type { HandlerRun } from '../dispatch/task.js';
import { describeThrown } from '../thrown.js';
import { endCallsWithRun } from './calls.js';
import { type ContextRuns, type ContextType, createContextRuns, UpdateRun } from './context.js';
import { failureOf, type KnownCalls } from './failure.js';
import {
  type BotInternals,
  hasDefaultErrorHandler,
  internalsOf,
  pristineBotOf,
  telegrafClassOf,
} from './internals.js';
import { isExitRequest } from './takeover/exit-request.js';

/** Keeps track of the code that is called from handlers. */
export interface HandlerScope {
  /** Calls the handlers of an update; settles when their run has ended. */
  run(run: UpdateRun, handle: () => Promise<unknown>): Promise<unknown>;
}

export interface PreparedBot {
  /** The bot's own time limit for handlers; undefined where it has Telegraf's default. */
  readonly ownHandlerTimeoutMs: number | undefined;
  /**
   * Resolves when the update's handler has ended, whether or not the signal has aborted meanwhile; with the error that the
   * bot's `bot.catch` has taken, if any. Rejects with what the handler threw if the bot has no `bot.catch` or the update is
   * put back for that error, or with what `bot.catch` threw.
   */
  handle(update: Update, run: HandlerRun, attempt: number): Promise<{ readonly caught: unknown } | undefined>;
  /** Tells what kind of failure an error of a handler is. Does not throw. */
  failureOf(error: unknown): Failure;
  /** Gives the bot back as it was. Handlers still running keep their signal. */
  restore(): void;
}

/** Switches the bot's `handlerTimeout` and default error handler off until `restore`. */
export function prepareBot<C extends Context>(bot: Telegraf<C>, scope?: HandlerScope): PreparedBot {
  const internals = internalsOf(bot);
  // By id, not by object: an overridden handleUpdate may pass a copy on.
  const running = new Map<number, UpdateRun>();
  const contexts = createContextRuns(internals.options.contextType);
  const ownHandlerTimeoutMs = ownHandlerTimeoutOf(internals);
  const calls: KnownCalls = {
    get apiRoot() {
      return internals.telegram.options.apiRoot;
    },
    errors: new WeakSet(),
  };
  const undo = [
    switchOffTimeout(internals),
    switchOffDefaultErrorHandler(internals),
    replaceContextType(internals, contexts.type),
    wrapMiddleware(internals, running, contexts, calls.errors),
  ];

  return {
    ownHandlerTimeoutMs,
    async handle(update, handlerRun, attempt) {
      const run = new UpdateRun(handlerRun, attempt);
      running.set(update.update_id, run);
      try {
        const handle = () => internals.handleUpdate(update);
        await (scope ? scope.run(run, handle) : handle());
      } catch (error) {
        // Where the bot's error handler fails as well, it is the handler's failure that decides what becomes of the update,
        // unless the error handler asks for a later run.
        const { error: first } = run.failure ?? { error };
        if (first === error || failureOf(error, calls).kind === 'asked') throw error;
        throw new AggregateError(
          [first, error],
          `${describeThrown(first)}; then bot.catch failed: ${describeThrown(error)}`,
        );
      } finally {
        running.delete(update.update_id);
      }
      const { failure } = run;
      if (failure?.isPutBack) throw failure.error;
      return failure && { caught: failure.error };
    },
    failureOf: (error) => failureOf(error, calls),
    restore() {
      for (const step of undo.splice(0)) step();
    },
  };
}

function ownHandlerTimeoutOf(bot: BotInternals): number | undefined {
  const { handlerTimeout } = bot.options;
  return handlerTimeout > 0 && handlerTimeout !== pristineBotOf(telegrafClassOf(bot)).options.handlerTimeout
    ? handlerTimeout
    : undefined;
}

function switchOffTimeout({ options }: BotInternals): () => void {
  const before = options.handlerTimeout;
  options.handlerTimeout = Number.POSITIVE_INFINITY;
  return () => {
    options.handlerTimeout = before;
  };
}

/** Leaves a `bot.catch` that was registered before in place; one that is registered later replaces ours. */
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

function replaceContextType({ options }: BotInternals, type: ContextType): () => void {
  const before = options.contextType;
  options.contextType = type;
  return () => {
    if (options.contextType === type) options.contextType = before;
  };
}

/** After so many turns of the event loop, signals that were sent before have been heard. */
const TURNS_FOR_SIGNALS = 2;

type Middleware = (ctx: Context, next: unknown) => unknown;

/** Replaces the bot's `middleware`, which `handleUpdate` asks for once per update: every context passes there. */
function wrapMiddleware(
  bot: BotInternals,
  running: Map<number, UpdateRun>,
  contexts: ContextRuns,
  callErrors: WeakSet<object>,
): () => void {
  const before = Object.getOwnPropertyDescriptor(bot, 'middleware');
  const original = bot.middleware;
  const wrapping = (middleware: Middleware) => async (ctx: Context, next: unknown) => {
    const run = running.get(ctx.update.update_id);
    const own = run ?? runOfProgram();
    // A program's context type may give all contexts the bot's own client, whose calls end with none of the runs.
    if (contexts.assign(ctx, own) && ctx.telegram !== bot.telegram)
      endCallsWithRun(ctx.telegram, own, callErrors);
    try {
      const result = await middleware(ctx, next);
      // What the program has tried again, or caught around a call of its own to handleUpdate, has not failed.
      if (run) run.failure = undefined;
      return result;
    } catch (error) {
      // The handler has called process.exit: it has done what it wanted.
      if (isExitRequest(error) || own.hasExited) return undefined;
      if (!run) throw error;
      // Ctrl-C in a terminal also ends a child that the handler waits for, which may be heard of first.
      for (let turn = 0; turn < TURNS_FOR_SIGNALS; turn++) await nextTurn();
      run.failure = { error, isPutBack: run.isPutBack(error) };
      // The bot was given back while the handler was at work: nobody waits for it, and the default error handler
      // would print the whole update and set the exit code.
      if (run.failure.isPutBack || hasDefaultErrorHandler(bot)) return undefined;
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

/** The run of an update with which the program has called `bot.handleUpdate` itself: its signal never aborts. */
const runOfProgram = () =>
  new UpdateRun(
    { signal: new AbortController().signal, pause: async () => false, isPutBack: () => false },
    1,
  );
