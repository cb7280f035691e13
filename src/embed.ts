/** Runs a bot inside another program, without changing anything of the process unless asked to. */
import { type App, composeApp } from './app.js';
import { completeConfig } from './config/complete.js';
import type { Config } from './config/schema.js';
import { listenForSignals, type StopSignal } from './host/signals.js';
import type { Hook } from './lifecycle/hook.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { type AppLog, adaptLog } from './logging/app-log.js';
import type { OrderKeyFunction } from './telegraf/order-key.js';
import { type Context, type Telegraf, withoutContextType } from './telegraf/telegraf.js';

/** The settings of an embedded bot. The bot brings its token and API root, the log its level and format. */
export type AppSettings = Partial<
  Omit<
    Config,
    'botToken' | 'botTokenFile' | 'botModule' | 'telegramApiRoot' | 'logLevel' | 'logFormat' | 'envFile'
  >
>;

export interface AppOptions<C extends Context = Context> {
  /** The bot with its handlers. The app polls it: do not call its `launch()`, and stop the app instead of the bot. */
  readonly bot: Telegraf<C>;
  /** Settings that differ from the defaults. `loadConfig` reads settings from the environment. */
  readonly settings?: AppSettings;
  /** The log to write to: a pino logger, or `console`. Default: none. Errors of the log are ignored. */
  readonly log?: AppLog;
  /** Hooks that start in this order before the bot is polled, and stop in reverse once its handlers have ended. */
  readonly hooks?: readonly Hook[];
  /** The order of updates, where it is another one than that of the setting `order`. Asked for each update, maybe twice. */
  readonly orderKey?: OrderKeyFunction;
}

/**
 * Creates an app that runs a bot. Nothing happens before `run()`, which resolves with the outcome once the app has
 * stopped: by `app.lifecycle.stop()`, by the signal or the time given to `run`, or because it cannot go on.
 *
 * @example
 * const bot = new Telegraf(token);
 * bot.on('text', (ctx) => ctx.reply(`You said: ${ctx.message.text}`));
 *
 * const app = createApp({
 *   bot,
 *   settings: { stopTimeoutMs: 30_000 },
 *   log: pino(),
 *   hooks: [{ name: 'database', start: () => database.open(), stop: () => database.close() }],
 * });
 * handleSignals(app);
 * process.exitCode = (await app.run()).exitCode;
 *
 * @throws LastcallError CONFIG_INVALID, which names every setting that is wrong
 */
export function createApp<C extends Context>({
  bot,
  settings = {},
  log,
  hooks = [],
  orderKey,
}: AppOptions<C>): App {
  return composeApp({
    config: completeConfig(settings, process.cwd()),
    logging: adaptLog(log),
    source: { bot: withoutContextType(bot), ...(orderKey && { orderKey }) },
    hooks,
  });
}

/** The part of `process` that {@link handleSignals} needs. */
export interface SignalHost {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
  exit(exitCode: number): unknown;
}

/**
 * Makes SIGINT, SIGTERM and SIGHUP stop the app. A second signal shortens the stop to 1 s per hook, and a third ends the
 * process at once with exit code 128 + its number. SIGHUP only counts as the first signal, and the same signal within
 * 500 ms counts once.
 */
export function handleSignals({ lifecycle, forced }: App, host: SignalHost = process): void {
  const stopListening: (() => void)[] = [];
  const signals = listenForSignals(
    (signal, listener) => {
      host.on(signal, listener);
      stopListening.push(() => host.off(signal, listener));
    },
    (exitCode) => host.exit(exitCode),
  );
  signals.subscribe({
    stop: (signal) => void lifecycle.stop(StopReason.signal(signal)),
    hasten: () => lifecycle.hasten(),
    forced,
  });
  void lifecycle.wait().then(() => {
    for (const off of stopListening) off();
  });
}
