import { expect, it } from '@jest/globals';
import { gapsBetween, longest, overlaps } from '../../../src/cli/demo/poll-gaps.js';

const at = (...times: number[]) => times.map((atMs) => ({ atMs }));

it('are between the beginning of one poll and the next', () => {
  expect(gapsBetween(at(10, 30, 35))).toEqual([
    { fromMs: 10, toMs: 30 },
    { fromMs: 30, toMs: 35 },
  ]);
  expect(gapsBetween(at(10))).toEqual([]);
  expect(longest(gapsBetween(at(10, 30, 35)))).toBe(20);
  expect(longest([])).toBe(0);
});

it('overlap where they have time in common', () => {
  const span = { fromMs: 10, toMs: 20 };
  expect(overlaps(span, { fromMs: 0, toMs: 10 })).toBe(false);
  expect(overlaps(span, { fromMs: 0, toMs: 11 })).toBe(true);
  expect(overlaps(span, { fromMs: 12, toMs: 13 })).toBe(true);
  expect(overlaps(span, { fromMs: 20, toMs: 30 })).toBe(false);
});
