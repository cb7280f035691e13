/** Holds the figures of the table's metrics, and puts them into Prometheus' text, with those of the bot program. */
import type { Registry } from 'prom-client';
import { HistogramSeries } from './histogram.js';
import { type PromClient, register, type Sample } from './prom-client.js';
import { type LabelsOf, type MetricRow, metricTable, type NameOf } from './table.js';

export class MetricStore {
  readonly #client: PromClient;
  readonly #registry: Registry;
  /** The samples of counters and gauges, by the name of the metric. */
  readonly #shown = new Map<string, readonly Sample[]>();
  /** The series of each histogram, by their labels. */
  readonly #histograms = new Map<string, Map<string, HistogramSeries>>();

  constructor(client: PromClient) {
    this.#client = client;
    this.#registry = new client.Registry();
    for (const [name, { type, help }] of Object.entries<MetricRow>(metricTable))
      register(this.#registry, { name, type, help, samples: () => this.#samplesOf(name) });
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
    this.#shown.set(
      name,
      series.map(([labels, value]) => ({ name, labels, value })),
    );
  }

  /** The series of a histogram that has these labels. To be kept, as finding it costs more than adding to it. */
  series<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): HistogramSeries {
    const row = metricTable[name];
    const all = this.#histograms.get(name) ?? new Map<string, HistogramSeries>();
    this.#histograms.set(name, all);
    const key = JSON.stringify(labels);
    const series = all.get(key) ?? new HistogramSeries(labels, row.buckets);
    all.set(key, series);
    return series;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * The metrics that the bot program has in the default registry of the same copy of the package. One that fails, or that has
   * the name of a metric of the table, is left out.
   */
  async programText(): Promise<string> {
    const { register: registry } = this.#client;
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    const texts = names
      .filter((name) => !Object.hasOwn(metricTable, name))
      .map((name) => registry.getSingleMetricAsString(name).catch(() => ''));
    return (await Promise.all(texts)).map((text) => (text === '' ? '' : `${text}\n`)).join('');
  }

  #samplesOf(name: string): readonly Sample[] {
    const histograms = [...(this.#histograms.get(name)?.values() ?? [])];
    return this.#shown.get(name) ?? histograms.flatMap((series) => series.samples(name));
  }
}
