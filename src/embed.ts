/** Runs a bot inside another program, without changing anything of the process unless asked to. */
import { type App, composeApp } from './app.js';
import { completeConfig } from './config/complete.js';
import type { Config } from './config/schema.js';
import { fitToContainer } from './container-fit.js';
import { containerRuntime, heartbeatWarning } from './host/container.js';
import { embeddedSupervisor } from './host/embedded-supervisor.js';
import { type IpcChannel, listenOnIpc } from './host/ipc.js';
import { listenForSignals, type StopSignal } from './host/signals.js';
import { unsupervised } from './host/supervisor.js';
import type { Hook } from './lifecycle/hook.js';
import { StopReason } from './lifecycle/stop-reason.js';
import type { AppEvent } from './logging/app-event.js';
import { type AppLog, adaptLog } from './logging/app-log.js';
import { logEvent } from './logging/events.js';
import type { OrderKeyFunction } from './telegraf/order-key.js';
import { type Context, type Telegraf, withoutContextType } from './telegraf/telegraf.js';

/** The settings of an embedded bot. The bot brings its token and API root, the log its level and format. */
export type AppSettings = Partial<
  Omit<
    Config,
    | 'botToken'
    | 'botTokenFile'
    | 'botModule'
    | 'telegramApiRoot'
    | 'inboxFile'
    | 'logLevel'
    | 'logFormat'
    | 'envFile'
  >
>;

export interface AppOptions<C extends Context = Context> {
  /** The bot with its handlers. The app polls it: do not call its `launch()`, and stop the app instead of the bot. */
  readonly bot: Telegraf<C>;
  /** Settings that differ from the defaults. `loadConfig` reads settings from the environment. */
  readonly settings?: AppSettings;
  /** The log to write to: a pino logger, or `console`. Default: none. Errors of the log are ignored. */
  readonly log?: AppLog;
  /** Called for each event of the run, with or without a log. Its errors are ignored. */
  readonly onEvent?: (event: AppEvent) => unknown;
  /**
   * Whether the app speaks for the whole process to pm2, systemd or the container, whichever has started it. It then tells them when the
   * bot polls and how it does, stops when pm2 asks for that by message or is gone, keeps a stop within pm2's
   * `kill_timeout` or the container's grace, writes the heartbeat for `lastcall probe` in a container, asks systemd for the time that a start or a stop needs, feeds systemd's watchdog, and keeps its state
   * in systemd's `STATE_DIRECTORY` unless the settings name a folder. Default: no, the program does what it needs itself.
   * For one app of a process at most.
   */
  readonly supervisor?: boolean;
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
  onEvent,
  supervisor: isSupervised = false,
  hooks = [],
  orderKey,
}: AppOptions<C>): App {
  const { env } = process;
  const { STATE_DIRECTORY } = env;
  const given = completeConfig(settings, process.cwd(), isSupervised ? { STATE_DIRECTORY } : {});
  const fit = fitToContainer(given, settings.inbox !== undefined, containerRuntime(env));
  const config = { ...given, ...fit.values };
  const supervisor = isSupervised ? embeddedSupervisor(process, config.graceMs) : unsupervised;
  const logging = adaptLog(log, onEvent);
  const app = composeApp({
    config,
    logging,
    source: { bot: withoutContextType(bot), ...(orderKey && { orderKey }) },
    hooks,
    supervisor,
  });
  const hasHeartbeat = isSupervised && config.graceMs !== undefined && supervisor.kind !== 'systemd';
  return {
    ...app,
    async run(options) {
      const warnings = [...fit.warnings, hasHeartbeat && heartbeatWarning(env)];
      for (const warning of warnings)
        if (warning) logEvent(logging.eventLog, { event: 'config.warning', warning });
      const stopListening = supervisor.kind === 'pm2' ? listenToPm2(app, process) : () => {};
      try {
        return await app.run(options);
      } finally {
        stopListening();
      }
    },
  };
}

/** Makes pm2's message, and the end of pm2 itself, stop the app. Returns a function that ends that. */
const listenToPm2 = ({ lifecycle }: App, channel: IpcChannel): (() => void) =>
  listenOnIpc(channel, true, {
    shutdown: () => void lifecycle.stop(StopReason.message('shutdown')),
    supervisorGone: () => void lifecycle.stop(StopReason.supervisorGone()),
  });

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
