import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import client from 'prom-client';
import { ProcessFigures } from '../../../src/observe/metrics/process-figures.js';
import { MetricStore } from '../../../src/observe/metrics/store.js';
import { Samples } from '../../support/metrics.js';

const BLOCKED_MS = 150;

/** Keeps the event loop from its timers, and lets it come to them; twice, as a time is between two looks. */
async function block(): Promise<void> {
  for (let times = 0; times < 2; times++) {
    const from = performance.now();
    while (performance.now() - from < BLOCKED_MS);
    await nextTurn();
    await nextTurn();
  }
}

it('tells how late the event loop was since the last time, until it is closed', async () => {
  const store = new MetricStore(client);
  const figures = new ProcessFigures();
  const maxLag = async () => {
    figures.show(store);
    return new Samples(await store.text()).of('nodejs_eventloop_lag_max_seconds') ?? Number.NaN;
  };
  try {
    await block();
    expect(await maxLag()).toBeGreaterThan((0.8 * BLOCKED_MS) / 1_000);
    expect(await maxLag()).toBeLessThan((0.8 * BLOCKED_MS) / 1_000);
  } finally {
    figures.close();
  }
  await maxLag();
  await block();
  expect(await maxLag()).toBe(0);
});

it('tells what the process itself knows of its memory, its time and its start', async () => {
  const store = new MetricStore(client);
  const figures = new ProcessFigures();
  figures.show(store);
  figures.close();
  const samples = new Samples(await store.text());
  const about = (actual: number | undefined, expected: number) =>
    expect(Math.abs((actual ?? Number.NaN) / expected - 1)).toBeLessThan(0.2);
  about(samples.of('process_resident_memory_bytes'), process.memoryUsage().rss);
  about(samples.of('nodejs_heap_size_total_bytes'), process.memoryUsage().heapTotal);
  const { user, system } = process.cpuUsage();
  about(samples.of('process_cpu_seconds_total'), (user + system) / 1e6);
  expect(
    Math.abs((samples.of('process_start_time_seconds') ?? 0) + process.uptime() - Date.now() / 1e3),
  ).toBeLessThan(1);
  expect(samples.of('nodejs_version_info', { version: process.version })).toBe(1);
});
