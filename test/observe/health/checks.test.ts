import { describe, expect, it } from '@jest/globals';
import { liveness, readiness } from '../../../src/observe/health/checks.js';
import type { StatusReport } from '../../../src/observe/status/report.js';
import { busyReport } from '../../support/busy-report.js';

const bot = (state: StatusReport['polling']['state'], running = 0, why?: string): StatusReport => ({
  ...busyReport,
  polling: { ...busyReport.polling, state, ...(why !== undefined && { why }) },
  counts: { ...busyReport.counts, running },
});

describe('liveness', () => {
  it('passes while the run makes progress', () => {
    expect(liveness(false)).toEqual({ passes: true, text: 'alive' });
    expect(liveness(true)).toMatchObject({ passes: false });
  });
});

describe('readiness', () => {
  it.each([
    [bot('polling'), true, 'ready: bot 123456789: polling'],
    [bot('polling', 3), true, 'ready: bot 123456789: polling, 3 running'],
    [bot('standing-by'), true, 'ready: bot 123456789: standing-by'],
    [
      bot('hindered', 1, 'Telegram unreachable'),
      true,
      'ready: bot 123456789: Telegram unreachable, 1 running',
    ],
    [bot('hindered', 0, 'Telegram unreachable'), false, 'not ready: bot 123456789: Telegram unreachable'],
    [bot('connecting'), false, 'not ready: bot 123456789: connecting'],
    [bot('ended'), false, 'not ready: bot 123456789: ended'],
  ])('of %# is %s', (report, passes, text) => {
    expect(readiness('running', [report])).toEqual({ passes, text });
  });

  it('needs one bot of several', () => {
    expect(readiness('running', [bot('ended'), bot('polling')])).toMatchObject({ passes: true });
    expect(readiness('running', [])).toEqual({ passes: false, text: 'not ready: no bot' });
  });

  it('is given in a start that stands by for the lock of another process', () => {
    expect(readiness('starting', [bot('standing-by')])).toEqual({
      passes: true,
      text: 'ready: bot 123456789: standing-by',
    });
    expect(readiness('stopping', [bot('standing-by')])).toMatchObject({ passes: false });
  });

  it.each(['starting', 'stopping'] as const)('is not given while the run is %s', (phase) => {
    expect(readiness(phase, [bot('polling', 3)])).toEqual({ passes: false, text: `not ready: ${phase}` });
  });
});
