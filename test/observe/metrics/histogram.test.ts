import { describe, expect, it } from '@jest/globals';
import { HistogramSeries } from '../../../src/observe/metrics/histogram.js';

const labels = { bot: 7 };

function valuesOf(series: HistogramSeries): Record<string, number> {
  return Object.fromEntries(
    series
      .samples('times')
      .map(({ name, labels: { le }, value }) => [le === undefined ? name : `${le}`, value]),
  );
}

describe('HistogramSeries', () => {
  it('counts each value in the buckets whose bounds it does not pass, and sums them up', () => {
    const series = new HistogramSeries(labels, [0.5, 1]);
    for (const value of [0.25, 0.5, 0.75, 1, 4]) series.add(value);
    expect(valuesOf(series)).toEqual({ 0.5: 2, 1: 4, '+Inf': 5, times_sum: 6.5, times_count: 5 });
  });

  it('has all its buckets from the start, each with the labels of the series', () => {
    const series = new HistogramSeries(labels, [1]);
    expect(series.samples('times').map((sample) => sample.labels)).toEqual([
      { le: 1, bot: 7 },
      { le: '+Inf', bot: 7 },
      labels,
      labels,
    ]);
    expect(valuesOf(series)).toEqual({ 1: 0, '+Inf': 0, times_sum: 0, times_count: 0 });
  });
});
