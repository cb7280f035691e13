/** The hook that loads the bot in any of its forms, and that runs the program's own stop code at the stop. */
import { basename } from 'node:path';
import { onAbort } from './abort.js';
import type { Bots } from './bots.js';
import type { Clock } from './clock.js';
import { requireToken } from './config/load.js';
import type { Config } from './config/schema.js';
import { LastcallError } from './errors.js';
import type { BotLocks } from './host/bot-locks.js';
import { faultInWords } from './host/faults.js';
import type { KeepAlive } from './host/keep-alive.js';
import type { Hook, HookContext } from './lifecycle/hook.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { lockHook } from './lock-hook.js';
import type { EventListener } from './logging/event-listeners.js';
import { type EventLog, logEvent } from './logging/events.js';
import type { Logger } from './logging/logger.js';
import { SetUpHook } from './set-up-hook.js';
import { assertToken, identityOfToken } from './telegraf/identity.js';
import { hasHandlers } from './telegraf/internals.js';
import { type Launch, launchedByUs } from './telegraf/launch.js';
import { loadBotModule } from './telegraf/load.js';
import { guardedOrderKey, type OrderKeyFunction } from './telegraf/order-key.js';
import { isExitRequest } from './telegraf/takeover/exit-request.js';
import { type StopCall, type Takeover, takeOver } from './telegraf/takeover/takeover.js';
import { mendUploads } from './telegraf/takeover/uploads.js';
import type { Telegraf } from './telegraf/telegraf.js';

/** A bot module: a function, a Telegraf instance, or a program that `node` would run. */
export interface BotFile {
  readonly file: string;
  /** The arguments that the module finds in `process.argv` after its own path. */
  readonly args?: readonly string[];
  /** The logger that the module is given. */
  readonly log: Logger;
  /** Has the module listen to the events of the run. */
  onEvent(listener: EventListener): void;
}

/** The origin of the bot: the embedding program itself, or a module. */
export type BotSource = { readonly bot: Telegraf; readonly orderKey?: OrderKeyFunction } | BotFile;

export interface BotHookOptions {
  readonly source: BotSource;
  readonly config: Config;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly bots: Bots;
  readonly locks: Pick<BotLocks, 'reserve'>;
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
  /** Ends the wait for a program without a bot to come to rest. */
  #launchedAgain = () => {};

  constructor(options: BotHookOptions) {
    this.#options = options;
  }

  async start(context: HookContext): Promise<void> {
    const { source, bots } = this.#options;
    if ('bot' in source) {
      this.#orderBy(source.orderKey);
      mendUploads();
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

  /** Stops the run once the program, whose last bot has stopped, has come to rest without launching another. */
  async emptied(by: string): Promise<void> {
    const { lifecycle, log } = this.#options;
    const { signal } = lifecycle;
    if (signal.aborted) return;
    const wait = new AbortController();
    const endWait = () => wait.abort();
    const removeListener = onAbort(signal, endWait);
    this.#launchedAgain = endWait;
    try {
      await this.#takeover?.atRest(wait.signal, (kinds) =>
        logEvent(log, { event: 'program.without-bot', kinds }),
      );
      void lifecycle.stop(StopReason.request(by));
    } catch (reason) {
      if (reason !== wait.signal.reason) throw reason;
    } finally {
      removeListener();
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
      watch: () => takeover.watch(),
      slow: (progress) => logEvent(log, { event: 'program.slow', progress }),
      usedWhileOpen: (kinds) => logEvent(log, { event: 'program.export-used', kinds }),
      clock,
    });
    if (loaded.form === 'program') return;
    this.#orderBy(loaded.orderKey);
    if (loaded.form === 'function') return this.#addSetUp(loaded.setup, source, takeover);
    if (!hasHandlers(loaded.bot)) throw botWithoutHandlers(source.file);
    takeover.adopt(loaded.bot);
  }

  /** Adds the hooks that set up the bot of the settings. Its lock comes first, so that no two processes run such code at once. */
  #addSetUp(setup: (context: unknown) => unknown, source: BotFile, takeover: Takeover): void {
    const { config, clock, lifecycle, locks } = this.#options;
    const identity = identityOfToken(requireToken(config), config.telegramApiRoot);
    lifecycle.add(lockHook(locks, () => identity));
    const failedLater = (error: unknown) => this.#failedLater(error);
    lifecycle.add(new SetUpHook({ ...source, setup, config, clock, lifecycle, takeover, failedLater }));
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
    // The same, of a bot that has ended alone.
    if (error instanceof LastcallError) void lifecycle.stop(StopReason.failure(error));
    else void lifecycle.stop(StopReason.fault(error, 'the bot program failed'));
  }

  #takeOver(): Takeover {
    const { config, log, clock, lifecycle, bots, keepAlive, exiting, exitingInStop } = this.#options;
    const { telegramApiRoot: apiRoot } = config;
    return takeOver(
      {
        stopping: lifecycle.signal,
        keepAlive,
        launched: (launch) => this.#launch(launch, bots),
        stopRequested: (launch, why) => {
          const by = why === undefined ? 'bot.stop()' : `bot.stop('${why}')`;
          if (!bots.stop(launch, by)) void lifecycle.stop(StopReason.request(by));
        },
        uncaught: (error) => this.#failedLater(error),
        refused: (error) => void lifecycle.stop(StopReason.fatal(error)),
        exiting,
        exitingInStop,
        exitedByHandler: (exitCode) =>
          void lifecycle.stop(StopReason.request(`process.exit(${exitCode})`, exitCode)),
        exitedByFault: ({ error, origin }) =>
          void lifecycle.stop(StopReason.fault(error, faultInWords[origin])),
        leftOpen: (kinds) => logEvent(log, { event: 'program.left-open', kinds }),
      },
      { clock, ...(apiRoot !== undefined && { apiRoot }) },
    );
  }

  #launch(launch: Launch, bots: Bots): void {
    const { source, lifecycle } = this.#options;
    this.#launchedAgain();
    try {
      assertToken(launch.bot, 'file' in source ? `the bot in ${basename(source.file)}` : 'the bot');
      bots.add(launch, this.#orderKey);
    } catch (error) {
      if (error instanceof LastcallError) {
        bots.fail(launch, error);
      } else {
        void lifecycle.stop(StopReason.fault(error));
        launch.ended(error);
      }
    }
  }
}

/** BOT_MODULE_UNUSABLE: polled without a handler, a bot would only lose its updates. */
function botWithoutHandlers(file: string): LastcallError {
  return new LastcallError(
    'BOT_MODULE_UNUSABLE',
    file,
    `${file} exports a bot that has no handlers, and has nothing left to do`,
  );
}

/** Whether a handler has called `process.exit`, which would have ended the process at once. */
function isProcessExit(reason: StopReason | undefined): boolean {
  return reason?.by?.startsWith('process.exit') ?? false;
}

/** Returns the request to stop that the program's own listeners listen for, if there is one. */
function stopCallOf(reason: StopReason | undefined): StopCall | undefined {
  return reason?.kind === 'message' ? 'shutdown' : reason?.signal;
}
