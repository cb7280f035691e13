import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shortShareMs, startCapMs, stopCapMs } from '../../src/lifecycle/budget.js';

describe('the share of a stop', () => {
  it('is all that is left, less a second for each later hook', () => {
    expect(stopCapMs(90_000, 0)).toBe(90_000);
    expect(stopCapMs(90_000, 4)).toBe(86_000);
  });

  it('is an equal share where seconds are too much, as under a supervisor that waits 1.6 s', () => {
    expect(shortShareMs(1_600, 4)).toBe(320);
    expect(stopCapMs(1_600, 4)).toBe(320);
    expect(stopCapMs(1_600, 0)).toBe(1_600);
  });

  it('is made smaller by further limits, never larger, and never negative', () => {
    expect(stopCapMs(90_000, 0, 5_000, undefined, 7_000)).toBe(5_000);
    expect(stopCapMs(3_000, 0, 5_000, Number.NaN)).toBe(3_000);
    expect(stopCapMs(3_000, 0, -1)).toBe(0);
    expect(stopCapMs(-20, 3)).toBe(0);
  });

  it('always leaves the later ones as much as an equal share, or a second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.nat(20), (leftMs, later) => {
        const restMs = leftMs - stopCapMs(leftMs, later);
        expect(restMs).toBeCloseTo(later * Math.min(1_000, leftMs / (later + 1)));
      }),
    );
  });
});

describe('the share of a start', () => {
  it('is what is left, or the hook’s own smaller limit; Infinity lifts it', () => {
    expect(startCapMs(60_000)).toBe(60_000);
    expect(startCapMs(60_000, 5_000)).toBe(5_000);
    expect(startCapMs(3_000, 5_000)).toBe(3_000);
    expect(startCapMs(-1)).toBe(0);
    expect(startCapMs(3_000, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});
