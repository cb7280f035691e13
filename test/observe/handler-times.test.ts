import { describe, expect, it } from '@jest/globals';
import { HandlerTimes } from '../../src/observe/handler-times.js';

const MINUTE = 60_000;

const about = (ms: number) => ({ asymmetricMatch: (actual: number) => Math.abs(actual / ms - 1) < 0.05 });

describe('HandlerTimes', () => {
  it('has nothing to say before a handler has ended', () => {
    expect(new HandlerTimes().summary(0)).toBeUndefined();
  });

  it('knows median, 99th percentile and maximum within 5 %', () => {
    const times = new HandlerTimes();
    for (let ms = 1; ms <= 1_000; ms++) times.add(ms, 0);
    const summary = times.summary(0);
    expect(summary).toMatchObject({ count: 1_000, maxMs: 1_000, withinMs: 5 * MINUTE });
    expect(summary?.medianMs).toEqual(about(500));
    expect(summary?.p99Ms).toEqual(about(990));
  });

  it.each([0, 0.004, 0.3, 17, 86_400_000, 1e12])('takes a duration of %d ms', (ms) => {
    const times = new HandlerTimes();
    times.add(ms, 0);
    const summary = times.summary(0);
    expect(summary).toMatchObject({ count: 1, maxMs: ms });
    expect(summary?.p99Ms).toBeLessThanOrEqual(ms);
    expect(summary?.medianMs).toBe(summary?.p99Ms);
  });

  it('forgets what is older than five minutes, and not before', () => {
    const times = new HandlerTimes();
    times.add(1_000, 0);
    times.add(10, 4 * MINUTE);
    expect(times.summary(4.9 * MINUTE)).toMatchObject({ count: 2, maxMs: 1_000 });
    expect(times.summary(5 * MINUTE)).toMatchObject({ count: 1, maxMs: 10 });
    expect(times.summary(9 * MINUTE)).toBeUndefined();
  });

  it('uses the place of an old minute for a new one', () => {
    const times = new HandlerTimes();
    for (let minute = 0; minute < 20; minute++) times.add(minute + 1, minute * MINUTE);
    expect(times.summary(19 * MINUTE)).toMatchObject({ count: 5, maxMs: 20 });
  });
});
