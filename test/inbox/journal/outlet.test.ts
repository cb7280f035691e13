import { describe, expect, it } from '@jest/globals';
import { Outlet } from '../../../src/inbox/journal/outlet.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an outlet', () => {
  it('hands on so many a turn, in order, and none in the turn of the call', async () => {
    const turns: number[][] = [];
    const outlet = new Outlet<number>((items) => turns.push([...items]), 2);
    outlet.push([1, 2, 3]);
    outlet.push([4, 5]);
    expect(turns).toEqual([]);
    await turn();
    expect(turns).toEqual([[1, 2]]);
    await outlet.emptied();
    expect(turns).toEqual([[1, 2], [3, 4], [5]]);
    await outlet.emptied();
  });

  it('takes what is pushed by those it hands on to', async () => {
    const handed: number[] = [];
    const outlet: Outlet<number> = new Outlet((items) => {
      handed.push(...items);
      if (handed.length < 5) outlet.push([handed.length]);
    }, Number.POSITIVE_INFINITY);
    outlet.push([0]);
    await outlet.emptied();
    expect(handed).toEqual([0, 1, 2, 3, 4]);
  });

  it('that is closed hands nothing on any more, and keeps nobody waiting', async () => {
    const handed: number[] = [];
    const outlet = new Outlet<number>((items) => handed.push(...items), 1);
    outlet.push([1, 2, 3]);
    await turn();
    const emptied = outlet.emptied();
    outlet.close();
    await emptied;
    await turn();
    expect(handed).toEqual([1]);
  });
});
