import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Fifo } from '../../src/inbox/fifo.js';

it('gives back what was pushed, in that order, through being empty and filled again', () => {
  const fifo = new Fifo<number>();
  expect([fifo.size, fifo.first, fifo.shift()]).toEqual([0, undefined, undefined]);
  for (const round of [10, 20]) {
    fifo.push(round + 1);
    fifo.push(round + 2);
    expect([fifo.size, fifo.first]).toEqual([2, round + 1]);
    expect(fifo.peek(9)).toEqual([round + 1, round + 2]);
    expect([fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([round + 1, round + 2, undefined]);
    expect([fifo.size, fifo.first, fifo.peek(9)]).toEqual([0, undefined, []]);
  }
});

it('keeps the order of many, however they come and go', () => {
  const push = fc.record({ does: fc.constant('push' as const), count: fc.nat({ max: 150 }) });
  const shift = fc.record({ does: fc.constant('shift' as const), count: fc.nat({ max: 150 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(push, shift), { maxLength: 20 }), (commands) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const { does, count } of commands) {
        for (let i = 0; i < count; i++) {
          if (does === 'push') {
            fifo.push(next);
            model.push(next++);
          } else {
            expect(fifo.shift()).toBe(model.shift());
          }
        }
        expect(fifo.size).toBe(model.length);
        expect(fifo.first).toBe(model[0]);
        expect(fifo.peek(70)).toEqual(model.slice(0, 70));
      }
    }),
  );
});

it('takes no longer for each of half a million items than for a few', () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 500_000; i++) fifo.push(i);
  for (let i = 0; i < 500_000; i++) fifo.shift();
  expect(fifo.size).toBe(0);
});
