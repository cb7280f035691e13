import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seq } from '../../../src/inbox/ids.js';
import { position } from '../../../src/inbox/log/position.js';
import { Batch } from '../../../src/inbox/store/batch.js';
import { Batches } from '../../../src/inbox/store/batches.js';
import { seqs } from '../../support/ids.js';

const batchOf = (...numbers: number[]) =>
  new Batch({ position: position(numbers[0] ?? 0), length: 1 }, seqs(...numbers));

describe('batches', () => {
  it('are found by their numbers, whatever was added and removed', () => {
    const step = fc.record({
      does: fc.constantFrom('append' as const, 'append' as const, 'remove' as const, 'put back' as const),
      count: fc.integer({ min: 1, max: 700 }),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const batches = new Batches();
        const model: Batch[] = [];
        let removed: Batch[] = [];
        let next = 1;
        for (const { does, count, at } of steps) {
          const from = at % Math.max(1, model.length);
          if (does === 'append')
            for (let i = 0; i < count; i++) {
              const batch = batchOf(next, next + 1);
              next += 3;
              batches.add(batch);
              model.push(batch);
            }
          else if (does === 'remove') {
            removed = model.splice(from, count);
            for (const batch of removed) batches.remove(batch);
          } else {
            for (const batch of removed.splice(0)) {
              batches.add(batch);
              model.push(batch);
            }
            model.sort((one, other) => one.first - other.first);
          }
          expect([...batches].map(({ first }) => first)).toEqual(model.map(({ first }) => first));
        }
        for (let number = 0; number < next + 2; number += 1 + Math.floor(next / 100)) {
          expect(batches.upTo(seq(number))).toBe(model.findLast(({ first }) => first <= number));
          expect(batches.from(seq(number))).toBe(model.find(({ last }) => last >= number));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are found where one comes in before a full chunk', () => {
    const batches = new Batches();
    const later = Array.from({ length: 512 }, (_, index) => batchOf(index + 10));
    for (const batch of later) batches.add(batch);
    const earlier = batchOf(3);
    batches.add(earlier);
    expect([...batches]).toEqual([earlier, ...later]);
    expect(batches.upTo(seq(300))).toBe(later[290]);
  });

  it('tell whose record is the oldest, whatever was rewritten', () => {
    const batches = new Batches();
    const [first, second, third] = [batchOf(1), batchOf(2), batchOf(3)];
    for (const batch of [first, second, third]) batches.add(batch);
    expect(batches.oldest).toBe(first);
    batches.move(first, { position: position(4), length: 1 });
    expect(batches.oldest).toBe(second);
    batches.remove(second);
    batches.remove(third);
    expect([batches.oldest, batches.from(seq(0))]).toEqual([first, first]);
  });

  it('are none at first, and none again in the end', () => {
    const batches = new Batches();
    expect(batches.upTo(seq(5))).toBeUndefined();
    expect(batches.from(seq(0))).toBeUndefined();
    const batch = batchOf(3);
    batches.add(batch);
    expect(batches.upTo(seq(2))).toBeUndefined();
    expect(batches.from(seq(2))).toBe(batch);
    batches.remove(batch);
    expect([...batches]).toEqual([]);
  });
});
