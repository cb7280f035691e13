import { expect, it } from '@jest/globals';
import { ServerTime } from '../../../src/telegraf/bot-api/server-time.js';
import { json, serve } from './server.js';

const HOUR_MS = 60 * 60 * 1_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

const httpDate = (ms: number) => new Date(ms).toUTCString();

it('is the time of the system until the server has told another', () => {
  const system = { ms: NOON_MS };
  const time = new ServerTime(() => system.ms);
  expect(time.isChecked).toBe(false);
  expect(time.now()).toBe(NOON_MS);
  time.read(httpDate(NOON_MS - HOUR_MS));
  expect(time.isChecked).toBe(true);
  expect(time.now()).toBe(NOON_MS - HOUR_MS);
  expect(time.bySystem(time.now())).toBe(NOON_MS);
  system.ms += 1_000;
  expect(time.now()).toBe(NOON_MS - HOUR_MS + 1_000);
  // Somebody has set the system's clock.
  system.ms = NOON_MS - HOUR_MS + 2_000;
  time.read(httpDate(system.ms));
  expect(time.now()).toBe(system.ms);
});

/** A time that was corrected because the system's clock, which shows 2000, has no battery. */
function corrected() {
  const [system, monotonic] = [{ ms: Date.UTC(2000, 0, 1) }, { ms: 7 }];
  const time = new ServerTime(
    () => system.ms,
    () => monotonic.ms,
  );
  const pass = (ms: number) => {
    system.ms += ms;
    monotonic.ms += ms;
  };
  time.read(httpDate(NOON_MS));
  return { system, monotonic, time, pass };
}

it('stays right where the clock of the system is set right before the server answers again', () => {
  const { system, time, pass } = corrected();
  pass(10_000);
  expect(time.now()).toBe(NOON_MS + 10_000);
  system.ms = NOON_MS + 10_500;
  expect([time.now(), time.bySystem(time.now())]).toEqual([system.ms, system.ms]);
  pass(40_000);
  expect(time.now()).toBe(system.ms);
  time.read(httpDate(system.ms));
  expect(time.now()).toBe(system.ms);
});

it('stays right where the clock of the system is set to another wrong time', () => {
  const { system, monotonic, time, pass } = corrected();
  pass(10_000);
  monotonic.ms += 0.25;
  system.ms += HOUR_MS;
  expect(time.now()).toBe(NOON_MS + 10_000);
  expect(time.bySystem(time.now())).toBe(system.ms);
});

it('does not go to and fro where the clocks differ by about a minute', () => {
  const time = new ServerTime(() => NOON_MS);
  const correctionOf = (aheadMs: number) => {
    time.read(httpDate(NOON_MS - aheadMs));
    return NOON_MS - time.now();
  };
  const aheads = [59_000, 61_000, 59_000, 61_000, 2_000, 0, 59_000];
  expect(aheads.map(correctionOf)).toEqual([0, 61_000, 61_000, 61_000, 61_000, 0, 0]);
});

it.each([
  ['tells a time that is right within a minute', httpDate(NOON_MS + 59_000)],
  ['tells no time', undefined],
  ['tells nonsense', 'now'],
])('is that of the system where the server %s', (_, date) => {
  const time = new ServerTime(() => NOON_MS);
  time.read(date);
  expect(time.isChecked).toBe(true);
  expect(time.now()).toBe(NOON_MS);
});

it('is read from results, and not from what somebody else answers in place of Telegram', async () => {
  const told = { date: httpDate(Date.now() - HOUR_MS), ok: false };
  const t = await serve((response, request) => {
    response.setHeader('date', told.date);
    if (told.ok) json({ ok: true, result: [] })(response, request);
    else response.end('<h1>Welcome to the hotel</h1>');
  });
  await t.poll();
  expect(t.api.time.isChecked).toBe(false);
  told.ok = true;
  await t.poll();
  expect(t.api.time.isChecked).toBe(true);
  expect(Math.abs(Date.now() - HOUR_MS - t.api.time.now())).toBeLessThan(2_000);
});
