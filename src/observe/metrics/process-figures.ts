/** What is measured of the process: its event loop, its memory, its processor time, its descriptors. */
import { readdirSync, readFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { tryOr } from '../../thrown.js';
import type { MetricStore } from './store.js';

/** How often the event loop is looked at, in milliseconds. */
const RESOLUTION_MS = 20;

export class ProcessFigures {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #maxDescriptors = tryOr(readMaxDescriptors, undefined);
  readonly #startedAtSeconds = (Date.now() - process.uptime() * 1_000) / 1_000;

  constructor() {
    this.#delay.enable();
  }

  /** Ends what is measured by a timer. */
  close(): void {
    this.#delay.disable();
  }

  /** Brings the metrics of the process up to date. The lag of the event loop begins anew. */
  show(store: MetricStore): void {
    const one = (value: number | undefined) => (value === undefined ? [] : ([[{}, value]] as const));
    const { user, system } = process.cpuUsage();
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    store.show('nodejs_eventloop_lag_mean_seconds', one(lagSeconds(this.#delay.mean)));
    store.show('nodejs_eventloop_lag_p99_seconds', one(lagSeconds(this.#delay.percentile(99))));
    store.show('nodejs_eventloop_lag_max_seconds', one(lagSeconds(this.#delay.max)));
    this.#delay.reset();
    store.show('nodejs_heap_size_used_bytes', one(heapUsed));
    store.show('nodejs_heap_size_total_bytes', one(heapTotal));
    store.show('nodejs_external_memory_bytes', one(external));
    store.show('nodejs_version_info', [[{ version: process.version }, 1]]);
    store.show('process_cpu_seconds_total', one((user + system) / 1e6));
    store.show('process_resident_memory_bytes', one(rss));
    store.show('process_start_time_seconds', one(this.#startedAtSeconds));
    store.show('process_open_fds', one(tryOr(() => readdirSync('/proc/self/fd').length, undefined)));
    store.show('process_max_fds', one(this.#maxDescriptors));
  }
}

/** The histogram holds the times between two looks, in nanoseconds; 0 or no number where there was none. */
const lagSeconds = (ns: number): number => Math.max(0, (ns || 0) / 1e9 - RESOLUTION_MS / 1e3);

function readMaxDescriptors(): number | undefined {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? undefined : Number(limit);
}
