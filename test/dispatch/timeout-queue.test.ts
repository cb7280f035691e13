import { describe, expect, it } from '@jest/globals';
import { TimeoutQueue } from '../../src/dispatch/timeout-queue.js';
import { FakeClock } from '../support/fake-clock.js';

function queueOf(delayMs: number) {
  const clock = new FakeClock();
  const expired: string[] = [];
  const timeouts = new TimeoutQueue<string>({
    delayMs,
    clock,
    expired: (item) => expired.push(`${item} at ${clock.now()}`),
  });
  return { clock, timeouts, expired };
}

describe('timeouts', () => {
  it('expire each item after its own delay, with one timer for all', async () => {
    const { clock, timeouts, expired } = queueOf(100);
    timeouts.add('a');
    await clock.advance(30);
    timeouts.add('b');
    timeouts.add('c');
    expect(clock.pending).toBe(1);
    await clock.advance(69);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a at 100']);
    expect(clock.pending).toBe(1);
    await clock.advance(30);
    expect(expired).toEqual(['a at 100', 'b at 130', 'c at 130']);
    expect(timeouts.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('never expire once cancelled, and say whether they were still running', async () => {
    const { clock, timeouts, expired } = queueOf(100);
    const [a, b] = [timeouts.add('a'), timeouts.add('b')];
    expect(a.cancel()).toBe(true);
    expect(a.cancel()).toBe(false);
    await clock.advance(100);
    expect(expired).toEqual(['b at 100']);
    expect(b.cancel()).toBe(false);
    expect(timeouts.size).toBe(0);
  });

  it('give an item added on an old timer its full time', async () => {
    const { clock, timeouts, expired } = queueOf(100);
    timeouts.add('a').cancel();
    await clock.advance(60);
    timeouts.add('b');
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
    const timeouts = new TimeoutQueue<string>({
      delayMs: 100,
      clock,
      expired: (item) => expired.push(item),
    });
    timeouts.add('a');
    now = 99.5;
    timers.shift()?.callback();
    expect(expired).toEqual([]);
    expect(timers.map(({ ms }) => ms)).toEqual([0.5]);
    now = 100;
    timers.shift()?.callback();
    expect(expired).toEqual(['a']);
  });

  it('stay in order, whichever is cancelled', async () => {
    const { timeouts } = queueOf(100);
    const all = [...'abcde'].map((item) => timeouts.add(item));
    for (const [index, left] of [
      [2, 'abde'],
      [0, 'bde'],
      [4, 'bd'],
      [1, 'd'],
      [3, ''],
    ] as const) {
      all[index]?.cancel();
      expect([...timeouts.items()].join('')).toBe(left);
    }
    expect(timeouts.next).toBe(Number.POSITIVE_INFINITY);
    timeouts.add('f');
    expect([...timeouts.items()]).toEqual(['f']);
  });

  it('leave no timer behind when cleared', async () => {
    const { clock, timeouts, expired } = queueOf(100);
    const deadline = timeouts.add('a');
    timeouts.clear();
    expect(deadline.cancel()).toBe(false);
    expect(clock.pending).toBe(0);
    expect(timeouts.size).toBe(0);
    await clock.advance(1000);
    expect(expired).toEqual([]);
  });

  it('set no timer for an endless delay', () => {
    const { clock, timeouts } = queueOf(Number.POSITIVE_INFINITY);
    timeouts.add('a');
    expect(timeouts.size).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
