import { describe, expect, it } from '@jest/globals';
import { DeadlineTimer } from '../../src/lifecycle/deadline.js';
import { FakeClock } from '../support/fake-clock.js';

describe('a deadline timer', () => {
  it('calls back once, at the time that was set last', async () => {
    const clock = new FakeClock();
    const reached: string[] = [];
    const deadline = new DeadlineTimer(clock);
    expect(deadline.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    deadline.set(100, () => reached.push('first'));
    await clock.advance(50);
    deadline.set(20, () => reached.push('second'));
    expect([deadline.at, deadline.remainingMs(), clock.pending]).toEqual([70, 20, 1]);
    await clock.advance(100);
    expect(reached).toEqual(['second']);
    expect([deadline.at, deadline.remainingMs()]).toEqual([70, 0]);
  });

  it('has no timer once it is cancelled, nor for Infinity', () => {
    const clock = new FakeClock();
    const deadline = new DeadlineTimer(clock);
    deadline.set(100, () => {});
    deadline.cancel();
    expect(clock.pending).toBe(0);
    deadline.set(Number.POSITIVE_INFINITY, () => {});
    expect(clock.pending).toBe(0);
  });
});
