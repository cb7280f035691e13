/** A bot that runs in a sandbox. */
import { describeThrown } from '../../thrown.js';
import { SandboxError } from './sandbox-error.js';

/** A bot that polls: one of Telegraf, grammY or node-telegram-bot-api, an app of lastcall, or anything with `start` and `stop`. */
export type RunnableBot =
  | { launch(): Promise<unknown>; stop(): unknown }
  | { run(): Promise<unknown>; readonly lifecycle: { stop(): unknown } }
  | { startPolling(): unknown; stopPolling(): unknown }
  | { startPolling(): unknown; stop(): unknown }
  | { start(): unknown; stop(): unknown };

/** Returns how to run and to stop a bot. One of Telegraf has a `start`, too, which is something else. */
function formOf(bot: RunnableBot): { readonly run: () => unknown; readonly stop: () => unknown } {
  if ('launch' in bot) return { run: () => bot.launch(), stop: () => bot.stop() };
  if ('lifecycle' in bot) return { run: () => bot.run(), stop: () => bot.lifecycle.stop() };
  if ('startPolling' in bot)
    return {
      run: () => bot.startPolling(),
      // The second version of node-telegram-bot-api has another name for it than the first.
      stop: () => ('stopPolling' in bot ? bot.stopPolling() : bot.stop()),
    };
  return { run: () => bot.start(), stop: () => bot.stop() };
}

/** @internal */
export class BotRun {
  /** Resolves when the bot has ended, however: with its error if it had one before it was stopped. */
  readonly ended: Promise<unknown>;
  readonly #stop: () => unknown;
  #stopping: Promise<void> | undefined;
  #wasStopped = false;
  #stopError: unknown;
  #failure: { readonly error: unknown } | undefined;
  #isExpected = false;
  #isTold = false;

  /** Starts the bot. Calls `onEnd` when it has ended. */
  constructor(bot: RunnableBot, onEnd: () => void) {
    const { run, stop } = formOf(bot);
    this.#stop = stop;
    this.ended = this.#run(run).finally(onEnd);
  }

  /** Whether the bot has ended with an error before it was stopped, though nobody has asked for its end. */
  get hasFailed(): boolean {
    return this.#failure !== undefined && !this.#isExpected;
  }

  /** Whether somebody was told of the failure. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Why the bot could not be stopped: what its own function for that has thrown last. */
  get stopError(): unknown {
    return this.#stopError;
  }

  /** Returns `ended` for somebody who expects the end, which is no failure then. */
  expectEnd(): Promise<unknown> {
    this.#isExpected = true;
    return this.ended;
  }

  /** Makes the error of the failure for somebody who is told by it. */
  tellFailure(): SandboxError {
    this.#isTold = true;
    const error = this.#failure?.error;
    return new SandboxError('BOT_FAILED', `The bot has ended with an error: ${describeThrown(error)}`, {
      cause: error,
    });
  }

  /** Asks the bot to stop, unless it is being asked. Resolves when its own function for that has ended. Never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#askToStop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #askToStop(): Promise<void> {
    this.#wasStopped = true;
    try {
      await this.#stop();
      this.#stopError = undefined;
    } catch (error) {
      // Telegraf throws where the bot does not run, no longer or not yet.
      this.#stopError = error;
    }
  }

  async #run(run: () => unknown): Promise<unknown> {
    try {
      await run();
    } catch (error) {
      if (this.#wasStopped) return undefined;
      this.#failure = { error };
      return error;
    }
    return undefined;
  }
}
