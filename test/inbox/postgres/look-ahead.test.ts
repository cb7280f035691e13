/** How many lanes a process asks for depends on how fast it begins updates. */
import { expect, test } from '@jest/globals';
import { LookAhead } from '../../../src/inbox/postgres/look-ahead.js';

test('asks for few where little begins', () => {
  const ahead = new LookAhead();
  expect(ahead.lanes(0)).toBe(8);
  // Handlers that compute for 20 ms each.
  for (let now = 0; now <= 1_000; now += 20) {
    ahead.note(1, now);
    expect(ahead.lanes(now)).toBe(8);
  }
});

test('asks for as many as begin in 50 ms, up to a limit', () => {
  const ahead = new LookAhead();
  for (let now = 0; now <= 1_000; now++) {
    if (now % 2 === 0) ahead.note(1, now);
    if (now >= 50) expect(ahead.lanes(now)).toBe(25);
  }
  ahead.note(1_000, 1_001);
  expect(ahead.lanes(1_001)).toBe(64);
});

test('asks for more as soon as more begins, and for few again after a rest', () => {
  const ahead = new LookAhead();
  ahead.note(8, 0);
  ahead.note(32, 3);
  expect(ahead.lanes(3)).toBe(40);
  expect(ahead.lanes(60)).toBe(40);
  expect(ahead.lanes(160)).toBe(8);
});
