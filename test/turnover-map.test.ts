import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TurnoverMap } from '../src/turnover-map.js';

const step = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.constant('set' as const), fc.nat(20), fc.nat()) },
  { weight: 20, arbitrary: fc.tuple(fc.constant('delete' as const), fc.nat(20), fc.nat()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.nat(20), fc.nat()) },
);

/** Enough turnover to move several times. */
const steps = fc.array(step, { minLength: 2_000, maxLength: 3_000 });

describe('a map of entries that come and go', () => {
  it('holds what a Map holds, in the same order, before and after each of its moves', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const ours = new TurnoverMap<number, number>();
        const model = new Map<number, number>();
        for (const [what, key, value] of taken) {
          if (what === 'set') {
            ours.set(key, value);
            model.set(key, value);
          } else if (what === 'delete') expect(ours.delete(key)).toBe(model.delete(key));
          else {
            ours.clear();
            model.clear();
          }
          expect(ours.size).toBe(model.size);
          expect(ours.get(key)).toBe(model.get(key));
          expect(ours.has(key)).toBe(model.has(key));
        }
        expect([...ours.entries()]).toEqual([...model]);
        expect([...ours.keys()]).toEqual([...model.keys()]);
        expect([...ours.values()]).toEqual([...model.values()]);
      }),
      { numRuns: 20 },
    );
  });
});
