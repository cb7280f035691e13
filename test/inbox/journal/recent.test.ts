import { expect, it } from '@jest/globals';
import { RecentIds } from '../../../src/inbox/journal/recent.js';

const HOUR_MS = 60 * 60 * 1_000;

it('knows an id until Telegram has answered an offset that passed it', () => {
  const recent = new RecentIds();
  for (const id of [7, 8, 9]) recent.add(id, 0);
  expect(recent.has(7)).toBe(true);
  expect(recent.has(6)).toBe(false);
  recent.passed(9);
  expect([7, 8, 9].map((id) => recent.has(id))).toEqual([false, false, true]);
});

it('knows ids above an offset that has jumped down', () => {
  const recent = new RecentIds();
  recent.add(1_000, 0);
  recent.add(5, 0);
  recent.passed(6);
  expect([5, 1_000].map((id) => recent.has(id))).toEqual([false, true]);
});

it('forgets after a day what Telegram has forgotten by then', () => {
  const recent = new RecentIds();
  recent.add(1, 0);
  recent.add(2, HOUR_MS);
  recent.expire(24 * HOUR_MS);
  expect([1, 2].map((id) => recent.has(id))).toEqual([true, true]);
  recent.expire(24 * HOUR_MS + 1);
  expect([1, 2].map((id) => recent.has(id))).toEqual([false, true]);
});

it('gives all it knows, so that another can go on', () => {
  const recent = new RecentIds();
  recent.add(3, 30);
  recent.add(1, 10);
  expect(recent.entries()).toEqual([
    [3, 30],
    [1, 10],
  ]);
});
