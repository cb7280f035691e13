import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../src/polling/backoff.js';

describe('backoff', () => {
  it('doubles its ceiling up to the cap', () => {
    const longest = Array.from({ length: 7 }, (_, delays) =>
      backoffMs({ firstMs: 1_000, capMs: 30_000 }, delays, 1),
    );
    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('spreads delays over all of what lies between floor and ceiling', () => {
    const shape = { floorMs: 200, firstMs: 1_000, capMs: 30_000 };
    expect(backoffMs(shape, 0, 0)).toBe(200);
    expect(backoffMs(shape, 0, 0.5)).toBe(600);
    expect(backoffMs({ firstMs: 1_000, capMs: 30_000 }, 0, 0)).toBe(0);
  });

  it('never leaves floor and cap', () => {
    fc.assert(
      fc.property(
        fc.record({
          floorMs: fc.nat(5_000),
          firstMs: fc.integer({ min: 1, max: 50_000 }),
          capMs: fc.nat(60_000),
        }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(2_000),
        (shape, random, earlierDelays) => {
          const delayMs = backoffMs(shape, earlierDelays, random);
          expect(delayMs).toBeLessThanOrEqual(shape.capMs);
          expect(delayMs).toBeGreaterThanOrEqual(Math.min(shape.floorMs, shape.firstMs, shape.capMs));
        },
      ),
    );
  });
});
