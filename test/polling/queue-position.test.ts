import { describe, expect, it } from '@jest/globals';
import { BatchLimit } from '../../src/polling/batch-limit.js';
import { QueuePosition } from '../../src/polling/queue-position.js';

/** Updates 1 to 3 have been fetched at 100 ms, and accepted. */
function acceptedThree(): QueuePosition {
  const position = new QueuePosition();
  position.requested();
  position.answered();
  position.fetched(100);
  position.accepted(4, 3);
  return position;
}

describe('the lag of the confirm', () => {
  it('counts from the fetch until a poll tells Telegram what to forget, be it answered or not', () => {
    const position = acceptedThree();
    expect(position.lagMs(150)).toBe(50);
    position.requested();
    expect(position.lagMs(50_000)).toBe(0);
    position.answered();
    expect(position.lagMs(50_001)).toBe(0);
  });

  it('goes on after a poll without an answer, and while that is repeated', () => {
    const position = acceptedThree();
    position.requested();
    position.failed();
    expect(position.lagMs(1_100)).toBe(1_000);
    position.requested();
    expect(position.lagMs(2_100)).toBe(2_000);
    position.confirmed();
    expect(position.lagMs(2_200)).toBe(0);
  });
});

describe('what is confirmed', () => {
  it('follows the polls that were answered', () => {
    const position = acceptedThree();
    expect(position).toMatchObject({ next: 4, unconfirmed: 3, confirmedUpTo: undefined, toConfirm: [4] });
    position.requested();
    expect(position).toMatchObject({ unconfirmed: 3, confirmedUpTo: undefined, toConfirm: [3, 4] });
    position.answered();
    expect(position).toMatchObject({ unconfirmed: 0, confirmedUpTo: 3, toConfirm: [] });
  });
});

describe('the limit of a batch', () => {
  it('falls to single updates by four answers that are cut, and rises by those that come through', () => {
    const limit = new BatchLimit();
    const limits = (step: () => void, times: number) =>
      Array.from({ length: times }, () => {
        step();
        return limit.updates;
      });
    expect(limits(() => limit.shrink(), 5)).toEqual([25, 7, 2, 1, 1]);
    expect(limits(() => limit.grow(), 8)).toEqual([2, 4, 8, 16, 32, 64, 100, 100]);
  });
});
