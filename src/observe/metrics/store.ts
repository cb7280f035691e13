/** Holds the figures of the table's metrics, and puts them into Prometheus' text, with those of the bot program. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PromClient } from './prom-client.js';
import { type LabelsOf, type MetricRow, metricTable, type NameOf } from './table.js';

type Labels = Record<string, string | number>;
type Metric = Counter | Gauge | Histogram;

export class MetricStore {
  readonly #client: PromClient;
  readonly #registry: Registry;
  readonly #metrics = new Map<string, Metric>();

  constructor(client: PromClient) {
    this.#client = client;
    this.#registry = new client.Registry();
    for (const [name, row] of Object.entries<MetricRow>(metricTable)) {
      const { help, labels, buckets = [] } = row;
      const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
      const { Counter, Gauge, Histogram } = client;
      if (row.type === 'histogram')
        this.#metrics.set(name, new Histogram({ ...common, buckets: [...buckets] }));
      else this.#metrics.set(name, row.type === 'counter' ? new Counter(common) : new Gauge(common));
    }
  }

  /** The media type of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Replaces all series of a metric. */
  show<N extends NameOf<'counter' | 'gauge'>>(
    name: N,
    series: readonly (readonly [labels: LabelsOf<N>, value: number])[],
  ): void {
    const metric = this.#metrics.get(name);
    if (!metric) return;
    metric.reset();
    // A metric without labels would otherwise be 0 where nothing is known.
    if (series.length === 0 && metricTable[name].labels.length === 0) metric.remove();
    for (const [labels, value] of series) if ('inc' in metric) metric.inc({ ...labels } as Labels, value);
  }

  /** Counts one more. */
  count<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>, by = 1): void {
    const metric = this.#metrics.get(name);
    if (metric && 'inc' in metric) metric.inc({ ...labels } as Labels, by);
  }

  /** Returns what adds a value to a series of a histogram. To be kept, as finding the series costs more than adding to it. */
  series<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): (value: number) => void {
    const metric = this.#metrics.get(name);
    if (!metric || !('observe' in metric)) return () => {};
    const found = metric.labels({ ...labels } as Labels);
    return (value) => found.observe(value);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * The metrics that the bot program has in the default registry of the same copy of the package. One that fails, or that has
   * the name of a metric of the table, is left out.
   */
  async programText(): Promise<string> {
    const { register } = this.#client;
    const names = register.getMetricsAsArray().map(({ name }) => name);
    const texts = names
      .filter((name) => !this.#metrics.has(name))
      .map((name) => register.getSingleMetricAsString(name).catch(() => ''));
    return (await Promise.all(texts)).map((text) => (text === '' ? '' : `${text}\n`)).join('');
  }
}
