import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seq } from '../../../src/inbox/ids.js';
import { Aside } from '../../../src/inbox/journal/aside.js';

it('gives numbers in the order in which it got them', () => {
  const push = fc.record({ does: fc.constant('push' as const), count: fc.nat({ max: 150 }) });
  const shift = fc.record({ does: fc.constant('shift' as const), count: fc.nat({ max: 150 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(push, shift), { maxLength: 20 }), (commands) => {
      const aside = new Aside();
      const model: number[] = [];
      let next = 0;
      for (const { does, count } of commands) {
        for (let i = 0; i < count; i++) {
          if (does === 'push') {
            aside.push(seq(next));
            model.push(next++);
          } else if (model.length > 0) {
            aside.shift();
            model.shift();
          }
        }
        expect(aside.size).toBe(model.length);
        expect(aside.first).toBe(model[0]);
        expect(aside.peek(70)).toEqual(model.slice(0, 70));
      }
    }),
  );
});

it('takes its time from what it holds, not from what it has held', () => {
  const aside = new Aside();
  for (let i = 0; i < 500_000; i++) aside.push(seq(i));
  for (let i = 0; i < 500_000; i++) aside.shift();
  expect(aside.size).toBe(0);
});
