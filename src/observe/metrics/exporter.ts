/** What is served at the address of METRICS: the metrics, and the answers to those who watch over the process. */
import type { Clock } from '../../clock.js';
import type { MetricsEvent } from '../../host/events.js';
import type { Stopwatch } from '../../pipeline.js';
import type { ObservedEvent } from '../events.js';
import { type Check, liveness, readiness } from '../health/checks.js';
import { type Answer, MetricsListener } from './listener.js';
import { Metrics, type MetricsOptions } from './metrics.js';
import { loadPromClient } from './prom-client.js';

export interface ExporterOptions extends Omit<MetricsOptions, 'client'> {
  /** As it was set: host and port together. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly isLoopback: boolean;
  readonly clock: Clock;
  /** Whether a step of the run should have ended long ago. */
  isStalled(): boolean;
  emit(event: MetricsEvent): void;
}

export class Exporter {
  readonly #options: ExporterOptions;
  readonly #metrics: Metrics;
  readonly #listener: MetricsListener;

  private constructor(options: ExporterOptions, metrics: Metrics) {
    const { address, isLoopback, emit } = options;
    this.#options = options;
    this.#metrics = metrics;
    this.#listener = new MetricsListener({
      ...options,
      answer: (path) => this.#answer(path),
      listening: (bound) => emit({ event: 'metrics.listening', address: bound, exposed: !isLoopback }),
      unavailable: (error) => emit({ event: 'metrics.unavailable', address, error }),
    });
  }

  /** Rejects with METRICS_PACKAGE_MISSING or METRICS_ADDRESS. */
  static async open(options: ExporterOptions): Promise<Exporter> {
    const client = await loadPromClient();
    const exporter = new Exporter(options, new Metrics({ ...options, client }));
    try {
      await exporter.#listener.listen();
      return exporter;
    } catch (error) {
      exporter.close();
      throw error;
    }
  }

  observe(event: ObservedEvent, botId?: number): void {
    this.#metrics.observe(event, botId);
  }

  stopwatchOf(bot: number): Stopwatch {
    return this.#metrics.stopwatchOf(bot);
  }

  close(): void {
    this.#listener.close();
    this.#metrics.close();
  }

  async #answer(path: string): Promise<Answer> {
    const { phase, bots, isStalled } = this.#options;
    switch (path) {
      case '/metrics':
        return { status: 200, contentType: this.#metrics.contentType, body: await this.#metrics.text() };
      case '/livez':
        return this.#checked(liveness(isStalled()));
      case '/readyz': {
        const reports = bots().map(({ report }) => report);
        return this.#checked(readiness(phase(), reports));
      }
      default:
        return inWords(404, 'there are /metrics, /livez and /readyz');
    }
  }

  #checked({ passes, text }: Check): Answer {
    return inWords(passes ? 200 : 503, this.#options.redact(text));
  }
}

const inWords = (status: number, text: string): Answer => ({
  ...{ status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` },
});
