import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import type { BudgetEvent } from '../../../src/host/events.js';
import type { LifecycleEvent } from '../../../src/lifecycle/events.js';
import { StopReason } from '../../../src/lifecycle/stop-reason.js';
import { lineOf, type Samples } from './line-of.js';

const hook = 'database';
const ours = new LastcallError('HOOK_TIMED_OUT', hook, 'it did not end within 100 ms');

const samples: Samples<Exclude<LifecycleEvent, { event: 'lifecycle.stopped' }> | BudgetEvent> = {
  'lifecycle.starting': [{ event: 'lifecycle.starting' }, 'info', 'Starting'],
  'lifecycle.budget': [
    { event: 'lifecycle.budget', budgetMs: 90_000, drainMs: 60_000, hooksMs: 30_000 },
    'info',
    'A stop may take 1 min 30 s: the drain 1 min, the hooks after it 30 s plus what the drain leaves',
  ],
  'lifecycle.running': [
    { event: 'lifecycle.running', durationMs: 120 },
    'info',
    'Running after a start of 120 ms',
  ],
  'lifecycle.stopping': [
    { event: 'lifecycle.stopping', reason: StopReason.signal('SIGTERM'), budgetMs: 90_000 },
    'info',
    'Stopping (SIGTERM), within 1 min 30 s',
  ],
  'lifecycle.stop-repeated': [
    { event: 'lifecycle.stop-repeated', reason: StopReason.request('bot.stop()') },
    'info',
    'Stop requested again (bot.stop() was called)',
  ],
  'lifecycle.hastened': [
    { event: 'lifecycle.hastened', limitMs: 1_000 },
    'warn',
    'Shortening the stop: running handlers are aborted, each hook gets 1 s',
  ],
  'hook.starting': [
    { event: 'hook.starting', hook, limitMs: 60_000 },
    'info',
    'database: starting, within 1 min',
  ],
  'hook.started': [{ event: 'hook.started', hook, durationMs: 0.2 }, 'info', 'database: started in <1 ms'],
  'hook.called-off': [
    { event: 'hook.called-off', hook, durationMs: 12 },
    'info',
    'database: start called off after 12 ms',
  ],
  'hook.stopping': [
    { event: 'hook.stopping', hook, limitMs: Number.POSITIVE_INFINITY },
    'info',
    'database: stopping',
  ],
  'hook.stopped': [{ event: 'hook.stopped', hook, durationMs: 12 }, 'info', 'database: stopped in 12 ms'],
  'hook.failed': [
    {
      event: 'hook.failed',
      hook,
      step: 'stop',
      durationMs: 12,
      error: new LastcallError('HOOK_FAILED', hook, 'no'),
    },
    'error',
    'database: stop failed after 12 ms: no',
  ],
  'hook.cut': [
    { event: 'hook.cut', hook, step: 'start', durationMs: 100, error: ours },
    'error',
    'database: start cut off after 100 ms',
  ],
};

describe('an event of the lifecycle', () => {
  it.each(Object.values(samples))('$event has its line', async (event, level, msg) => {
    expect(await lineOf(event)).toMatchObject({ level, event: event.event, msg });
  });

  it('names once the hook that failed, and what it threw', async () => {
    const error = new LastcallError('HOOK_FAILED', hook, 'the stop of "database" failed: gone', {
      cause: new Error('gone'),
    });
    const line = await lineOf({ event: 'hook.failed', hook, step: 'stop', durationMs: 12, error });
    expect(line?.['msg']).toBe('database: stop failed after 12 ms: gone');
  });

  it('leaves why the start failed to the line that told it', async () => {
    const reason = StopReason.startFailed(ours);
    const line = await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 90_000 });
    expect(line).toMatchObject({
      msg: 'Stopping (the start failed), within 1 min 30 s',
      reason: 'the start failed',
      reasonKind: 'start-failed',
    });
    expect(JSON.stringify(line)).not.toContain(ours.message);
  });

  it('is as loud as the reason for the stop', async () => {
    const levelFor = async (reason: StopReason) =>
      (await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 1 }))?.['level'];
    expect(await levelFor(StopReason.stopAfter(1))).toBe('info');
    expect(await levelFor(StopReason.aborted('why'))).toBe('info');
    expect(await levelFor(StopReason.fault(new Error('x')))).toBe('error');
    expect(await levelFor(StopReason.startFailed(ours))).toBe('error');
  });

  it('warns where the supervisor would cut a stop short, and says what to set', async () => {
    const cutShort = { killAfterMs: 1_600, neededMs: 95_000 };
    const budget = { event: 'lifecycle.budget', budgetMs: 1_200, drainMs: 600, hooksMs: 600 } as const;
    expect(await lineOf({ ...budget, cutShort })).toMatchObject({
      level: 'warn',
      ...budget,
      ...cutShort,
      msg: 'A stop may take only 1.2 s (the drain 600 ms, the hooks after it 600 ms plus what the drain leaves), because pm2 kills after 1.6 s: set kill_timeout to at least 95000, or STOP_TIMEOUT to at most 1200ms',
    });
    // Nor any setting that would be refused.
    const atOnce = { ...budget, budgetMs: 0.75, cutShort: { ...cutShort, killAfterMs: 1 } };
    expect(await lineOf(atOnce)).toMatchObject({
      msg: expect.stringMatching(/pm2 kills after 1 ms: set kill_timeout to at least 95000$/),
    });
  });

  it('says why it stops', async () => {
    const reason = StopReason.fault(new TypeError('oops'), 'uncaught exception');
    expect(await lineOf({ event: 'lifecycle.stopping', reason, budgetMs: 5_000 })).toMatchObject({
      reason: 'uncaught exception: oops',
      reasonKind: 'fault',
      budgetMs: 5_000,
      err: { type: 'TypeError', message: 'oops' },
    });
  });

  it('leaves the receipt to the receipt', async () => {
    const outcome = { reason: StopReason.signal('SIGTERM'), clean: true, exitCode: 0, phases: [] };
    expect(
      await lineOf({ event: 'lifecycle.stopped', ...outcome, durationMs: 1, stopDurationMs: 1 }),
    ).toBeUndefined();
  });
});
