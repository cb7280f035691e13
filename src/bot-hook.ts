/** The hook that loads the bot in any of its forms, and that runs the program's own stop code at the stop. */
import { aborted } from './abort.js';
import type { Bots, Launched } from './bots.js';
import type { Clock } from './clock.js';
import { requireToken } from './config/load.js';
import type { Config } from './config/schema.js';
import { LastcallError } from './errors.js';
import type { KeepAlive } from './host/keep-alive.js';
import type { Hook, HookContext } from './lifecycle/hook.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { type EventLog, logEvent } from './logging/events.js';
import type { Logger } from './logging/logger.js';
import type { LastcallContext } from './telegraf/context.js';
import { type Loaded, loadBotModule } from './telegraf/load.js';
import { guardedOrderKey, type OrderKeyFunction } from './telegraf/order-key.js';
import { isExitRequest } from './telegraf/takeover/exit-request.js';
import { type StopCall, type Takeover, takeOver } from './telegraf/takeover/takeover.js';
import { createBot, type Telegraf, withoutContextType } from './telegraf/telegraf.js';

/** A bot module: a function, a Telegraf instance, or a program that `node` would run. */
export interface BotFile {
  readonly file: string;
  /** The arguments that the module finds in `process.argv` after its own path. */
  readonly args?: readonly string[];
  /** The logger that the module is given. */
  readonly log: Logger;
}

/** The origin of the bot: the embedding program itself, or a module. */
export type BotSource = { readonly bot: Telegraf; readonly orderKey?: OrderKeyFunction } | BotFile;

/** The argument that a bot module's default export is called with. */
export interface BotModuleContext {
  readonly bot: Telegraf<LastcallContext>;
  /** A hook added here starts once the module is set up, and stops once the handlers have ended. */
  readonly lifecycle: Pick<Lifecycle, 'add' | 'stop' | 'signal' | 'state' | 'wait'>;
  readonly log: Logger;
  readonly config: Config;
}

/** The default export of a bot module: a function that registers handlers and hooks. */
export type BotModule = (context: BotModuleContext) => void | Promise<void>;

export interface BotHookOptions {
  readonly source: BotSource;
  readonly config: Config;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly bots: Bots;
  readonly keepAlive: KeepAlive;
  /** Called when the program calls `process.exit` before the stop, outside handlers. The process ends when it returns. */
  exiting(exitCode: number): void;
  /**
   * Called when the program calls `process.exit` in its part of the stop, with an error if that was to report a failure.
   * The process ends with the exit code that this returns; with undefined, it lives on.
   */
  exitingInStop(error: LastcallError | undefined): number | undefined;
}

/** How long before the start's deadline the loading must end, so that the error names the module that never loads. */
const LOAD_MARGIN_MS = 250;

export class BotHook implements Hook {
  readonly name = 'bot';
  readonly #options: BotHookOptions;
  #takeover: Takeover | undefined;
  /** The bot's own rule of order. */
  #orderKey: OrderKeyFunction | undefined;

  constructor(options: BotHookOptions) {
    this.#options = options;
  }

  async start(context: HookContext): Promise<void> {
    const { source, bots } = this.#options;
    if ('bot' in source) {
      this.#orderBy(source.orderKey);
      return bots.add(launchedByUs(source.bot), this.#orderKey);
    }
    try {
      await this.#load(source, context);
    } catch (error) {
      // A stop came while the module was loading. The hook counts as started, so that the module's stop code runs.
      if (context.reason?.kind !== 'start-failed' && context.signal.aborted) return;
      throw error;
    }
  }

  async stop({ signal, deadline, reason }: HookContext): Promise<void> {
    try {
      await this.#takeover?.runStopListeners(stopCallOf(reason), {
        signal,
        deadline,
        isRequested: reason?.kind === 'request' && !isProcessExit(reason),
        isHurried: reason?.kind === 'fault' || isProcessExit(reason),
      });
    } finally {
      this.#options.bots.close();
    }
  }

  /** Restores the process as it was. Call it last: from then on the program itself can end the process. */
  restore(): void {
    this.#takeover?.restore();
  }

  async #load(source: BotFile, { signal, deadline }: HookContext): Promise<void> {
    const { config, log, clock } = this.#options;
    const { file, args = [] } = source;
    const takeover = this.#takeOver();
    this.#takeover = takeover;
    const loaded = await loadBotModule(file, {
      args,
      launched: takeover.launched,
      signal,
      timeoutMs: Math.max(0, deadline.remainingMs() - Math.min(LOAD_MARGIN_MS, config.startTimeoutMs / 10)),
      failedLater: (error) => this.#failedLater(error),
      slow: (progress) => logEvent(log, { event: 'program.slow', progress }),
      clock,
    });
    await this.#useExport(loaded, source.log, takeover, signal);
  }

  async #useExport(loaded: Loaded, log: Logger, takeover: Takeover, signal: AbortSignal): Promise<void> {
    const { config, lifecycle } = this.#options;
    if (loaded.form !== 'program') this.#orderBy(loaded.orderKey);
    switch (loaded.form) {
      case 'instance':
        return takeover.adopt(loaded.bot);
      case 'function': {
        const bot = await createBot<LastcallContext>(requireToken(config), config.telegramApiRoot);
        const setUp = Promise.resolve(
          loaded.setup({ bot, lifecycle, log, config } satisfies BotModuleContext),
        );
        // A function may launch the bot itself and await the launch. It counts as done when the bot is launched.
        await Promise.race([setUp, takeover.launched, aborted(signal)]);
        signal.throwIfAborted();
        setUp.catch((error) => this.#failedLater(error));
        return takeover.adopt(withoutContextType(bot));
      }
      case 'program':
    }
  }

  #orderBy(rule: unknown): void {
    const { log } = this.#options;
    if (rule === undefined) return;
    this.#orderKey = guardedOrderKey(rule, (error) =>
      logEvent(log, { event: 'program.order-key-failed', error }),
    );
  }

  /** Stops with a fault when the program's own code fails after it has launched a bot. */
  #failedLater(error: unknown): void {
    const { lifecycle } = this.#options;
    if (isExitRequest(error)) return;
    // launch() rejected with the reason of the stop, and the program did not catch it.
    if (error instanceof LastcallError && lifecycle.signal.reason?.cause === error) return;
    void lifecycle.stop(StopReason.fault(error, 'the bot program failed'));
  }

  #takeOver(): Takeover {
    const { config, log, clock, lifecycle, bots, keepAlive, exiting, exitingInStop } = this.#options;
    const { telegramApiRoot: apiRoot } = config;
    return takeOver(
      {
        stopping: lifecycle.signal,
        keepAlive,
        launched: (launch) => this.#launch(launch, bots),
        stopRequested: (_bot, why) =>
          void lifecycle.stop(StopReason.request(why === undefined ? 'bot.stop()' : `bot.stop('${why}')`)),
        refused: (error) => void lifecycle.stop(StopReason.fatal(error)),
        exiting,
        exitingInStop,
        exitedByHandler: (exitCode) =>
          void lifecycle.stop(StopReason.request(`process.exit(${exitCode})`, exitCode)),
        leftOpen: (kinds) => logEvent(log, { event: 'program.left-open', kinds }),
      },
      { clock, ...(apiRoot !== undefined && { apiRoot }) },
    );
  }

  #launch(launched: Launched, bots: Bots): void {
    try {
      bots.add(launched, this.#orderKey);
    } catch (error) {
      const reason = error instanceof LastcallError ? StopReason.fatal(error) : StopReason.fault(error);
      launched.ended(error);
      void this.#options.lifecycle.stop(reason);
    }
  }
}

/** Returns the launch of a bot that lastcall launches itself, without wishes of a program. */
function launchedByUs(bot: Telegraf): Launched {
  return {
    bot,
    allowedUpdates: undefined,
    dropPendingUpdates: false,
    connected(me) {
      bot.botInfo ??= me;
    },
    ended() {},
  };
}

/** Whether a handler has called `process.exit`, which would have ended the process at once. */
function isProcessExit(reason: StopReason | undefined): boolean {
  return reason?.by?.startsWith('process.exit') ?? false;
}

/** Returns the request to stop that the program's own listeners listen for, if there is one. */
function stopCallOf(reason: StopReason | undefined): StopCall | undefined {
  return reason?.kind === 'message' ? 'shutdown' : reason?.signal;
}
