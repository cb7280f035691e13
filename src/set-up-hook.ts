/** The hook that calls the function which a bot module exports, and has the bot polled that the function has set up. */
import { aborted } from './abort.js';
import type { Clock } from './clock.js';
import { requireToken } from './config/load.js';
import type { Config } from './config/schema.js';
import type { Hook, HookContext } from './lifecycle/hook.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import type { AppEvent } from './logging/app-event.js';
import type { Logger } from './logging/logger.js';
import type { LastcallContext } from './telegraf/context.js';
import { hasHandlers } from './telegraf/internals.js';
import { endedWithoutBot } from './telegraf/load-error.js';
import type { Takeover } from './telegraf/takeover/takeover.js';
import { createBot, type Telegraf, withoutContextType } from './telegraf/telegraf.js';

/** The argument that a bot module's default export is called with. */
export interface BotModuleContext {
  readonly bot: Telegraf<LastcallContext>;
  /** A hook added here starts once the module is set up, and stops once the handlers have ended. */
  readonly lifecycle: Pick<Lifecycle, 'add' | 'stop' | 'signal' | 'state' | 'wait'>;
  readonly log: Logger;
  readonly config: Config;
  /** Listens to the events of the run from now on, at all levels. Errors of the listener are ignored. */
  onEvent(listener: (event: AppEvent) => unknown): void;
}

/** The default export of a bot module: a function that registers handlers and hooks. */
export type BotModule = (context: BotModuleContext) => void | Promise<void>;

export interface SetUpOptions {
  readonly setup: (context: unknown) => unknown;
  readonly file: string;
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly takeover: Takeover;
  readonly onEvent: BotModuleContext['onEvent'];
  /** Called when the function fails after it has launched a bot itself. */
  failedLater(error: unknown): void;
}

/** How often it is asked whether the bot has got its handlers. */
const CHECK_MS = 50;

export class SetUpHook implements Hook {
  readonly name = 'set-up';
  readonly #options: SetUpOptions;

  constructor(options: SetUpOptions) {
    this.#options = options;
  }

  async start({ signal }: HookContext): Promise<void> {
    const { setup, config, log, onEvent, lifecycle, takeover, failedLater } = this.#options;
    const bot = await createBot<LastcallContext>(requireToken(config), config.telegramApiRoot);
    const called = Promise.resolve(
      setup({ bot, lifecycle, log, config, onEvent } satisfies BotModuleContext),
    );
    // A function may launch the bot itself and await the launch. It counts as done when the bot is launched.
    await Promise.race([called, takeover.launched, aborted(signal)]);
    signal.throwIfAborted();
    called.catch(failedLater);

    const plainBot = withoutContextType(bot);
    if (hasHandlers(bot)) takeover.adopt(plainBot);
    // Behind the hooks that the function has added, since these may register the handlers.
    else if (!takeover.hasLaunched)
      lifecycle.add({ name: 'handlers', start: (context) => this.#awaitHandlers(plainBot, context) });
  }

  /** Waits until the bot has handlers, or until the program launches another one. A bot without any would only lose updates. */
  async #awaitHandlers(bot: Telegraf, { signal }: HookContext): Promise<void> {
    const { file, clock, takeover } = this.#options;
    const watch = takeover.watch();
    try {
      let isSettled = false;
      const settled = watch.settled().then(() => {
        isSettled = true;
      });
      while (!hasHandlers(bot) && !takeover.hasLaunched) {
        if (isSettled)
          throw endedWithoutBot(
            file,
            'its function has put no handler on the bot that it was given',
            watch.hasWaited,
          );
        await Promise.race([settled, takeover.launched, clock.sleep(CHECK_MS, signal)]);
      }
    } finally {
      watch.end();
    }
    if (!takeover.hasLaunched) takeover.adopt(bot);
  }
}
