import { expect, it } from '@jest/globals';
import { Fifo } from '../../src/dispatch/fifo.js';

it('gives back what was pushed, in that order, through being empty and filled again', () => {
  const fifo = new Fifo<number>();
  expect(fifo.isEmpty).toBe(true);
  expect(fifo.shift()).toBeUndefined();
  for (const round of [10, 20]) {
    fifo.push(round + 1);
    fifo.push(round + 2);
    expect(fifo.isEmpty).toBe(false);
    expect(fifo.first).toBe(round + 1);
    expect([...fifo]).toEqual([round + 1, round + 2]);
    expect([fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([round + 1, round + 2, undefined]);
    expect([...fifo]).toEqual([]);
    expect(fifo.isEmpty).toBe(true);
  }
});
