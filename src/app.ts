/**
 * Composes a run from its parts, as a list of hooks in the order in which they start. The hooks stop in reverse order:
 * intake, drain, the program's own hooks, the bot. The locks are released after all hooks have stopped.
 */
import { join } from 'node:path';
import { BotHook, type BotSource } from './bot-hook.js';
import { Bots, type BotsOptions } from './bots.js';
import { backgroundClock, type Clock } from './clock.js';
import { isPostgresUrl, passwordsIn } from './config/inbox-setting.js';
import { hostAndPort } from './config/listen-address.js';
import type { Config } from './config/schema.js';
import { DrainHook } from './drain-hook.js';
import { LastcallError } from './errors.js';
import { takeOverFormerInboxes } from './former-inboxes.js';
import { BotLocks } from './host/bot-locks.js';
import { KeepAlive } from './host/keep-alive.js';
import { currentPlace } from './host/place.js';
import { endWithoutPool } from './host/process-end.js';
import { RunRecorder } from './host/run-recorder.js';
import { type Supervisor, unsupervised } from './host/supervisor.js';
import type { Hook } from './lifecycle/hook.js';
import { Lifecycle, type RunOptions } from './lifecycle/lifecycle.js';
import type { Outcome } from './lifecycle/outcome.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { guarded } from './listener.js';
import { lockHook } from './lock-hook.js';
import { logEvent } from './logging/events.js';
import type { RunLogging } from './logging/logger.js';
import { logReceipt, receiptRecord, verdictOf } from './logging/receipt.js';
import { MetricsHook } from './metrics-hook.js';
import type { ObservedEvent } from './observe/events.js';
import { Health } from './observe/health.js';
import { HistoryRecorder } from './observe/history/recorder.js';
import { StallWatch } from './observe/stall-watch.js';
import type { LevelRequest } from './observe/status/level-request.js';
import { Status } from './observe/status/status.js';
import type { createSharedInbox as createSharedInboxType } from './shared-inbox.js';
import { SteadyClock } from './steady-clock.js';
import { budgetEvent, stopBudget } from './stop-budget.js';
import { ownVersion } from './telegraf/bot-api/user-agent.js';
import { assertToken, identityOf } from './telegraf/identity.js';
import { proxySecretsOf } from './telegraf/proxy-secrets.js';
import type { Telegraf } from './telegraf/telegraf.js';
import { tellUnusedJournal } from './unused-journal.js';
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
  const { startTimeoutMs, stopTimeoutMs, onLocked } = config;
  // Several processes may then run the same bots, also on one host: none of them has the bots' folders for itself.
  const isShared = isPostgresUrl(config.inbox);
  const inboxKind = isPostgresUrl(config.inbox) ? 'postgres' : config.inbox;
  const { stateDir } = config;
  const { log, eventLog, receiptLog } = logging;
  const keepAlive = new KeepAlive();
  const budget = stopBudget(stopTimeoutMs, supervisor);
  const { budgetMs, confirmMs } = budget;
  const clock = new SteadyClock({
    source: systemTime,
    stoodStill: (ms) => tell({ event: 'process.stood-still', ms: Math.round(ms) }),
  });

  const lifecycle = new Lifecycle({
    startTimeoutMs,
    stopTimeoutMs: budgetMs,
    clock,
    emit(event) {
      // All hooks have been added by now, and no stop can have been requested yet.
      if (event.event === 'lifecycle.running') {
        tell(budgetEvent(lifecycle, budget, stopTimeoutMs, supervisor));
        stallWatch.start();
      }
      if (event.event === 'lifecycle.stopping') stallWatch.stop();
      drain.observe(event);
      // Before anybody is told, since the process may be killed right after that; but the file may be on the disk that hangs.
      if (!isStalled) recorder.note(event);
      tell(event);
    },
    hookLog: (hook) => log.child({ hook }),
  });
  const recorder = new RunRecorder({
    stateDir,
    stopTimeoutMs,
    supervisor: supervisor.kind,
    killAfterMs: supervisor.killAfterMs ?? supervisor.stopLimitMs,
    emit: (event) => tell(event),
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
    async acquired(bot, key, signal, former) {
      const { botId } = bot;
      const waiting = (place: string | undefined, waitMs: number) =>
        tell({ event: 'inbox.waiting', place, waitMs }, botId);
      // INBOX=memory leaves what is on disk alone.
      if (stateDir !== undefined && config.inbox === 'journal')
        await takeOverFormerInboxes({
          ...{ stateDir, bot, former, clock, signal, waiting },
          emit: (event) => tell(event),
        });
      signal.throwIfAborted();
      if (stateDir !== undefined && config.inbox !== 'journal')
        void tellUnusedJournal({
          folder: join(stateDir, key),
          bot: botId,
          inbox: isShared ? 'postgres' : 'memory',
          signal,
          emit: (event) => tell(event),
        });
      if (!isShared) recorder.begin(key, botId);
      status.hold(botId, key);
    },
    released: (key) => {
      recorder.finish(key);
      finishHistory(key);
      status.release(key);
    },
    emit: (event) => tell(event),
  });
  for (const password of passwordsIn(config.inbox)) logging.addPassword(password);
  let createSharedInbox: typeof createSharedInboxType | undefined;
  const bots = new Bots({
    settings: { ...botSettings(config), confirmTimeoutMs: budget.confirmTimeoutMs },
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
    emit: (event, botId) => tell(event, botId),
    stopwatchOf: (botId) => metrics?.stopwatchOf(botId),
    failed: (error) => void lifecycle.stop(StopReason.failure(error)),
    emptied: (by) => void bot.emptied(by),
  });
  const health = new Health({
    supervisor,
    clock,
    supervisorClock: systemTime,
    activity: () => bots.activity,
    pollTimeoutMs: config.pollTimeoutMs,
    readyWithinMs: Math.min(startTimeoutMs, READY_WITHIN_MS),
    redact: (text) => logging.redact(text),
  });
  const status = new Status({
    clock,
    pid: process.pid,
    supervisor: supervisor.kind,
    inbox: inboxKind,
    pollTimeoutMs: config.pollTimeoutMs,
    stateDir,
    view: (key) => bots.view(key),
    redact: (text) => logging.redact(text),
    changeLevel: logging.level && ((request) => changeLevel(request)),
    emit: (event) => tell(event),
  });
  const metrics =
    config.metrics === undefined
      ? undefined
      : new MetricsHook({
          ...hostAndPort(config.metrics),
          clock,
          info: { version: ownVersion ?? 'unknown', supervisor: supervisor.kind, inbox: inboxKind },
          concurrency: config.concurrency,
          phase: () => status.phase,
          isStalled: () => health.isStalled,
          bots: () =>
            status.reports.map(([key, report]) => ({
              report,
              meters: bots.meters(key),
              previousStopMs: recorder.previousStopMs(key),
            })),
          redact: (text) => logging.redact(text),
          emit: (event) => tell(event),
        });
  const history = new HistoryRecorder({
    stateDir: config.stateDir,
    supervisor: supervisor.kind,
    clock,
    place: currentPlace(),
    pid: process.pid,
    view: (key) => bots.view(key),
    countsOf: (key) => ({ ...bots.countsOf(key) }),
    redact: (text) => logging.redact(text),
    failed: (path, error) => tell({ event: 'history.failed', path, error }),
  });
  let isStalled = false;
  const stallWatch = new StallWatch({
    clock,
    steps: () => bots.steps,
    stalled({ name }, overdueMs) {
      const words = `${name} should have ended ${durationInWords(overdueMs)} ago`;
      isStalled = true;
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
    exiting: endedByProgram,
    exitingInStop,
  });
  const drain = new DrainHook({
    drain: (latestEnd, cause, withinMs) => bots.drain(latestEnd, cause, withinMs),
    clock,
    hastenSignal: lifecycle.hastenSignal,
    confirmMs,
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

  // Guarded separately, so that a failure of the log does not keep events from the supervisor, nor the reverse.
  const tellLog = guarded((event: ObservedEvent, botId?: number) =>
    logEvent(eventLog, event, botId === undefined ? undefined : { bot: botId }),
  );
  const tellSupervisor = guarded((event: ObservedEvent, botId?: number) => health.observe(event, botId));

  const tellStatus = guarded((event: ObservedEvent, botId?: number) => status.observe(event, botId));

  const tellMetrics = guarded((event: ObservedEvent, botId?: number) => metrics?.observe(event, botId));

  const tellHistory = guarded((event: ObservedEvent, botId?: number) => history.observe(event, botId));

  const finishHistory = guarded((key: string) => history.finish(key));

  const endHistory = guarded((outcome: Outcome) => history.end(outcome, verdictOf(outcome)));

  const closeStatus = guarded(() => status.close());

  function hidePasswords(agent: unknown): void {
    for (const password of proxySecretsOf(agent)) logging.addPassword(password);
  }

  function tell(event: ObservedEvent, botId?: number): void {
    tellLog(event, botId);
    tellStatus(event, botId);
    tellMetrics(event, botId);
    tellHistory(event, botId);
    if (supervisor.kind !== 'none' || metrics) tellSupervisor(event, botId);
  }

  function changeLevel(request: LevelRequest): void {
    const { level, forMs } = request;
    const tellChange = () => logEvent(eventLog, { event: 'log.level-changed', level, forMs });
    const isHeardBefore = eventLog.isLevelEnabled('info');
    if (isHeardBefore) tellChange();
    logging.level?.change(level, forMs, clock, (usual) =>
      logEvent(eventLog, { event: 'log.level-restored', level: usual }),
    );
    if (!isHeardBefore) tellChange();
  }

  /** Writes the receipt of a run that ends without a stop, because the program has called `process.exit`. */
  function endedByProgram(exitCode: number): void {
    logAbruptEnd(StopReason.request(`process.exit(${exitCode})`), exitCode);
  }

  /**
   * Ends the run within the program's part of the stop, which is the last one, because the program has called
   * `process.exit`. Returns undefined, and does nothing, while log lines wait for their reader.
   */
  function exitingInStop(error: LastcallError | undefined): number | undefined {
    if (!logging.isWritten) return undefined;
    const outcome = lifecycle.finishNow(error);
    end(outcome);
    endWithoutPool(process, outcome.exitCode);
    return outcome.exitCode;
  }

  function end(outcome: Outcome): void {
    record(outcome);
    locks.release();
    logReceipt(receiptLog, outcome, bots.counts, bots.failures);
  }

  function logAbruptEnd(reason: StopReason, exitCode: number): void {
    const outcome = { reason, clean: false, exitCode, ...lifecycle.partialOutcome() };
    record(outcome);
    logReceipt(receiptLog, outcome, bots.counts, bots.failures);
  }

  /** Records the end of the run, with the receipt if nobody can read that in the log, and removes the status sockets. */
  function record(outcome: Outcome): void {
    if (isStalled) return;
    const receipt = () => receiptRecord(outcome, bots.counts, bots.failures, logging.redact);
    recorder.end(outcome.exitCode, logging.isBroken ? receipt() : undefined);
    endHistory(outcome);
    closeStatus();
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
      // Before the lock is released, behind which another process may wait to begin its own record.
      if (isStalled) await recorder.endByChild(outcome.exitCode);
      end(outcome);
      await logging.flush(Math.max(LAST_LINES_MS, budgetMs - outcome.stopDurationMs));
      bot.restore();
      metrics?.close();
      clock.stop();
      keepAlive.end();
      return outcome;
    },
    forced(exitCode) {
      if (lifecycle.state !== 'stopped') logAbruptEnd(lifecycle.signal.reason, exitCode);
    },
  };
}

/** Returns the settings for polling the bots and handling their updates. */
function botSettings(config: Config): Omit<BotsOptions['settings'], 'confirmTimeoutMs'> {
  return {
    allowedUpdates: config.allowedUpdates,
    dropPending: config.dropPending,
    deleteWebhook: config.deleteWebhook,
    pollTimeoutMs: config.pollTimeoutMs,
    conflictPatienceMs: config.conflictPatienceMs,
    order: config.order,
    concurrency: config.concurrency,
    handlerTimeoutMs: config.handlerTimeoutMs,
    inbox: config.inbox,
    stateDir: config.stateDir,
    durability: config.durability,
    maxAttempts: config.maxAttempts,
    retries: config.retries,
    deadLimit: config.deadLimit,
    deadAgeMs: config.deadAgeMs,
    inboxLimit: config.inboxLimit,
  };
}

/** Returns the identity of a bot that is known before anything of it runs. @throws LastcallError BOT_WITHOUT_TOKEN */
function knownIdentity(bot: Telegraf): ReturnType<typeof identityOf> {
  assertToken(bot, 'the bot');
  return identityOf(bot);
}
