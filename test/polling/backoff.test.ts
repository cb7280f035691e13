import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Backoff } from '../../src/polling/backoff.js';

describe('backoff', () => {
  it('doubles its ceiling up to the cap', () => {
    let backoff = new Backoff({ firstMs: 1_000, capMs: 30_000 });
    const ceilings = Array.from({ length: 7 }, () => {
      const { ceilingMs } = backoff;
      backoff = backoff.next();
      return ceilingMs;
    });
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('spreads delays over all of what lies between floor and ceiling', () => {
    const backoff = new Backoff({ floorMs: 200, firstMs: 1_000, capMs: 30_000 });
    expect(backoff.delayMs(0)).toBe(200);
    expect(backoff.delayMs(0.5)).toBe(600);
    expect(new Backoff({ firstMs: 1_000, capMs: 30_000 }).delayMs(0)).toBe(0);
  });

  it('is a value: next() leaves it as it was', () => {
    const backoff = new Backoff({ firstMs: 1_000, capMs: 30_000 });
    backoff.next().next();
    expect(backoff.ceilingMs).toBe(1_000);
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
        fc.nat(40),
        (shape, random, tries) => {
          let backoff = new Backoff(shape);
          for (let i = 0; i < tries; i++) backoff = backoff.next();
          const delayMs = backoff.delayMs(random);
          expect(delayMs).toBeLessThanOrEqual(shape.capMs);
          expect(delayMs).toBeGreaterThanOrEqual(Math.min(shape.floorMs, shape.firstMs, shape.capMs));
        },
      ),
    );
  });
});
