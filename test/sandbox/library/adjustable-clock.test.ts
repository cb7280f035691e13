import { describe, expect, it } from '@jest/globals';
import { AdjustableClock } from '../../../src/sandbox/library/adjustable-clock.js';
import { FakeClock } from '../../support/fake-clock.js';

function open() {
  const base = new FakeClock();
  const clock = new AdjustableClock(base);
  const fired: string[] = [];
  const at = (ms: number, name: string) => clock.after(ms, () => fired.push(`${name} at ${clock.now()}`));
  return { base, clock, fired, at };
}

describe('an adjustable clock', () => {
  it('runs with the clock below it', async () => {
    const { base, clock, fired, at } = open();
    at(10, 'one');
    at(Number.POSITIVE_INFINITY, 'never');
    await base.advance(10);
    expect(fired).toEqual(['one at 10']);
    expect(clock.now()).toBe(10);
    expect(base.pending).toBe(0);
  });

  it('fires what is due when it is put ahead, in the order of time, and what that sets off', async () => {
    const { base, clock, fired, at } = open();
    at(300, 'third');
    clock.after(100, () => {
      fired.push('first');
      at(100, 'second');
    });
    at(1_000, 'later');
    await clock.advance(500);
    expect(fired).toEqual(['first', 'second at 200', 'third at 300']);
    expect(clock.now()).toBe(500);
    await base.advance(499);
    expect(fired).toHaveLength(3);
    await base.advance(1);
    expect(fired.at(-1)).toBe('later at 1000');
    expect(base.pending).toBe(0);
  });

  it('cancels timers and sleeps', async () => {
    const { base, clock, fired, at } = open();
    at(100, 'cancelled')();
    const wait = new AbortController();
    const sleeping = clock.sleep(100, wait.signal);
    const slept = clock.sleep(50);
    wait.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(1, wait.signal)).rejects.toThrow('enough');
    await clock.advance(50);
    await slept;
    expect(fired).toEqual([]);
    expect(base.pending).toBe(0);
  });
});
