/** A bot that runs for as long as the sandbox is open. */
import { describeThrown } from '../../thrown.js';
import { SandboxError } from './sandbox-error.js';

/** A bot that polls: one of Telegraf, grammY or node-telegram-bot-api, an app of lastcall, or anything with `start` and `stop`. */
export type RunnableBot =
  | { launch(): Promise<unknown>; stop(): unknown }
  | { run(): Promise<unknown>; readonly lifecycle: { stop(): unknown } }
  | { startPolling(): unknown; stopPolling(): unknown }
  | { start(): unknown; stop(): unknown };

/** Runs and stops a bot of any form. A bot of Telegraf has a `start`, too, which is something else. */
function formOf(bot: RunnableBot): { readonly run: () => unknown; readonly stop: () => unknown } {
  if ('launch' in bot) return { run: () => bot.launch(), stop: () => bot.stop() };
  if ('lifecycle' in bot) return { run: () => bot.run(), stop: () => bot.lifecycle.stop() };
  if ('startPolling' in bot) return { run: () => bot.startPolling(), stop: () => bot.stopPolling() };
  return { run: () => bot.start(), stop: () => bot.stop() };
}

/** @internal */
export class BotRun {
  readonly #stop: () => unknown;
  #failure: SandboxError | undefined;
  #isStopping = false;
  /** Whether somebody has been told of the failure. */
  #isTold = false;
  /** Resolves when the bot has ended, however. */
  readonly ended: Promise<void>;

  /** Starts the bot. Calls `onEnd` when it has ended. */
  constructor(bot: RunnableBot, onEnd: () => void) {
    const { run, stop } = formOf(bot);
    this.#stop = stop;
    this.ended = this.#run(run).finally(onEnd);
  }

  /** Why the bot has ended, if it has ended with an error before it was stopped. Counts as told. */
  get failure(): SandboxError | undefined {
    if (this.#failure) this.#isTold = true;
    return this.#failure;
  }

  /** Like `failure`, but undefined if somebody was told of it. */
  get untoldFailure(): SandboxError | undefined {
    return this.#isTold ? undefined : this.failure;
  }

  /** Asks the bot to stop, and resolves when its `stop` has been called and has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    try {
      await this.#stop();
    } catch {
      // Telegraf throws where the bot does not run, or no longer.
    }
  }

  async #run(run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (this.#isStopping) return;
      this.#failure = new SandboxError(
        'BOT_FAILED',
        `The bot has ended with an error: ${describeThrown(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}
