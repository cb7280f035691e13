import { describe, expect, it } from '@jest/globals';
import { onAbort } from '../src/abort.js';
import { DrainHook } from '../src/drain-hook.js';
import { Lifecycle } from '../src/lifecycle/lifecycle.js';
import { StopReason } from '../src/lifecycle/stop-reason.js';
import { FakeClock } from './support/fake-clock.js';

/** A run of one hook, whose handlers go on until they are aborted. */
async function runningDrain(stopTimeoutMs = 90_000) {
  const clock = new FakeClock();
  const drained: { afterMs: number; why: 'stop' | 'fault' }[] = [];
  const lifecycle = new Lifecycle({
    startTimeoutMs: 1_000,
    stopTimeoutMs,
    clock,
    emit: (event) => hook.observe(event),
  });
  const hook: DrainHook = new DrainHook({
    drain: (latestEnd, why) =>
      new Promise((resolve) => {
        const begunAt = clock.now();
        onAbort(latestEnd, () => {
          drained.push({ afterMs: clock.now() - begunAt, why: why() });
          resolve();
        });
      }),
    clock,
    hastenSignal: lifecycle.hastenSignal,
    confirmMs: 1_000,
  });
  lifecycle.add(hook);
  const run = lifecycle.run();
  await clock.advance(0);
  return { clock, lifecycle, drained, run };
}

describe('the drain', () => {
  it('ends after two thirds of the budget, less the time for the last confirm', async () => {
    const { clock, lifecycle, drained, run } = await runningDrain();
    void lifecycle.stop();
    await clock.advance(60_000);
    expect(drained).toEqual([{ afterMs: 59_000, why: 'stop' }]);
    expect(await run).toMatchObject({ clean: true });
    expect(clock.pending).toBe(0);
  });

  it('of a fault ends within 5 s', async () => {
    const { clock, lifecycle, drained } = await runningDrain();
    void lifecycle.stop(StopReason.fault(new Error('x')));
    await clock.advance(5_000);
    expect(drained).toEqual([{ afterMs: 4_000, why: 'fault' }]);
  });

  it('ends 5 s after a fault that comes while it lasts, and was then that of a fault', async () => {
    const { clock, lifecycle, drained } = await runningDrain();
    void lifecycle.stop();
    await clock.advance(10_000);
    void lifecycle.stop(StopReason.fault(new Error('x')));
    await clock.advance(5_000);
    expect(drained).toEqual([{ afterMs: 15_000, why: 'fault' }]);
    expect(clock.pending).toBe(0);
  });

  it('ends at once when the stop is hastened', async () => {
    const { clock, lifecycle, drained } = await runningDrain();
    void lifecycle.stop();
    await clock.advance(10);
    lifecycle.hasten();
    await clock.advance(0);
    expect(drained).toEqual([{ afterMs: 10, why: 'stop' }]);
  });
});
