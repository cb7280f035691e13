import { expect, it } from '@jest/globals';
import { RecentIds } from '../../../src/inbox/store/recent.js';

const HOUR_MS = 60 * 60 * 1_000;

it('knows an id until Telegram has answered an offset that passed it', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: [7, 8, 9] });
  expect(recent.has(7)).toBe(true);
  expect(recent.has(6)).toBe(false);
  recent.passed(9);
  expect([7, 8, 9].map((id) => recent.has(id))).toEqual([false, false, true]);
});

it('knows ids above an offset that has jumped down', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: [1_000] });
  recent.add({ atMs: 0, ids: [5] });
  recent.passed(6);
  expect([5, 1_000].map((id) => recent.has(id))).toEqual([false, true]);
});

it('forgets after a day what Telegram has forgotten by then', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: [1] });
  recent.add({ atMs: HOUR_MS, ids: [2] });
  recent.expire(24 * HOUR_MS);
  expect([1, 2].map((id) => recent.has(id))).toEqual([true, true]);
  recent.expire(24 * HOUR_MS + 1);
  expect([1, 2].map((id) => recent.has(id))).toEqual([false, true]);
});

it('gives all it knows, so that another can go on', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 30, ids: [3, 4] });
  recent.add({ atMs: 10, ids: [1] });
  recent.add({ atMs: 10, ids: [] });
  recent.passed(2);
  expect(recent.arrivals).toEqual([{ atMs: 30, ids: [3, 4] }]);
});

it('tells what of a batch is new: neither there before, nor twice in it', () => {
  const recent = new RecentIds();
  expect(recent.placesOfNew([7, 8, 9])).toEqual([0, 1, 2]);
  recent.add({ atMs: 0, ids: [8] });
  expect(recent.placesOfNew([7, 8, 9, 9, 3, 7, 4])).toEqual([0, 2, 4, 6]);
  expect(recent.placesOfNew([8])).toEqual([]);
});
