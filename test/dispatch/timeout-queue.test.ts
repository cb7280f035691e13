import { describe, expect, it } from '@jest/globals';
import { TimeoutQueue } from '../../src/dispatch/timeout-queue.js';
import { FakeClock } from '../support/fake-clock.js';

function deadlinesOf(delayMs: number) {
  const clock = new FakeClock();
  const expired: string[] = [];
  const deadlines = new TimeoutQueue<string>({
    delayMs,
    clock,
    expired: (item) => expired.push(`${item} at ${clock.now()}`),
  });
  return { clock, deadlines, expired };
}

describe('deadlines', () => {
  it('expire each item after its own delay, with one timer for all', async () => {
    const { clock, deadlines, expired } = deadlinesOf(100);
    deadlines.add('a');
    await clock.advance(30);
    deadlines.add('b');
    deadlines.add('c');
    expect(clock.pending).toBe(1);
    await clock.advance(69);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a at 100']);
    expect(clock.pending).toBe(1);
    await clock.advance(30);
    expect(expired).toEqual(['a at 100', 'b at 130', 'c at 130']);
    expect(deadlines.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('never expire once cancelled, and say whether they were still running', async () => {
    const { clock, deadlines, expired } = deadlinesOf(100);
    const [a, b] = [deadlines.add('a'), deadlines.add('b')];
    expect(a.cancel()).toBe(true);
    expect(a.cancel()).toBe(false);
    await clock.advance(100);
    expect(expired).toEqual(['b at 100']);
    expect(b.cancel()).toBe(false);
    expect(deadlines.size).toBe(0);
  });

  it('give an item added on an old timer its full time', async () => {
    const { clock, deadlines, expired } = deadlinesOf(100);
    deadlines.add('a').cancel();
    await clock.advance(60);
    deadlines.add('b');
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['b at 160']);
  });

  it('wait on when a timer fires a little early, as timers of Node do', () => {
    const timers: { ms: number; callback: () => void }[] = [];
    let now = 0;
    const expired: string[] = [];
    const clock = {
      now: () => now,
      sleep: () => Promise.resolve(),
      after: (ms: number, callback: () => void) => {
        timers.push({ ms, callback });
        return () => {};
      },
    };
    const deadlines = new TimeoutQueue<string>({ delayMs: 100, clock, expired: (item) => expired.push(item) });
    deadlines.add('a');
    now = 99.5;
    timers.shift()?.callback();
    expect(expired).toEqual([]);
    expect(timers.map(({ ms }) => ms)).toEqual([0.5]);
    now = 100;
    timers.shift()?.callback();
    expect(expired).toEqual(['a']);
  });

  it('stay in order, whichever is cancelled', async () => {
    const { deadlines } = deadlinesOf(100);
    const all = [...'abcde'].map((item) => deadlines.add(item));
    for (const [index, left] of [
      [2, 'abde'],
      [0, 'bde'],
      [4, 'bd'],
      [1, 'd'],
      [3, ''],
    ] as const) {
      all[index]?.cancel();
      expect([...deadlines.items()].join('')).toBe(left);
    }
    expect(deadlines.next).toBe(Number.POSITIVE_INFINITY);
    deadlines.add('f');
    expect([...deadlines.items()]).toEqual(['f']);
  });

  it('leave no timer behind when cleared', async () => {
    const { clock, deadlines, expired } = deadlinesOf(100);
    const deadline = deadlines.add('a');
    deadlines.clear();
    expect(deadline.cancel()).toBe(false);
    expect(clock.pending).toBe(0);
    expect(deadlines.size).toBe(0);
    await clock.advance(1000);
    expect(expired).toEqual([]);
  });

  it('set no timer for an endless delay', () => {
    const { clock, deadlines } = deadlinesOf(Number.POSITIVE_INFINITY);
    deadlines.add('a');
    expect(deadlines.size).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
