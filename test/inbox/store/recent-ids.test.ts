import { expect, it } from '@jest/globals';
import { updateId } from '../../../src/inbox/ids.js';
import { RecentIds } from '../../../src/inbox/recent-ids.js';
import { updateIds } from '../../support/ids.js';

const HOUR_MS = 60 * 60 * 1_000;

it('knows an id until Telegram has answered a poll from an offset above it', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: updateIds(7, 8, 9) });
  expect(recent.has(updateId(7))).toBe(true);
  expect(recent.has(updateId(6))).toBe(false);
  recent.confirm(updateId(9));
  expect(updateIds(7, 8, 9).map((id) => recent.has(id))).toEqual([false, false, true]);
});

it('knows ids above an offset that has jumped down', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: updateIds(1_000) });
  recent.add({ atMs: 0, ids: updateIds(5) });
  recent.confirm(updateId(6));
  expect(updateIds(5, 1_000).map((id) => recent.has(id))).toEqual([false, true]);
});

it('forgets after a day what Telegram has forgotten by then', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 0, ids: updateIds(1) });
  recent.add({ atMs: HOUR_MS, ids: updateIds(2) });
  recent.expire((atMs) => 24 * HOUR_MS - atMs);
  expect(updateIds(1, 2).map((id) => recent.has(id))).toEqual([true, true]);
  recent.expire((atMs) => 24 * HOUR_MS + 1 - atMs);
  expect(updateIds(1, 2).map((id) => recent.has(id))).toEqual([false, true]);
});

it('gives all it knows, so that another can go on', () => {
  const recent = new RecentIds();
  recent.add({ atMs: 30, ids: updateIds(3, 4) });
  recent.add({ atMs: 10, ids: updateIds(1) });
  recent.add({ atMs: 10, ids: [] });
  recent.confirm(updateId(2));
  expect(recent.arrivals).toEqual([{ atMs: 30, ids: [3, 4] }]);
});

it('tells what of a batch is new: neither there before, nor twice in it', () => {
  const recent = new RecentIds();
  expect(recent.indexesOfNew(updateIds(7, 8, 9))).toEqual([0, 1, 2]);
  recent.add({ atMs: 0, ids: updateIds(8) });
  expect(recent.indexesOfNew(updateIds(7, 8, 9, 9, 3, 7, 4))).toEqual([0, 2, 4, 6]);
  expect(recent.indexesOfNew(updateIds(8))).toEqual([]);
});
