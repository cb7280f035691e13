import { describe, expect, it } from '@jest/globals';
import { noCounts as none, Tally } from '../src/tally.js';

describe('a tally', () => {
  it('is zero without bots', () => {
    expect(new Tally().total([])).toEqual(none);
  });

  it('adds up bots at work and bots that have ended', () => {
    const tally = new Tally();
    tally.add('a', { ...none, fetched: 3, handled: 2, left: 1, confirmedUpTo: 7 });
    expect(tally.total([])).toMatchObject({ fetched: 3, handled: 2, left: 1, confirmedUpTo: 7 });
    expect(tally.total([['b', { ...none, fetched: 2, failed: 2, confirmedUpTo: 9 }]])).toMatchObject({
      fetched: 5,
      handled: 2,
      failed: 2,
      left: 1,
      confirmedUpTo: undefined,
    });
  });

  it('does not take for left what a later pipeline of the same bot has found', () => {
    const tally = new Tally();
    tally.add('a', { ...none, fetched: 5, handled: 3, left: 2, mayRepeat: 1, confirmedUpTo: 7 });
    const later = { ...none, recovered: 3, fetched: 1, handled: 4, confirmedUpTo: undefined };
    const expected = { fetched: 6, recovered: 1, handled: 7, left: 0, mayRepeat: 0, confirmedUpTo: 7 };
    expect(tally.total([['a', later]])).toMatchObject(expected);
    tally.add('a', later);
    expect(tally.total([])).toMatchObject(expected);
  });
});
