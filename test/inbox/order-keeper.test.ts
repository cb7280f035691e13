import { describe, expect, it } from '@jest/globals';
import { Lanes } from '../../src/dispatch/lanes.js';

const anything = () => true;

/** Items are named by their key and a number: `a1`. */
function lanesOf(...items: string[]): Lanes<string> {
  const lanes = new Lanes<string>();
  for (const item of items) lanes.add(item.slice(0, 1), item);
  return lanes;
}

describe('lanes', () => {
  it('give one item of a key at a time, in order', () => {
    const lanes = lanesOf('a1', 'a2');
    const first = lanes.take(anything);
    expect(first?.item).toBe('a1');
    expect(lanes.take(anything)).toBeUndefined();
    if (first) lanes.release(first.lane);
    expect(lanes.take(anything)?.item).toBe('a2');
  });

  it('take turns, so that a key with much to do does not keep the others waiting', () => {
    const lanes = lanesOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    const order: string[] = [];
    for (let next = lanes.take(anything); next; next = lanes.take(anything)) {
      order.push(next.item);
      lanes.release(next.lane);
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('forget a key once nothing of it waits or is at work', () => {
    const lanes = lanesOf('a1', 'a2', 'b1');
    expect(lanes.keys).toBe(2);
    for (let next = lanes.take(anything); next; next = lanes.take(anything)) lanes.release(next.lane);
    expect(lanes.keys).toBe(0);
    expect(lanes.waiting).toBe(0);
  });

  it('count what waits and list it in the order of each key', () => {
    const lanes = lanesOf('a1', 'b1', 'a2', 'b2');
    lanes.take(anything);
    expect(lanes.waiting).toBe(3);
    expect([...lanes.items()]).toEqual(['a2', 'b1', 'b2']);
  });

  it('stop a key at the first item that may not start, whatever stands behind it', () => {
    const lanes = lanesOf('a1', 'a2', 'b1');
    expect(lanes.take((item) => item !== 'a1')?.item).toBe('b1');
    expect(lanes.take((item) => item !== 'a1')).toBeUndefined();
    expect(lanes.hasReady).toBe(false);
    expect([...lanes.items()]).toEqual(['a1', 'a2']);
  });
});
