/**
 * The figures of a run as Prometheus metrics. Most are read from the status of the bots when they are asked for; only what
 * the status does not count is counted here: durations, from which histograms are made, and events.
 */
import type { Clock } from '../../clock.js';
import type { DeadReason } from '../../inbox/inbox.js';
import type { Stopwatch } from '../../pipeline.js';
import type { ObservedEvent } from '../events.js';
import { phases, type StatusReport } from '../status/report.js';
import { type BotFigures, showBots } from './bot-figures.js';
import type { HistogramSeries } from './histogram.js';
import { ProcessFigures } from './process-figures.js';
import type { PromClient } from './prom-client.js';
import { MetricStore } from './store.js';
import type { LabelsOf } from './table.js';

export interface MetricsOptions {
  readonly client: PromClient;
  readonly clock: Clock;
  readonly info: LabelsOf<'lastcall_info'>;
  readonly concurrency: number;
  phase(): StatusReport['phase'];
  bots(): readonly BotFigures[];
  /** Masks secrets. */
  redact(text: string): string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What a program may have put a secret into: the help of a metric, and the value of a label, with its quotes. */
const WORDS = /(?<=^# HELP \S+ ).*|"(?:[^"\\\n]|\\.)*"/gm;
/** How long the program's own metrics may take. */
const PROGRAM_WITHIN_MS = 1_000;

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #store: MetricStore;
  readonly #process = new ProcessFigures();
  readonly #held = new Set<number>();
  readonly #killed = new Set<number>();
  /** How many dead letters each bot has had. */
  readonly #dead = new Map<number, Record<DeadReason, number>>();
  /** The bots that cannot be polled any more, while others go on. */
  readonly #failed = new Set<number>();
  #startMs: number | undefined;
  #stoppingSince: number | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#store = new MetricStore(options.client);
  }

  get contentType(): string {
    return this.#store.contentType;
  }

  close(): void {
    this.#process.close();
  }

  /** @param botId the bot whose pipeline has emitted the event */
  observe(event: ObservedEvent, botId = 0): void {
    switch (event.event) {
      case 'lifecycle.running':
        this.#startMs = event.durationMs;
        break;
      case 'lifecycle.stopping':
        this.#stoppingSince = this.#options.clock.now();
        break;
      case 'previous-run.killed':
        this.#killed.add(event.bot);
        break;
      case 'bot.failed':
        // The launch that polls the bot goes on.
        if (event.error.code !== 'BOT_ALREADY_POLLED') this.#failed.add(event.bot);
        break;
      case 'poll.connected':
        this.#failed.delete(botId);
        break;
      case 'poll.answered':
        this.#store.series('lastcall_poll_duration_seconds', { bot: botId }).add(event.durationMs / 1e3);
        break;
      case 'inbox.dead':
        this.#deadOf(botId)[event.why]++;
        break;
      case 'dispatch.held':
        this.#held.add(botId);
        break;
      case 'dispatch.resumed':
        this.#held.delete(botId);
        break;
    }
  }

  /** Takes the times of a bot's handlers, and of the syncs of its inbox. */
  stopwatchOf(bot: number): Stopwatch {
    const store = this.#store;
    let syncs: HistogramSeries | undefined;
    const handlers = new Map<string, HistogramSeries>();
    const handlersOf = (kind: string) => {
      const series = store.series('lastcall_handler_duration_seconds', { bot, kind });
      handlers.set(kind, series);
      return series;
    };
    return {
      handler: (kind, durationMs) => (handlers.get(kind) ?? handlersOf(kind)).add(durationMs / 1e3),
      inboxSync: (durationMs) => {
        syncs ??= store.series('lastcall_inbox_sync_duration_seconds', { bot });
        syncs.add(durationMs / 1e3);
      },
    };
  }

  /** The metrics as of now, in Prometheus' text format, and then those of the program, without the secrets in their words. */
  async text(): Promise<string> {
    const { bots, clock, now = Date.now } = this.#options;
    this.#showRun();
    showBots(this.#store, bots(), {
      now: now(),
      held: this.#held,
      killed: this.#killed,
      failed: this.#failed,
      deadOf: (bot) => this.#deadOf(bot),
    });
    this.#process.show(this.#store);
    const own = await this.#store.text();
    let cancel = () => {};
    const late = new Promise<string>((resolve) => {
      cancel = clock.after(PROGRAM_WITHIN_MS, () => resolve(''));
    });
    try {
      const ofProgram = await Promise.race([this.#store.programText(), late]);
      // Not the names and the numbers: a password that is a part of a name would leave a text that Prometheus refuses.
      return own + ofProgram.replace(WORDS, (words) => this.#options.redact(words));
    } finally {
      cancel();
    }
  }

  #deadOf(bot: number): Record<DeadReason, number> {
    const counts = this.#dead.get(bot) ?? {
      failed: 0,
      caught: 0,
      'timed-out': 0,
      expired: 0,
      died: 0,
      cut: 0,
    };
    this.#dead.set(bot, counts);
    return counts;
  }

  #showRun(): void {
    const { clock, info, concurrency } = this.#options;
    const current = this.#options.phase();
    const store = this.#store;
    const [startMs, since] = [this.#startMs, this.#stoppingSince];
    store.show('lastcall_info', [[info, 1]]);
    store.show(
      'lastcall_phase',
      phases.map((phase) => [{ phase }, phase === current ? 1 : 0]),
    );
    store.show('lastcall_start_duration_seconds', startMs === undefined ? [] : [[{}, startMs / 1e3]]);
    const stopMs = since === undefined ? 0 : clock.now() - since;
    store.show('lastcall_stop_duration_seconds', [[{}, stopMs / 1e3]]);
    store.show('lastcall_handlers_limit', [[{}, concurrency]]);
  }
}
