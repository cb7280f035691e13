/**
 * Composes a run from its parts, as a list of hooks in the order in which they start. The hooks stop in reverse order:
 * intake, drain, the program's own hooks, the bot. The locks are released after all hooks have stopped.
 */
import { BotFolders } from './bot-folders.js';
import { BotHook, type BotSource } from './bot-hook.js';
import { Bots } from './bots.js';
import { backgroundClock, type Clock } from './clock.js';
import { isPostgresUrl, passwordsIn } from './config/inbox-setting.js';
import { hostAndPort } from './config/listen-address.js';
import type { Config } from './config/schema.js';
import { DrainHook } from './drain-hook.js';
import { LastcallError } from './errors.js';
import { BotLocks } from './host/bot-locks.js';
import { KeepAlive } from './host/keep-alive.js';
import { currentPlace } from './host/place.js';
import { RunRecorder } from './host/run-recorder.js';
import { type Supervisor, unsupervised } from './host/supervisor.js';
import type { Hook } from './lifecycle/hook.js';
import { Lifecycle, type RunOptions } from './lifecycle/lifecycle.js';
import type { Outcome } from './lifecycle/outcome.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { guarded } from './listener.js';
import { lockHook } from './lock-hook.js';
import { logEvent } from './logging/events.js';
import { changeLevel } from './logging/level-change.js';
import type { RunLogging } from './logging/logger.js';
import { MetricsHook } from './metrics-hook.js';
import type { ObservedEvent } from './observe/events.js';
import { Health } from './observe/health.js';
import { HistoryRecorder } from './observe/history/recorder.js';
import { StallWatch } from './observe/stall-watch.js';
import { Status } from './observe/status/status.js';
import { Observers } from './observers.js';
import { RunEnd } from './run-end.js';
import type { createSharedInbox as createSharedInboxType } from './shared-inbox.js';
import { SteadyClock } from './steady-clock.js';
import { budgetEvent, stopBudget } from './stop-budget.js';
import { ownVersion } from './telegraf/bot-api/user-agent.js';
import { assertToken, identityOf } from './telegraf/identity.js';
import { proxySecretsOf } from './telegraf/proxy-secrets.js';
import type { Telegraf } from './telegraf/telegraf.js';
import { durationInWords } from './words.js';

export interface AppParts {
  readonly config: Config;
  readonly logging: RunLogging;
  readonly source: BotSource;
  /** Hooks that start in this order before the bot is polled, and stop in reverse once its handlers have ended. */
  readonly hooks?: readonly Hook[];
  readonly clock?: Clock;
  /** The supervisor of the process, which is informed of the state of the run. Default: none. */
  readonly supervisor?: Supervisor;
}

export interface App {
  /** The lifecycle of the run: its state can be read and awaited, and the run can be stopped. */
  readonly lifecycle: Omit<Lifecycle, 'add' | 'run'>;
  /** Runs the bot until it is stopped, and writes the receipt. Rejects only when called a second time (LIFECYCLE_USED). */
  run(options?: RunOptions): Promise<Outcome>;
  /** Writes the receipt before the stop has ended. For a process that exits right after this call. */
  forced(exitCode: number): void;
}

/** How long a stuck reader of the log may delay the end of a stop whose budget is used up. */
const LAST_LINES_MS = 100;

/** The longest that a supervisor waits for the start of a bot whose Telegram is unreachable. */
const READY_WITHIN_MS = 60_000;

/** Wires a run together. Nothing happens before `run()`. */
export function composeApp({
  config,
  logging,
  source,
  hooks = [],
  clock: systemTime = backgroundClock,
  supervisor = unsupervised,
}: AppParts): App {
  const { startTimeoutMs, stopTimeoutMs, onLocked, stateDir } = config;
  // Several processes may then run the same bots, also on one host: none of them has the bots' folders for itself.
  const isShared = isPostgresUrl(config.inbox);
  const inbox = isPostgresUrl(config.inbox) ? 'postgres' : config.inbox;
  const { log, eventLog, level } = logging;
  const keepAlive = new KeepAlive();
  const budget = stopBudget(stopTimeoutMs, supervisor);
  const observers = new Observers();
  const tell = (event: ObservedEvent, botId?: number) => observers.tell(event, botId);
  const clock = new SteadyClock({
    source: systemTime,
    stoodStill: (ms) => tell({ event: 'process.stood-still', ms: Math.round(ms) }),
  });

  const lifecycle = new Lifecycle({
    startTimeoutMs,
    stopTimeoutMs: budget.budgetMs,
    clock,
    emit(event) {
      // All hooks have been added by now, and no stop can have been requested yet.
      if (event.event === 'lifecycle.running')
        tell(budgetEvent(lifecycle, budget, stopTimeoutMs, supervisor));
      stallWatch.observe(event);
      drain.observe(event);
      // Before anybody is told, since the process may be killed right after that; but the file may be on the disk that hangs.
      if (!runEnd.isStalled) recorder.note(event);
      tell(event);
    },
    hookLog: (hook) => log.child({ hook }),
  });
  const recorder = new RunRecorder({
    stateDir,
    stopTimeoutMs,
    supervisor: supervisor.kind,
    killAfterMs: supervisor.killAfterMs ?? supervisor.stopLimitMs,
    emit: tell,
    began: guarded((...run) => history.begin(...run)),
  });
  const locks = new BotLocks({
    onLocked,
    isShared,
    signal: lifecycle.signal,
    clock,
    stateDir,
    holderOf: (key) => recorder.holderOf(key),
    standingBy: ({ botId }, key) => status.standBy(botId, key),
    acquired: (...held) => folders.acquired(...held),
    released: (key) => folders.released(key),
    emit: tell,
  });
  for (const password of passwordsIn(config.inbox)) logging.addPassword(password);
  let createSharedInbox: typeof createSharedInboxType | undefined;
  const bots = new Bots({
    settings: { ...config, confirmTimeoutMs: budget.confirmTimeoutMs },
    keepsOthers: config.botFailure === 'keep-others',
    clock,
    joining: ({ telegram }) => {
      logging.addSecret(telegram.token);
      hidePasswords(telegram.options.agent);
      hidePasswords(telegram.options.attachmentAgent);
    },
    createSharedInbox: () => createSharedInbox,
    // A bot may choose another agent for each call, or set another at any time.
    agentUsed: hidePasswords,
    errorText: (error) => logging.errorText(error),
    locks,
    history: recorder,
    emit: tell,
    stopwatchOf: (botId) => metrics?.stopwatchOf(botId),
    failed: (error) => void lifecycle.stop(StopReason.failure(error)),
    emptied: (by) => void bot.emptied(by),
  });
  const health = new Health({
    supervisor,
    clock,
    supervisorClock: systemTime,
    activity: () => bots.gauges.activity,
    pollTimeoutMs: config.pollTimeoutMs,
    readyWithinMs: Math.min(startTimeoutMs, READY_WITHIN_MS),
    redact: (text) => logging.redact(text),
  });
  const status = new Status({
    clock,
    pid: process.pid,
    supervisor: supervisor.kind,
    inbox,
    pollTimeoutMs: config.pollTimeoutMs,
    stateDir,
    view: (key) => bots.gauges.view(key),
    redact: (text) => logging.redact(text),
    changeLevel: level && ((request) => changeLevel(level, eventLog, clock, request)),
    emit: tell,
  });
  const metrics =
    config.metrics === undefined
      ? undefined
      : new MetricsHook({
          ...hostAndPort(config.metrics),
          clock,
          info: { version: ownVersion ?? 'unknown', supervisor: supervisor.kind, inbox },
          concurrency: config.concurrency,
          phase: () => status.phase,
          isStalled: () => health.isStalled,
          bots: () =>
            status.reports.map(([key, report]) => ({
              report,
              meters: bots.gauges.meters(key),
              previousStopMs: recorder.previousStopMs(key),
            })),
          redact: (text) => logging.redact(text),
          emit: tell,
        });
  const history = new HistoryRecorder({
    stateDir,
    supervisor: supervisor.kind,
    file: 'file' in source ? source.file : undefined,
    clock,
    place: currentPlace(),
    pid: process.pid,
    view: (key) => bots.gauges.view(key),
    countsOf: (key) => ({ ...bots.gauges.countsOf(key) }),
    redact: (text) => logging.redact(text),
    failed: (path, error) => tell({ event: 'history.failed', path, error }),
  });
  const folders = new BotFolders({ stateDir, inbox, clock, recorder, history, status, emit: tell });
  const runEnd = new RunEnd({ lifecycle, bots, locks, recorder, history, status, logging });
  const stallWatch = new StallWatch({
    clock,
    steps: () => bots.gauges.steps,
    stalled({ name }, overdueMs) {
      const words = `${name} should have ended ${durationInWords(overdueMs)} ago`;
      runEnd.stalled();
      void lifecycle.stop(StopReason.failure(new LastcallError('RUN_STALLED', name, words)));
    },
  });
  const bot = new BotHook({
    source,
    config,
    log: eventLog,
    clock,
    lifecycle,
    bots,
    locks,
    keepAlive,
    exiting: (exitCode) => runEnd.exitedByProgram(exitCode),
    exitingInStop: (error) => runEnd.exitedInStop(error),
  });
  const drain = new DrainHook({
    drain: (latestEnd, cause, withinMs) => bots.drain(latestEnd, cause, withinMs),
    clock,
    hastenSignal: lifecycle.hastenSignal,
    confirmMs: budget.confirmMs,
  });

  const hooksInStartOrder: readonly Hook[] = [
    ...(supervisor.connect ? [{ name: 'supervisor', start: () => supervisor.connect?.() }] : []),
    ...(metrics ? [metrics] : []),
    ...('bot' in source ? [lockHook(locks, () => knownIdentity(source.bot))] : []),
    bot,
    ...hooks,
    drain,
    { name: 'intake', start: () => bots.poll(), stop: () => bots.stopIntake() },
  ];
  for (const hook of hooksInStartOrder) lifecycle.add(hook);

  observers.add(
    {
      observe: (event, botId) => logEvent(eventLog, event, botId === undefined ? undefined : { bot: botId }),
    },
    status,
    ...(metrics ? [metrics] : []),
    history,
    // Metrics tell what health finds out, where no supervisor wants it.
    ...(supervisor.kind !== 'none' || metrics ? [health] : []),
  );

  function hidePasswords(agent: unknown): void {
    for (const password of proxySecretsOf(agent)) logging.addPassword(password);
  }

  return {
    lifecycle,
    async run({ signal, stopAfterMs = config.stopAfterMs } = {}) {
      // Not for a second call, which nothing would end.
      if (lifecycle.state === 'idle') keepAlive.hold();
      if (isShared) ({ createSharedInbox } = await import('./shared-inbox.js'));
      const ended = lifecycle.run({
        ...(signal && { signal }),
        ...(stopAfterMs !== undefined && { stopAfterMs }),
      });
      clock.start();
      const outcome = await ended;
      await runEnd.finish(outcome);
      await logging.flush(Math.max(LAST_LINES_MS, budget.budgetMs - outcome.stopDurationMs));
      bot.restore();
      metrics?.close();
      clock.stop();
      keepAlive.end();
      return outcome;
    },
    forced: (exitCode) => runEnd.forced(exitCode),
  };
}

/** Returns the identity of a bot that is known before anything of it runs. @throws LastcallError BOT_WITHOUT_TOKEN */
function knownIdentity(bot: Telegraf): ReturnType<typeof identityOf> {
  assertToken(bot, 'the bot');
  return identityOf(bot);
}
