import { describe, expect, it } from '@jest/globals';
import { CountedClock } from '../src/counted-clock.js';
import { FakeClock, settle } from './support/fake-clock.js';

describe('a counted clock', () => {
  it('counts timers until they fire or are cancelled', async () => {
    const source = new FakeClock();
    const clock = new CountedClock(source);
    const fired: string[] = [];
    clock.after(10, () => fired.push('first'));
    const cancel = clock.after(20, () => fired.push('second'));
    clock.after(Number.POSITIVE_INFINITY, () => fired.push('never'));
    expect(clock.pending).toBe(2);
    await source.advance(10);
    expect([fired, clock.pending]).toEqual([['first'], 1]);
    cancel();
    cancel();
    expect([source.pending, clock.pending]).toEqual([0, 0]);
    expect(clock.now()).toBe(10);
  });

  it('counts sleeps until they end, also by their signal', async () => {
    const source = new FakeClock();
    const clock = new CountedClock(source);
    const stop = new AbortController();
    const slept = clock.sleep(10);
    clock.sleep(20, stop.signal).catch(() => {});
    expect(clock.pending).toBe(2);
    await source.advance(10);
    await slept;
    expect(clock.pending).toBe(1);
    stop.abort();
    await settle();
    expect(clock.pending).toBe(0);
  });
});
