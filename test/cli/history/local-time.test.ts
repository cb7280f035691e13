import { describe, expect, it } from '@jest/globals';
import { timeTicks } from '../../../src/cli/history/draw/scale.js';
import { LocalTime } from '../../../src/cli/history/local-time.js';

const HOUR_MS = 3_600_000;
const berlin = new LocalTime('Europe/Berlin');

describe('local times', () => {
  it('are those of the place', () => {
    const ms = Date.UTC(2026, 10, 29, 23, 5, 7);
    expect([
      berlin.dateTime(ms),
      berlin.dayTime(ms),
      berlin.time(ms),
      berlin.day(ms),
      berlin.timeOfDay(ms),
    ]).toEqual(['Nov 30 00:05:07', 'Mon 00:05', '00:05', 'Mon 30', '00:05:07']);
    expect(berlin.dateTime(Date.UTC(2026, 8, 1))).toBe('Sep 01 02:00:00');
    expect(berlin.zone).toBe('Europe/Berlin');
  });

  it.each([
    { when: 'most days', from: Date.UTC(2026, 10, 28, 22, 30) },
    { when: 'clocks go back', from: Date.UTC(2026, 9, 24, 21, 30) },
    { when: 'clocks go forward', from: Date.UTC(2026, 2, 28, 22, 30) },
  ])('have ticks at round hours when $when', ({ from }) => {
    const ticks = berlin.ticks(from, from + 30 * HOUR_MS, 6 * HOUR_MS);
    expect(ticks.slice(0, 5).map((ms) => berlin.time(ms))).toEqual([
      '00:00',
      '06:00',
      '12:00',
      '18:00',
      '00:00',
    ]);
    expect(ticks.slice(0, 5).map((ms) => berlin.isMidnight(ms))).toEqual([true, false, false, false, true]);
  });
});

describe('the axis of time', () => {
  it.each([
    [10_000, '16:20:05'],
    [5 * 60_000, '16:24:30'],
    [6 * HOUR_MS, '18:00'],
    [7 * 24 * HOUR_MS, 'Mon 30'],
    [60 * 24 * HOUR_MS, 'Thu 3'],
  ])('has some ticks, whatever it spans: %i ms', (spanMs, text) => {
    const fromMs = Date.UTC(2026, 10, 29, 16, 20);
    const scale = { fromMs, toMs: fromMs + spanMs, left: 0, right: 1_000 };
    const ticks = timeTicks(scale, new LocalTime('UTC'));
    expect(ticks.length).toBeGreaterThan(4);
    expect(ticks.length).toBeLessThanOrEqual(16);
    for (const { x } of ticks) expect(x >= 0 && x <= 1_000).toBe(true);
    expect(ticks.map((tick) => tick.text)).toContain(text);
  });
});
