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

/** A clock that is set now and then. */
function begin() {
  const time = { wallMs: 1_000 * DAY_MS, steadyMs: 7 };
  const ages = new Ages(() => time.wallMs, { now: () => time.steadyMs });
  const pass = (ms: number) => {
    time.wallMs += ms;
    time.steadyMs += ms;
  };
  const set = (byMs: number) => {
    ages.of(0);
    time.wallMs += byMs;
    ages.of(0);
  };
  return { time, ages, pass, set };
}

it.each([
  ['forward', 365 * DAY_MS],
  ['back', -DAY_MS],
])('everything grows old as before where the clock is set %s and right again', (_, byMs) => {
  const { time, ages, pass, set } = begin();
  const longBeforeMs = time.wallMs - 10 * DAY_MS;
  pass(10 * MINUTE_MS);
  set(byMs);
  pass(MINUTE_MS);
  const betweenMs = time.wallMs;
  pass(MINUTE_MS);
  set(-byMs + 500);
  pass(MINUTE_MS);
  expect(ages.of(longBeforeMs)).toBe(10 * DAY_MS + 13 * MINUTE_MS + 500);
  expect(Math.abs(ages.of(betweenMs) - 2 * MINUTE_MS)).toBeLessThan(1_000);
  // And it goes on so, however often that happens.
  for (let times = 0; times < 1_000; times++) {
    set(byMs);
    pass(MINUTE_MS);
    set(-byMs);
  }
  expect(ages.of(longBeforeMs)).toBe(10 * DAY_MS + 1_013 * MINUTE_MS + 500);
});
