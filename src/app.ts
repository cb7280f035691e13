/**
 * The composition root: what a run consists of, as the list of its hooks in the order in which they start. They stop
 * in reverse: intake, drain, the bot's own hooks, the bot; behind them all the locks are given back.
 */
import { BotHook, type BotSource } from './bot-hook.js';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config/schema.js';
import type { LastcallError } from './errors.js';
import { ExitCode } from './exit-code.js';
import { Fleet } from './fleet.js';
import type { BotIdentity } from './host/bot-key.js';
import { BotLocks } from './host/bot-locks.js';
import type { BudgetEvent } from './host/events.js';
import { RunRecord } from './host/run-record.js';
import { recommendedKillAfterMs, type Supervisor, unsupervised } from './host/supervisor.js';
import type { Hook } from './lifecycle/hook.js';
import { Lifecycle, type RunOptions } from './lifecycle/lifecycle.js';
import type { Outcome } from './lifecycle/outcome.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { logEvent } from './logging/events.js';
import type { RunLogging } from './logging/logger.js';
import { logReceipt } from './logging/receipt.js';
import type { ObservedEvent } from './observe/events.js';
import { Health } from './observe/health.js';
import { identityOf, identityOfToken } from './telegraf/identity.js';

export interface AppParts {
  readonly config: Config;
  readonly logging: RunLogging;
  readonly source: BotSource;
  /** They start in this order once the bot is there, before it is polled; they stop once its handlers have ended. */
  readonly hooks?: readonly Hook[];
  readonly clock?: Clock;
  /** Who supervises the process; nobody, unless it is said. */
  readonly supervisor?: Supervisor;
}

export interface App {
  /** What there is to watch, to wait for and to stop; it is run by `run()` of the app. */
  readonly lifecycle: Omit<Lifecycle, 'add' | 'run'>;
  /** Runs the bot until it is stopped, and writes the receipt. Rejects only when called a second time (LIFECYCLE_USED). */
  run(options?: RunOptions): Promise<Outcome>;
  /** Writes the receipt of a stop that is not waited for: the process ends as soon as this returns. */
  forced(exitCode: number): void;
}

/** Of the stop's budget the drain ends at the latest after this share; what it leaves passes on to the hooks. */
const DRAIN_SHARE = 2 / 3;
/** After a fault nobody knows what handlers still do any good. */
const FAULT_DRAIN_MS = 5_000;
/** Of the drain's time this is kept for the last confirm, and no more than a tenth of the budget. */
const CONFIRM_MS = 1_000;
/** The confirm gives up a little before that, so that it is named, and not the drain. */
const CONFIRM_SHARE = 0.9;
/** What a reader of the log that is stuck may cost a stop that has used up its budget. */
const LAST_LINES_MS = 100;

/** Wires a run together. Nothing happens before `run()`. */
export function composeApp({
  config,
  logging,
  source,
  hooks = [],
  clock = systemClock,
  supervisor = unsupervised,
}: AppParts): App {
  const { log, receiptLog } = logging;
  const budgetMs = Math.min(config.stopTimeoutMs, supervisor.stopLimitMs ?? Number.POSITIVE_INFINITY);
  const confirmMs = Math.min(CONFIRM_MS, budgetMs / 10);

  const faultAmidStop = new AbortController();
  const lifecycle = new Lifecycle({
    startTimeoutMs: config.startTimeoutMs,
    stopTimeoutMs: budgetMs,
    clock,
    emit(event) {
      // Once all hooks are known, and before anything can be asked to stop.
      if (event.event === 'lifecycle.running') tell(budget());
      if (event.event === 'lifecycle.stop-repeated' && event.reason.kind === 'fault') faultAmidStop.abort();
      record.note(event);
      tell(event);
    },
    hookLog: (hook) => log.child({ hook }),
  });
  const record = new RunRecord({
    stateDir: config.stateDir,
    stopTimeoutMs: config.stopTimeoutMs,
    supervisor: supervisor.kind,
    killAfterMs: supervisor.killAfterMs ?? supervisor.stopLimitMs,
    emit: (event) => tell(event),
  });
  const locks = new BotLocks({
    onLocked: config.onLocked,
    signal: lifecycle.signal,
    clock,
    holderOf: (key) => record.holderOf(key),
    acquired: ({ botId }, key) => record.begin(key, botId),
    emit: (event) => tell(event),
  });
  const fleet = new Fleet({
    settings: { ...config, confirmTimeoutMs: confirmMs * CONFIRM_SHARE, clock },
    joining: ({ telegram }) => logging.addSecret(telegram.token),
    errorText: (error) => logging.errorText(error),
    locks,
    emit: (event, bot) => tell(event, bot),
    failed: (error) => void lifecycle.stop(reasonFor(error)),
  });
  const health =
    supervisor.kind === 'none'
      ? undefined
      : new Health({
          supervisor,
          clock,
          activity: () => fleet.activity,
          redact: (text) => logging.redact(text),
        });
  const bot = new BotHook({ source, config, log, clock, lifecycle, fleet, exiting: endedByProgram });

  const known = knownBot(source, config);
  if (known)
    lifecycle.add({
      name: 'lock',
      // Standing by has no end of its own: it may last until the next deploy.
      startTimeoutMs: Number.POSITIVE_INFINITY,
      start: () => locks.reserve(known),
    });
  lifecycle.add(bot);
  for (const hook of hooks) lifecycle.add(hook);
  lifecycle.add(drainHook({ lifecycle, fleet, clock, confirmMs, faultAmidStop: faultAmidStop.signal }));
  lifecycle.add({ name: 'intake', start: () => fleet.poll(), stop: () => fleet.stopIntake() });

  /** Whatever happens is heard by the log and by the supervisor. */
  function tell(event: ObservedEvent, botId?: number): void {
    logEvent(log, event, botId === undefined ? undefined : { bot: botId });
    health?.observe(event, botId);
  }

  function budget(): BudgetEvent {
    const drainMs = lifecycle.stopLimitMs('drain', StopReason.request('lifecycle.stop'));
    const { stopLimitMs, killAfterMs = stopLimitMs } = supervisor;
    return {
      event: 'lifecycle.budget',
      budgetMs,
      drainMs,
      hooksMs: budgetMs - drainMs,
      ...(killAfterMs !== undefined &&
        budgetMs < config.stopTimeoutMs && {
          cutShort: { killAfterMs, neededMs: recommendedKillAfterMs(config.stopTimeoutMs) },
        }),
    };
  }

  /** The program calls `process.exit` amid the run: there is no stop, but there is a receipt. */
  function endedByProgram(exitCode: number): void {
    logAbruptEnd(StopReason.request(`process.exit(${exitCode})`), exitCode);
  }

  function logAbruptEnd(reason: StopReason, exitCode: number): void {
    record.end(exitCode);
    logReceipt(receiptLog, { reason, clean: false, exitCode, ...lifecycle.soFar() }, fleet.counts);
  }

  return {
    lifecycle,
    async run(options = {}) {
      const { stopAfterMs = config.stopAfterMs } = options;
      const outcome = await lifecycle.run({ ...options, ...(stopAfterMs !== undefined && { stopAfterMs }) });
      record.end(outcome.exitCode);
      locks.release();
      logReceipt(receiptLog, outcome, fleet.counts);
      await logging.flush(Math.max(LAST_LINES_MS, budgetMs - outcome.stopDurationMs));
      bot.restore();
      supervisor.close();
      return outcome;
    },
    forced(exitCode) {
      if (lifecycle.state !== 'stopped') logAbruptEnd(lifecycle.signal.reason, exitCode);
    },
  };
}

/**
 * The bot that is known before its module is loaded, so that none of its code runs in two processes. A program that
 * brings another token is loaded first: its bot is known when it launches it.
 */
function knownBot(source: BotSource, { botToken, telegramApiRoot }: Config): BotIdentity | undefined {
  if ('bot' in source) return identityOf(source.bot);
  return botToken === undefined ? undefined : identityOfToken(botToken, telegramApiRoot);
}

/** The hook whose stop lets running handlers end; behind it in the stop come the hooks whose resources they use. */
function drainHook({
  lifecycle,
  fleet,
  clock,
  confirmMs,
  faultAmidStop,
}: {
  lifecycle: Lifecycle;
  fleet: Fleet;
  clock: Clock;
  confirmMs: number;
  faultAmidStop: AbortSignal;
}): Hook {
  return {
    name: 'drain',
    stopLatestEndMs({ budgetMs, reason }) {
      const shareMs = budgetMs * DRAIN_SHARE;
      return reason.kind === 'fault' ? Math.min(shareMs, FAULT_DRAIN_MS) : shareMs;
    },
    async stop({ signal, deadline, reason }) {
      const time = new AbortController();
      const cancels: (() => void)[] = [];
      const endWithin = (ms: number) => cancels.push(clock.after(ms, () => time.abort(reason)));
      // Ends before the hook's own deadline, so that the log names the handlers, and the last confirm has its time.
      endWithin(deadline.remainingMs() - confirmMs);
      if (faultAmidStop.aborted) endWithin(FAULT_DRAIN_MS);
      faultAmidStop.addEventListener('abort', () => endWithin(FAULT_DRAIN_MS), { once: true });
      try {
        const why = () => (reason?.kind === 'fault' || faultAmidStop.aborted ? 'fault' : 'stop');
        await fleet.drain(AbortSignal.any([time.signal, lifecycle.urgency, signal]), why);
      } finally {
        for (const cancel of cancels) cancel();
      }
    },
  };
}

/** Why the run stops when a bot cannot be polled any more. */
function reasonFor(error: LastcallError): StopReason {
  return error.exitCode === ExitCode.fault ? StopReason.fault(error) : StopReason.fatal(error);
}
