/** Takes the package `prom-client`. It is optional: it is loaded only where METRICS is set. */
import type { Metric, Registry } from 'prom-client';
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';

export type PromClient = typeof import('prom-client');

export interface Sample {
  /** The metric's own name, or that with a suffix in a histogram. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric whose figures are kept elsewhere. */
export interface CountedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Asked whenever the registry is. */
  samples(): readonly Sample[];
}

/** Rejects with METRICS_PACKAGE_MISSING where it is not installed. */
export async function loadPromClient(load = () => import('prom-client')): Promise<PromClient> {
  try {
    return (await load()).default;
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND' && codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    const message = 'METRICS needs the package prom-client, which is not installed';
    throw new LastcallError('METRICS_PACKAGE_MISSING', 'METRICS', message);
  }
}

/** Lets a registry show a metric. For its text it asks a metric for nothing but this `get`. */
export function register(registry: Registry, { name, help, type, samples }: CountedMetric): void {
  const metric = {
    name,
    get: async () => ({
      ...{ name, help, type },
      values: samples().map(({ name: metricName, labels, value }) => ({ metricName, labels, value })),
    }),
  };
  registry.registerMetric(metric as unknown as Metric);
}
