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
  /** Resolves when the bot has ended, however. */
  readonly ended: Promise<void>;
  readonly #stop: () => unknown;
  #isStopping = false;
  #failure: SandboxError | undefined;
  #wasTold = false;

  /** Starts the bot. Calls `onEnd` when it has ended. */
  constructor(bot: RunnableBot, onEnd: () => void) {
    const { run, stop } = formOf(bot);
    this.#stop = stop;
    this.ended = this.#run(run).finally(onEnd);
  }

  /** Why the bot has ended with an error before it was stopped, if it has. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  /** Whether somebody was told of the failure. */
  get wasTold(): boolean {
    return this.#wasTold;
  }

  /** Returns the failure for somebody who is to be told. */
  tellFailure(): SandboxError | undefined {
    this.#wasTold = this.#failure !== undefined;
    return this.#failure;
  }

  /** Asks the bot to stop, and resolves when its own function for that has ended. */
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
      const what = `The bot has ended with an error: ${describeThrown(error)}`;
      this.#failure = new SandboxError('BOT_FAILED', what, { cause: error });
    }
  }
}
