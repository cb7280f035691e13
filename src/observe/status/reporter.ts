/** Composes the report of a bot: from the events of the run, and from what the bot's pipeline has at work. */
import type { Clock } from '../../clock.js';
import type { PipelineView } from '../../pipeline-gauges.js';
import { BotConditions } from '../bot-conditions.js';
import type { ObservedEvent } from '../events.js';
import { Progress } from '../progress.js';
import { POLL_TOLERANCE_MS } from '../status-text.js';
import type { PollingStatus, StatusReport, StopForecast } from './report.js';

export interface ReporterOptions {
  readonly clock: Clock;
  readonly pid: number;
  readonly supervisor: StatusReport['supervisor'];
  readonly inbox: 'journal' | 'memory' | 'postgres';
  readonly pollTimeoutMs: number;
  /** What the bot with this key has at work; undefined before it is launched. */
  view(key: string): PipelineView | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const nothing: StatusReport['counts'] = {
  waiting: 0,
  running: 0,
  handled: 0,
  caught: 0,
  failed: 0,
  timedOut: 0,
  expired: 0,
  putBack: 0,
  dead: 0,
};

export class StatusReporter {
  readonly #options: ReporterOptions;
  readonly #conditions: BotConditions;
  readonly #progress: Progress;
  #beganAt: number;
  #budget: Pick<StopForecast, 'budgetMs' | 'drainMs'> | undefined;

  constructor(options: ReporterOptions) {
    const { clock } = options;
    this.#options = options;
    this.#conditions = new BotConditions(clock);
    this.#progress = new Progress(clock, () => Number.POSITIVE_INFINITY);
    this.#beganAt = clock.now();
  }

  /** @param botId the bot whose pipeline has emitted the event */
  observe(event: ObservedEvent, botId = 0): void {
    this.#progress.observe(event);
    this.#conditions.observe(event, botId);
    if (event.event === 'lifecycle.starting') this.#beganAt = this.#options.clock.now();
    if (event.event === 'lifecycle.budget')
      this.#budget = { budgetMs: event.budgetMs, drainMs: event.drainMs };
  }

  get phase(): StatusReport['phase'] {
    return this.#progress.phase;
  }

  /** The report as of now. May contain secrets, in the words of others. */
  report(bot: number, key: string): StatusReport {
    const { clock, pid, supervisor, inbox, view, now = Date.now } = this.#options;
    const { phase, step } = this.#progress;
    const at = clock.now();
    const seen = view(key);
    const counts = seen?.counts ?? nothing;
    const name = this.#conditions.names.get(bot);
    const leftMs = Math.max(0, step.latestEnd - at);
    return {
      bot,
      ...(name !== undefined && { name }),
      ...{ pid, supervisor, upMs: at - this.#beganAt, phase },
      ...(phase !== 'running' && {
        step: { name: step.name, ...(Number.isFinite(leftMs) && { leftMs }) },
      }),
      polling: this.#polling(bot, at, inbox === 'memory' && counts.running + counts.waiting > 0),
      counts,
      ...(seen?.handlerTimes && { handlerTimes: seen.handlerTimes }),
      slowest: seen?.slowest ?? [],
      jams: seen?.jams ?? [],
      inbox: {
        kind: inbox,
        ...(seen?.oldestAtMs !== undefined && { oldestMs: Math.max(0, now() - seen.oldestAtMs) }),
      },
      ...(this.#budget && { stop: { ...this.#budget, handlersMs: this.#handlersMs(seen, at) } }),
    };
  }

  #handlersMs(seen: PipelineView | undefined, at: number): number {
    const latest = Math.max(0, (seen?.runningUntil ?? 0) - at);
    return Math.min(latest, this.#budget?.drainMs ?? latest);
  }

  /** @param isBusy whether there is no poll while handlers are at work */
  #polling(bot: number, at: number, isBusy: boolean): PollingStatus {
    const { pollTimeoutMs } = this.#options;
    const last = this.#conditions.lastPolls.get(bot);
    const silentMs = last && at - last.at;
    const now = this.#state(bot, at);
    const isLate = silentMs !== undefined && silentMs > pollTimeoutMs + POLL_TOLERANCE_MS;
    return {
      ...now,
      ...(last && silentMs !== undefined && { lastPoll: { agoMs: silentMs, updates: last.updates } }),
      pollTimeoutMs,
      isLate: isLate && now.state === 'polling' && !isBusy,
    };
  }

  #state(bot: number, at: number): Omit<PollingStatus, 'pollTimeoutMs' | 'isLate' | 'lastPoll'> {
    const { since, ...condition } = this.#conditions.of(bot);
    const from = condition.state === 'connecting' ? this.#beganAt : since;
    return { ...condition, ...(from !== undefined && { forMs: at - from }) };
  }
}
