/** lastcall inside somebody else's program: the bot comes ready-made, and nothing of the process is touched unasked. */
import { type App, composeApp } from './app.js';
import { completeConfig } from './config/complete.js';
import type { Config } from './config/schema.js';
import { listenForSignals, type StopSignal } from './host/signals.js';
import type { Hook } from './lifecycle/hook.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { type AppLog, adaptLog } from './logging/app-log.js';
import { type Context, type Telegraf, withoutContextType } from './telegraf/telegraf.js';

/** How the bot is run. Token and API root are the bot's own, level and format the log's. */
export type AppSettings = Partial<
  Omit<
    Config,
    'botToken' | 'botTokenFile' | 'botModule' | 'telegramApiRoot' | 'logLevel' | 'logFormat' | 'envFile'
  >
>;

export interface AppOptions<C extends Context = Context> {
  /** With its handlers. It is polled for you: do not call its `launch()`, and stop the app, not the bot. */
  readonly bot: Telegraf<C>;
  /** Those not given have their defaults. Nothing is read from the environment; for that, see `loadConfig`. */
  readonly settings?: AppSettings;
  /** What happens is told here: a pino logger, or `console`. Without it, nothing is logged. */
  readonly log?: AppLog;
  /**
   * They start in this order, before the bot is polled, and stop in reverse once its handlers have ended: here is the
   * place for what the handlers need.
   */
  readonly hooks?: readonly Hook[];
}

/**
 * Makes an app of a bot. Nothing happens before `run()`, which resolves with the outcome once the app has stopped:
 * by `app.lifecycle.stop()`, by the signal or the time given to `run`, or because it could not go on.
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
export function createApp<C extends Context>({ bot, settings = {}, log, hooks = [] }: AppOptions<C>): App {
  return composeApp({
    config: completeConfig(settings, process.cwd()),
    logging: adaptLog(log),
    source: { bot: withoutContextType(bot) },
    hooks,
  });
}

/** The part of `process` that signals take. */
export interface SignalHost {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
  exit(exitCode: number): unknown;
}

/**
 * Has SIGINT, SIGTERM and SIGHUP stop the app, until it has stopped: the first begins the stop, the second hastens it,
 * the third ends the process at once with 128 + its number. SIGHUP never hastens, and the same signal twice within
 * 500 ms is one.
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
