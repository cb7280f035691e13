import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { orderKey } from '../../src/inbox/ids.js';
import { OrderKeeper } from '../../src/inbox/order-keeper.js';

/** The key of an item, which is named by its key and a number: `a1`. */
const keyOf = (item: string) => orderKey(item.slice(0, 1));

function keeperOf(...items: string[]): OrderKeeper<string> {
  const keeper = new OrderKeeper<string>();
  for (const item of items) keeper.add(keyOf(item), item);
  return keeper;
}

describe('the order keeper', () => {
  it('gives one item of a key at a time, in order', () => {
    const keeper = keeperOf('a1', 'a2');
    expect(keeper.take()).toBe('a1');
    expect(keeper.hasReady).toBe(false);
    expect(keeper.take()).toBeUndefined();
    keeper.release(orderKey('a'));
    expect(keeper.hasReady).toBe(true);
    expect(keeper.take()).toBe('a2');
  });

  it('gives keys turns, so that a key with much to do does not keep the others waiting', () => {
    const keeper = keeperOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    const order: string[] = [];
    for (let item = keeper.take(); item; item = keeper.take()) {
      order.push(item);
      keeper.release(keyOf(item));
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('counts the items of a key that wait or are taken, and forgets a key once there are none', () => {
    const keeper = keeperOf('a1', 'b1', 'a2', 'b2', 'a3');
    const counts = () => ['a', 'b', 'c'].map((key) => keeper.countOf(orderKey(key)));
    expect(counts()).toEqual([3, 2, 0]);
    expect(keeper.take()).toBe('a1');
    expect(counts()).toEqual([3, 2, 0]);
    keeper.release(orderKey('a'));
    expect(counts()).toEqual([2, 2, 0]);
    for (let item = keeper.take(); item; item = keeper.take()) keeper.release(keyOf(item));
    expect(counts()).toEqual([0, 0, 0]);
    expect(keeper.hasReady).toBe(false);
  });

  it('hands out a key’s next item only after a release, also when the item came while the key was taken', () => {
    const keeper = keeperOf('a1');
    keeper.take();
    keeper.add(orderKey('a'), 'a2');
    expect([keeper.hasReady, keeper.take()]).toEqual([false, undefined]);
    keeper.release(orderKey('a'));
    expect([keeper.hasReady, keeper.take()]).toEqual([true, 'a2']);
  });

  it('stops a key at the first item that may not start, whatever stands behind it', () => {
    const keeper = keeperOf('a1', 'a2', 'b1');
    expect(keeper.take((item) => item !== 'a1')).toBe('b1');
    expect(keeper.take((item) => item !== 'a1')).toBeUndefined();
    expect(keeper.hasReady).toBe(false);
    expect(keeper.countOf(orderKey('a'))).toBe(2);
  });

  it('ignores a release of a key of which nothing is taken', () => {
    const keeper = keeperOf('a1', 'a2');
    keeper.release(orderKey('a'));
    keeper.release(orderKey('b'));
    expect([keeper.take(), keeper.take()]).toEqual(['a1', undefined]);
  });

  it('always has something for whoever asks while the key of some item is free', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const command = fc.record({ does: fc.constantFrom('add', 'take', 'release'), name });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const keeper = new OrderKeeper<string>();
        const waiting: string[] = [];
        const taken = new Map<string, string>();
        for (const [index, { does, name }] of commands.entries()) {
          const free = waiting.filter((item) => !taken.has(keyOf(item)));
          expect(keeper.hasReady).toBe(free.length > 0);
          if (does === 'add') {
            waiting.push(`${name}${index}`);
            keeper.add(orderKey(name), `${name}${index}`);
          } else if (does === 'take') {
            const item = keeper.take();
            expect(item === undefined).toBe(free.length === 0);
            if (item === undefined) continue;
            expect(item).toBe(waiting.find((other) => keyOf(other) === keyOf(item)));
            expect(taken.has(keyOf(item))).toBe(false);
            waiting.splice(waiting.indexOf(item), 1);
            taken.set(keyOf(item), item);
          } else {
            taken.delete(name);
            keeper.release(orderKey(name));
          }
        }
      }),
    );
  });
});
