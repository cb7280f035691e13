import { describe, expect, it } from '@jest/globals';
import { loadPromClient } from '../../../src/observe/metrics/prom-client.js';

const failing = (code?: string) => () => Promise.reject(Object.assign(new Error('why'), { code }));

describe('loadPromClient', () => {
  it('loads the package', async () => {
    expect(await loadPromClient()).toMatchObject({ Registry: expect.any(Function) });
  });

  it.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])('says what to install: %s', async (code) => {
    await expect(loadPromClient(failing(code))).rejects.toMatchObject({
      ...{ code: 'METRICS_PACKAGE_MISSING', exitCode: 78 },
      nextStep: expect.stringContaining('npm install prom-client'),
    });
  });

  it('tells of another failure what it is', async () => {
    await expect(loadPromClient(failing('EACCES'))).rejects.toMatchObject({ code: 'EACCES' });
  });
});
