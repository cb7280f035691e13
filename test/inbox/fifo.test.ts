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
    expect([...fifo]).toEqual([round + 1, round + 2]);
    expect([fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([round + 1, round + 2, undefined]);
    expect([...fifo]).toEqual([]);
    expect(fifo.isEmpty).toBe(true);
  }
});

it('keeps the order of many, however they come and go', () => {
  const fifo = new Fifo<number>();
  let [pushed, taken] = [0, 0];
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 30; i++) fifo.push(pushed++);
    for (let i = 0; i < 28; i++) expect(fifo.shift()).toBe(taken++);
    expect([...fifo]).toEqual(Array.from({ length: pushed - taken }, (_, i) => taken + i));
  }
  while (!fifo.isEmpty) expect(fifo.shift()).toBe(taken++);
  expect(taken).toBe(pushed);
});
