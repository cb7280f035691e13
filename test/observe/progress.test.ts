import { describe, expect, it } from '@jest/globals';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { Progress } from '../../src/observe/progress.js';
import { FakeClock } from '../support/fake-clock.js';

const stopping = {
  event: 'lifecycle.stopping',
  reason: StopReason.signal('SIGTERM'),
  budgetMs: 18_000,
} as const;

function setUp({ runningLatestEnd = Number.POSITIVE_INFINITY } = {}) {
  const clock = new FakeClock();
  const progress = new Progress(clock, () => runningLatestEnd);
  /** Whether the run is stalled at this time and not before. */
  const stallsAfter = async (ms: number) => {
    await clock.advance(ms);
    const before = progress.isStalled;
    await clock.advance(1);
    return !before && progress.isStalled;
  };
  return { clock, progress, stallsAfter };
}

describe('progress', () => {
  it('names the current step and its latest end', async () => {
    const { clock, progress } = setUp();
    expect(progress).toMatchObject({ phase: 'starting', step: { name: 'starting', latestEnd: Infinity } });
    await clock.advance(500);
    progress.observe({ event: 'hook.starting', hook: 'bot', limitMs: 1_000 });
    expect(progress.step).toEqual({ name: 'starting bot', latestEnd: 1_500 });
    progress.observe({ event: 'lifecycle.running', durationMs: 1 });
    expect(progress.phase).toBe('running');
    progress.observe(stopping);
    expect(progress).toMatchObject({ phase: 'stopping', step: { name: 'stopping', latestEnd: 18_500 } });
    progress.observe({ event: 'hook.stopping', hook: 'drain', limitMs: 12_000 });
    expect(progress.step).toEqual({ name: 'draining', latestEnd: 12_500 });
    progress.observe({ event: 'hook.stopping', hook: 'database', limitMs: 8_000 });
    expect(progress.step).toEqual({ name: 'stopping database', latestEnd: 8_500 });
  });

  it('stalls 5 s after the latest end of a hook that starts', async () => {
    const { progress, stallsAfter } = setUp();
    progress.observe({ event: 'hook.starting', hook: 'bot', limitMs: 1_000 });
    expect(await stallsAfter(6_000)).toBe(true);
  });

  it('never stalls while it stands by', async () => {
    const { clock, progress } = setUp();
    progress.observe({ event: 'hook.starting', hook: 'lock', limitMs: Number.POSITIVE_INFINITY });
    await clock.advance(86_400_000);
    expect(progress.isStalled).toBe(false);
  });

  it('stalls 5 s after the latest end of what runs', async () => {
    const { progress, stallsAfter } = setUp({ runningLatestEnd: 2_000 });
    progress.observe({ event: 'lifecycle.running', durationMs: 1 });
    expect(await stallsAfter(7_000)).toBe(true);
  });

  it('stalls 5 s after the end of the budget in the stop, whatever a hook has', async () => {
    const { progress, stallsAfter } = setUp({ runningLatestEnd: 0 });
    progress.observe(stopping);
    progress.observe({ event: 'hook.stopping', hook: 'database', limitMs: 1_000 });
    expect(await stallsAfter(23_000)).toBe(true);
  });
});
