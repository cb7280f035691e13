/**
 * The hook that serves metrics and health checks. It starts before the bot is loaded, and is closed at the very end of the run, so that a start
 * and a stop can be watched. What serves is loaded here, as no other run is to wait for it.
 */
import type { Hook } from './lifecycle/hook.js';
import type { ObservedEvent } from './observe/events.js';
import type { Exporter, ExporterOptions } from './observe/metrics/exporter.js';
import type { Stopwatch } from './pipeline.js';

export class MetricsHook implements Hook {
  readonly name = 'metrics';
  readonly #options: ExporterOptions;
  #exporter: Exporter | undefined;
  #isClosed = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** Rejects with METRICS_PACKAGE_MISSING or METRICS_ADDRESS. */
  async start(): Promise<void> {
    const { Exporter } = await import('./observe/metrics/exporter.js');
    this.#exporter = await Exporter.open(this.#options);
    if (this.#isClosed) this.#exporter.close();
  }

  observe(event: ObservedEvent, botId?: number): void {
    this.#exporter?.observe(event, botId);
  }

  /** Takes the times of a bot's handlers; undefined before the start. */
  stopwatchOf(botId: number): Stopwatch | undefined {
    return this.#exporter?.stopwatchOf(botId);
  }

  close(): void {
    this.#isClosed = true;
    this.#exporter?.close();
  }
}
