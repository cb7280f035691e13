import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type OrderKey, orderKey } from '../../src/inbox/ids.js';
import { type Ordered, OrderKeeper } from '../../src/inbox/order-keeper.js';

interface Item extends Ordered {
  readonly name: string;
}

/** An item by its name: `a1` has the key `a`, and `a1g` is of the group `g` besides. */
function itemOf(name: string): Item {
  return {
    name,
    updateId: Number(/\d+/.exec(name)?.[0] ?? 0),
    key: keyOf(name),
    group: /\d(\D)$/.exec(name)?.[1],
  };
}

function keyOf(name: string): OrderKey {
  return orderKey(name.slice(0, 1));
}

function keeperOf(...names: string[]): OrderKeeper<Item> {
  const keeper = new OrderKeeper<Item>();
  for (const name of names) keeper.add(itemOf(name));
  return keeper;
}

/** Takes all that can be taken without a release. */
function takeAll(keeper: OrderKeeper<Item>): string[] {
  const names: string[] = [];
  for (let item = keeper.take(); item; item = keeper.take()) names.push(item.name);
  return names;
}

describe('the order keeper', () => {
  it('gives one item of a key at a time, in order', () => {
    const keeper = keeperOf('a1', 'a2');
    expect(takeAll(keeper)).toEqual(['a1']);
    expect(keeper.hasReady).toBe(false);
    keeper.release(orderKey('a'));
    expect(keeper.hasReady).toBe(true);
    expect(takeAll(keeper)).toEqual(['a2']);
  });

  it('gives keys turns, so that a key with much to do does not keep the others waiting', () => {
    const keeper = keeperOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    const order: string[] = [];
    for (let item = keeper.take(); item; item = keeper.take()) {
      order.push(item.name);
      keeper.release(item.key);
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('counts the items of a key that wait or are taken, and forgets a key once there are none', () => {
    const keeper = keeperOf('a1', 'b1', 'a2', 'b2', 'a3');
    const counts = () => ['a', 'b', 'c'].map((key) => keeper.countOf(orderKey(key)));
    expect(counts()).toEqual([3, 2, 0]);
    expect(keeper.take()?.name).toBe('a1');
    expect(counts()).toEqual([3, 2, 0]);
    keeper.release(orderKey('a'));
    expect(counts()).toEqual([2, 2, 0]);
    for (let item = keeper.take(); item; item = keeper.take()) keeper.release(item.key);
    expect(counts()).toEqual([0, 0, 0]);
    expect(keeper.hasReady).toBe(false);
  });

  it('hands out a key’s next item only after a release, also when the item came while the key was taken', () => {
    const keeper = keeperOf('a1');
    keeper.take();
    keeper.add(itemOf('a2'));
    expect([keeper.hasReady, keeper.take()]).toEqual([false, undefined]);
    keeper.release(orderKey('a'));
    expect(keeper.hasReady).toBe(true);
    expect(takeAll(keeper)).toEqual(['a2']);
  });

  it('stops a key at the first item that may not start, whatever stands behind it', () => {
    const keeper = keeperOf('a1', 'a2', 'b1');
    expect(keeper.take(({ name }) => name !== 'a1')?.name).toBe('b1');
    expect(keeper.take(({ name }) => name !== 'a1')).toBeUndefined();
    expect(keeper.hasReady).toBe(false);
    expect(keeper.countOf(orderKey('a'))).toBe(2);
  });

  it('ignores a release of a key of which nothing is taken', () => {
    const keeper = keeperOf('a1', 'a2');
    keeper.release(orderKey('a'));
    keeper.release(orderKey('b'));
    expect(takeAll(keeper)).toEqual(['a1']);
  });

  it('puts an item back before all others of its key, which have waited for it', () => {
    const keeper = keeperOf('a1', 'a2', 'a3');
    const first = keeper.take();
    expect(takeAll(keeper)).toEqual([]);
    if (first) keeper.putBack(first);
    for (const name of ['a1', 'a2', 'a3']) {
      expect(takeAll(keeper)).toEqual([name]);
      keeper.release(orderKey('a'));
    }
  });

  it('lets nothing of a key start before an item that is still to come', () => {
    const keeper = new OrderKeeper<Item>();
    keeper.hold(itemOf('a1'));
    keeper.add(itemOf('a2'));
    expect(takeAll(keeper)).toEqual([]);
    keeper.putBack(itemOf('a1'));
    expect(takeAll(keeper)).toEqual(['a1']);
  });
});

describe('a group', () => {
  it('is taken side by side, and what comes behind it only once all of it is done with', () => {
    const keeper = keeperOf('a1g', 'a2g', 'a3g', 'a4', 'a5');
    expect(takeAll(keeper)).toEqual(['a1g', 'a2g', 'a3g']);
    for (let n = 0; n < 2; n++) {
      keeper.release(orderKey('a'));
      expect(keeper.hasReady).toBe(false);
    }
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual(['a4']);
  });

  it('waits for what is before it, another group included', () => {
    const keeper = keeperOf('a1', 'a2g', 'a3g', 'a4h', 'a5h');
    expect(takeAll(keeper)).toEqual(['a1']);
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual(['a2g', 'a3g']);
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual([]);
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual(['a4h', 'a5h']);
  });

  it('that is interrupted goes on behind the interruption', () => {
    const keeper = keeperOf('a1g', 'a2', 'a3g');
    for (const name of ['a1g', 'a2', 'a3g']) {
      expect(takeAll(keeper)).toEqual([name]);
      keeper.release(orderKey('a'));
    }
  });

  it('goes on at once with what comes while it is at work', () => {
    const keeper = keeperOf('a1g', 'a2g');
    takeAll(keeper);
    keeper.release(orderKey('a'));
    keeper.add(itemOf('a3g'));
    expect(takeAll(keeper)).toEqual(['a3g']);
  });

  it('is taken in one go, and lets no other key come between', () => {
    const keeper = keeperOf('a1g', 'b1', 'c1', 'a2g', 'a3g');
    expect(takeAll(keeper)).toEqual(['a1g', 'a2g', 'a3g', 'b1', 'c1']);
    const atWork = keeperOf('a1g');
    takeAll(atWork);
    for (const name of ['b1', 'c1', 'a2g']) atWork.add(itemOf(name));
    expect(takeAll(atWork)).toEqual(['a2g', 'b1', 'c1']);
  });

  it('takes an item that is put back among its own, and keeps the others waiting until then', () => {
    const keeper = keeperOf('a1g', 'a2g', 'a3');
    expect(takeAll(keeper)).toEqual(['a1g', 'a2g']);
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual([]);
    keeper.putBack(itemOf('a2g'));
    expect(takeAll(keeper)).toEqual(['a2g']);
    keeper.release(orderKey('a'));
    expect(takeAll(keeper)).toEqual(['a3']);
  });

  it('keeps its order where several items are put back, in whatever order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['a1g', 'a2g', 'a3g'], { minLength: 3 }), (back) => {
        const keeper = keeperOf('a1g', 'a2g', 'a3g', 'a4');
        takeAll(keeper);
        for (const name of back) keeper.putBack(itemOf(name));
        expect(takeAll(keeper)).toEqual(['a1g', 'a2g', 'a3g']);
      }),
    );
  });

  it('of which several are still to come starts with the first that comes', () => {
    const keeper = new OrderKeeper<Item>();
    for (const name of ['a1g', 'a2g']) keeper.hold(itemOf(name));
    keeper.add(itemOf('a3'));
    keeper.putBack(itemOf('a1g'));
    expect(takeAll(keeper)).toEqual(['a1g']);
    keeper.putBack(itemOf('a2g'));
    expect(takeAll(keeper)).toEqual(['a2g']);
  });

  it('is known by the item that was added last', () => {
    const keeper = keeperOf('a1g', 'b1');
    expect(keeper.continuesGroup(itemOf('a2g'))).toBe(true);
    for (const name of ['a2', 'a2h', 'b2', 'c1g']) expect(keeper.continuesGroup(itemOf(name))).toBe(false);
    keeper.add(itemOf('a2'));
    expect(keeper.continuesGroup(itemOf('a3g'))).toBe(false);
  });
});

/** What the order keeper promises, told in the plainest way: all items of a key in a row. */
class Model {
  readonly #waiting: Item[] = [];
  readonly #taken: Item[] = [];

  add(item: Item): void {
    this.#waiting.push(item);
  }

  /** The first waiting items of all keys whose turn may come. */
  get free(): readonly Item[] {
    const firsts = this.#waiting.filter(
      (item, index) => this.#waiting.findIndex(({ key }) => key === item.key) === index,
    );
    return firsts.filter(({ key, group }) =>
      this.#taken.every((taken) => taken.key !== key || (group !== undefined && taken.group === group)),
    );
  }

  take(item: Item): void {
    this.#taken.push(...this.#waiting.splice(this.#waiting.indexOf(item), 1));
  }

  /** Takes an item of the key out of those that are taken. */
  end(key: OrderKey, which: number): Item | undefined {
    const ofKey = this.#taken.filter((item) => item.key === key);
    const item = ofKey[which % ofKey.length];
    if (item) this.#taken.splice(this.#taken.indexOf(item), 1);
    return item;
  }

  putBack(item: Item): void {
    this.#waiting.unshift(item);
  }
}

it('the order keeper always has something for whoever asks while an item may be taken, and nothing else', () => {
  const command = fc.record({
    does: fc.constantFrom('add', 'take', 'release', 'put back'),
    key: fc.constantFrom('a', 'b', 'c'),
    group: fc.constantFrom('', '', 'g', 'h'),
    which: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const keeper = new OrderKeeper<Item>();
      const model = new Model();
      for (const [index, { does, key, group, which }] of commands.entries()) {
        expect(keeper.hasReady).toBe(model.free.length > 0);
        if (does === 'add') {
          const item = itemOf(`${key}${index}${group}`);
          model.add(item);
          keeper.add(item);
        } else if (does === 'take') {
          const { free } = model;
          const item = keeper.take();
          if (free.length === 0) expect(item).toBeUndefined();
          else expect(free).toContain(item);
          if (item) model.take(item);
        } else {
          const item = model.end(orderKey(key), which);
          if (item && does === 'put back') {
            model.putBack(item);
            keeper.putBack(item);
          } else if (item) keeper.release(item.key);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
