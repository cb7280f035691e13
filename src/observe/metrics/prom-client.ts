/** Takes the package `prom-client`. It is optional: it is loaded only where METRICS is set. */
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';

export type PromClient = typeof import('prom-client');

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
