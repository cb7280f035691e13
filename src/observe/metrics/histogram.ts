/**
 * One series of a histogram, counted here: at each value, prom-client would look for the series anew, by a text that it
 * makes of the labels, and a bot at its limit would feel that.
 */
import type { Sample } from './prom-client.js';

export class HistogramSeries {
  readonly #labels: Sample['labels'];
  readonly #bounds: readonly number[];
  /** How many values fell into each bucket but into none before it; the last bucket has no bound. */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds the upper bounds of the buckets, in ascending order */
  constructor(labels: Sample['labels'], bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
  }

  add(value: number): void {
    let bucket = 0;
    for (const bound of this.#bounds) {
      if (value <= bound) break;
      bucket++;
    }
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** @param name of the metric */
  samples(name: string): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket;
      const labels = { le: this.#bounds[index] ?? '+Inf', ...this.#labels };
      return { name: `${name}_bucket`, labels, value: count };
    });
    return [
      ...buckets,
      { name: `${name}_sum`, labels: this.#labels, value: this.#sum },
      { name: `${name}_count`, labels: this.#labels, value: count },
    ];
  }
}
