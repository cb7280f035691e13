import { expect, it } from '@jest/globals';
import { Ages } from '../src/ages.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

it.each([
  ['forward, at a machine without a clock of its own', 50 * 365 * DAY_MS],
  ['forward by an hour', 60 * MINUTE_MS],
  ['back by a day', -DAY_MS],
])('nothing grows old because the clock is set %s', (_, byMs) => {
  const time = { wallMs: 1_000 * DAY_MS, steadyMs: 7 };
  const ages = new Ages(() => time.wallMs, { now: () => time.steadyMs });
  const pass = (ms: number) => {
    time.wallMs += ms;
    time.steadyMs += ms;
  };
  const beforeMs = time.wallMs;
  pass(MINUTE_MS);
  time.wallMs += byMs;
  const afterMs = time.wallMs;
  pass(MINUTE_MS);
  expect(ages.of(beforeMs)).toBe(2 * MINUTE_MS);
  expect(ages.of(afterMs)).toBe(MINUTE_MS);
  pass(DAY_MS);
  expect(ages.of(afterMs)).toBe(MINUTE_MS + DAY_MS);
});

it('what an earlier run has told just now is new, also where the clock was far ahead since, and is set right', () => {
  const toldMs = 1_000 * DAY_MS;
  const time = { wallMs: toldMs + 60 * DAY_MS, steadyMs: 7 };
  const ages = new Ages(() => time.wallMs, { now: () => time.steadyMs });
  // Clocks that are set right differ by some moments.
  time.wallMs = toldMs - 500;
  expect(ages.of(toldMs)).toBe(-500);
});
