/**
 * Records for each bot how its runs begin, do and end, for `lastcall history`. The begin, the request to stop and the end are
 * written at once, because the process may be killed right after them. What happens in between is written asynchronously: a
 * sample a minute, which is also a sign of life, and the first changes of polling in each minute.
 */
import type { Clock } from '../../clock.js';
import type { KilledRun } from '../../host/events.js';
import type { RunRecord } from '../../host/run-record.js';
import type { LifecycleEvent } from '../../lifecycle/events.js';
import type { Outcome } from '../../lifecycle/outcome.js';
import type { StopKind } from '../../lifecycle/stop-reason.js';
import type { PipelineView } from '../../pipeline-gauges.js';
import { BotConditions } from '../bot-conditions.js';
import type { ObservedEvent } from '../events.js';
import { noteFailedStart } from './failed-starts.js';
import { HistoryFiles } from './history-files.js';
import type { BegunRecord, EndedRecord, HistoryRecord, PreviousEnd, SampleRecord } from './record.js';
import { Steps, shortened } from './steps.js';

export interface HistoryRecorderOptions {
  /** The folder that has one folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  readonly supervisor: string;
  /** The file of the program; undefined for a bot in a program of its own. */
  readonly file?: string | undefined;
  readonly clock: Clock;
  readonly place: string;
  readonly pid: number;
  /** What the bot with this key has at work; undefined before it is launched. */
  view(key: string): PipelineView | undefined;
  /** What became of the updates of the bot with this key in its present launch. */
  countsOf(key: string): Readonly<Record<string, number | undefined>> | undefined;
  /** Masks secrets. */
  redact(text: string): string;
  /** Called with the first write that fails. */
  failed(path: string, error: unknown): void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const SAMPLE_EVERY_MS = 60_000;
/** Of a bot that loses and finds Telegram again and again. */
const MOST_CHANGES_A_SAMPLE = 20;

/** The reasons for which a start fails by itself, and is not called off by somebody. */
const failures: ReadonlySet<StopKind> = new Set(['start-failed', 'fatal', 'fault', 'request']);

/** A bot whose lock this process has. */
interface RecordedBot {
  readonly bot: number;
  readonly run: string;
  /** By the clock, in milliseconds. */
  readonly beganAt: number;
  lastState?: BegunRecord['lastState'];
  /** The last state that is recorded, and why. */
  told: string;
  changes: number;
}

export class HistoryRecorder {
  readonly #options: HistoryRecorderOptions & { readonly now: () => number };
  readonly #conditions: BotConditions;
  readonly #files: HistoryFiles | undefined;
  /** By the bots' keys. */
  readonly #bots = new Map<string, RecordedBot>();
  readonly #steps: Steps;
  #cancelSample = () => {};
  #runs = 0;
  #hasStarted = false;

  constructor(options: HistoryRecorderOptions) {
    const { clock, stateDir, failed } = options;
    this.#options = { now: Date.now, ...options };
    this.#conditions = new BotConditions(clock);
    this.#files = stateDir === undefined ? undefined : new HistoryFiles({ stateDir, failed });
    this.#steps = new Steps(options);
  }

  /**
   * Records that this run has the bot, and what is known of the run before it. Call it with the lock held.
   *
   * @param killed how the previous run was killed, if it was
   */
  begin(key: string, bot: number, previous: RunRecord | undefined, killed: KilledRun | undefined): void {
    const { pid, place, supervisor, clock, now } = this.#options;
    const atMs = now();
    const run = `${pid}-${atMs.toString(36)}-${(this.#runs++).toString(36)}`;
    const begun: BegunRecord = {
      ...{ kind: 'begun', run, atMs, pid, place, supervisor },
      ...(previous && { previous: endOf(previous, killed) }),
    };
    const recorded: RecordedBot = { bot, run, beganAt: clock.now(), told: 'connecting ', changes: 0 };
    this.#bots.set(key, recorded);
    this.#files?.begin(key, () => ({ ...begun, lastState: recorded.lastState }));
    if (this.#bots.size === 1) this.#sampleLater();
  }

  /** @param botId the bot whose pipeline has emitted the event */
  observe(event: ObservedEvent, botId = 0): void {
    this.#conditions.observe(event, botId);
    switch (event.event) {
      case 'poll.recovered':
        this.#noteState(botId, event.gapMs);
        break;
      case 'process.stood-still':
        this.#append((run, atMs) => ({ kind: 'stood-still', run, atMs, ms: event.ms }));
        break;
      case 'lifecycle.stopping': {
        const [reason, { budgetMs }] = [this.#options.redact(event.reason.message), event];
        this.#appendNow((run, atMs) => ({ kind: 'stopping', run, atMs, reason, budgetMs }));
        break;
      }
      default:
        if (!isOfLifecycle(event)) this.#noteState(botId);
    }
    if (event.event === 'lifecycle.running') this.#hasStarted = true;
    if (isOfLifecycle(event)) this.#steps.observe(event);
  }

  /** Records that the bot has ended alone, or that another process has it. Call it with the lock held. */
  finish(key: string): void {
    const recorded = this.#bots.get(key);
    if (!recorded) return;
    const why = this.#conditions.ended.get(recorded.bot);
    this.#end(key, recorded, {
      reason: why ?? 'the bot was stopped',
      reasonKind: 'bot-ended',
      outcome: why === undefined || why === 'stopped by the program' ? 'clean' : 'fault',
      ...{ exitCode: 0, stopMs: 0, steps: [] },
    });
  }

  /** Records the end of the run for all its bots, or that it failed before it had any. Call it with the locks held. */
  end({ reason, exitCode, stopDurationMs }: Outcome, outcome: EndedRecord['outcome']): void {
    const { redact } = this.#options;
    if (this.#runs === 0 && !this.#hasStarted && exitCode !== 0 && failures.has(reason.kind))
      this.#noteFailedStart(reason, exitCode);
    const end = {
      ...{ reason: redact(reason.message), reasonKind: reason.kind, outcome, exitCode },
      ...{ stopMs: stopDurationMs, steps: this.#steps.ended },
    };
    for (const [key, recorded] of this.#bots) this.#end(key, recorded, end);
  }

  #noteFailedStart({ cause, message }: Outcome['reason'], exitCode: number): void {
    const { stateDir, supervisor, file, pid, redact, now } = this.#options;
    if (stateDir !== undefined)
      noteFailedStart(stateDir, { error: cause, message, exitCode, supervisor, file }, { redact, pid, now });
  }

  #end(
    key: string,
    recorded: RecordedBot,
    end: Omit<EndedRecord, 'kind' | 'run' | 'atMs' | 'upMs' | 'counts'>,
  ) {
    const { now, clock, countsOf } = this.#options;
    this.#bots.delete(key);
    if (this.#bots.size === 0) this.#cancelSample();
    const counts = Object.entries(countsOf(key) ?? {}).flatMap(([name, number]) =>
      number === undefined ? [] : [[name, number] as const],
    );
    const [atMs, upMs] = [now(), clock.now() - recorded.beganAt];
    this.#files?.end(key, this.#sampleOf(key, recorded, atMs), {
      ...{ kind: 'ended', run: recorded.run, atMs, upMs },
      ...{ ...end, counts: Object.fromEntries(counts) },
    });
  }

  #noteState(botId: number, gapMs?: number): void {
    for (const [key, recorded] of this.#bots) {
      if (recorded.bot !== botId) continue;
      const { state, why } = this.#conditions.of(botId);
      const told = `${state} ${why ?? ''}`;
      if (recorded.told === told || ++recorded.changes > MOST_CHANGES_A_SAMPLE) continue;
      recorded.told = told;
      const name = this.#conditions.names.get(botId);
      const { now, redact } = this.#options;
      recorded.lastState = {
        ...{ atMs: now(), state },
        ...(why !== undefined && { why: redact(why) }),
        ...(name !== undefined && { name }),
      };
      this.#files?.append(key, {
        ...{ kind: 'state', run: recorded.run, ...recorded.lastState },
        ...(gapMs !== undefined && { gapMs: Math.round(gapMs) }),
      });
    }
  }

  #sampleLater(): void {
    this.#cancelSample();
    this.#cancelSample = this.#options.clock.after(SAMPLE_EVERY_MS, () => {
      const atMs = this.#options.now();
      for (const [key, recorded] of this.#bots) {
        recorded.changes = 0;
        this.#noteState(recorded.bot);
        this.#files?.append(key, this.#sampleOf(key, recorded, atMs));
      }
      this.#sampleLater();
    });
  }

  #sampleOf(key: string, { bot, run }: RecordedBot, atMs: number): SampleRecord {
    const { counts, handlerTimes, oldestAtMs } = this.#options.view(key) ?? {};
    const { waiting = 0, running = 0, handled = 0 } = counts ?? {};
    const { caught = 0, failed = 0, timedOut = 0, expired = 0 } = counts ?? {};
    return {
      ...{ kind: 'sample', run, atMs, state: this.#conditions.of(bot).state },
      ...{ waiting, running, handled, failed: caught + failed + timedOut + expired },
      ...(oldestAtMs !== undefined && { oldestMs: Math.max(0, atMs - oldestAtMs) }),
      ...(handlerTimes && {
        handlers: {
          count: handlerTimes.count,
          medianMs: shortened(handlerTimes.medianMs),
          p99Ms: shortened(handlerTimes.p99Ms),
        },
      }),
    };
  }

  #append(recordOf: (run: string, atMs: number) => HistoryRecord): void {
    const atMs = this.#options.now();
    for (const [key, { run }] of this.#bots) this.#files?.append(key, recordOf(run, atMs));
  }

  #appendNow(recordOf: (run: string, atMs: number) => HistoryRecord): void {
    const atMs = this.#options.now();
    for (const [key, { run }] of this.#bots) this.#files?.appendNow(key, recordOf(run, atMs));
  }
}

const isOfLifecycle = (event: ObservedEvent): event is LifecycleEvent =>
  event.event.startsWith('lifecycle.') || event.event.startsWith('hook.');

function endOf(previous: RunRecord, killed: KilledRun | undefined): PreviousEnd {
  const { pid, phase, hook, sinceMs, exitCode } = previous;
  return {
    ...{ pid, phase, hook, sinceMs, exitCode },
    killed: killed && { machineRestarted: killed.machineRestarted, advice: killed.advice },
  };
}
