import { describe, expect, it } from '@jest/globals';
import { Reachability } from '../../src/polling/reachability.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { conflict, me, ok, refused, ScriptedBotApi, unreachable, updates } from './scripted-bot-api.js';

function given() {
  const clock = new FakeClock();
  const api = new ScriptedBotApi(clock);
  const told: boolean[] = [];
  const controller = new AbortController();
  const reachability = new Reachability({
    api,
    clock,
    random: () => 0.5,
    changed: (isReachable) => told.push(isReachable),
    signal: controller.signal,
  });
  return { clock, api, told, controller, reachability, checks: () => api.of('getMe').map(({ at }) => at) };
}

describe('Telegram counts as out of reach', () => {
  it('once a call and the getMe after it have failed', async () => {
    const t = given();
    t.api.script('getMe', unreachable);
    t.reachability.observe(unreachable);
    await settle();
    expect(t.told).toEqual([false]);
    expect(t.checks()).toEqual([0]);
  });

  it('after 10 s where getMe is not answered at all', async () => {
    const t = given();
    t.api.script('getMe', 'hang');
    t.reachability.observe(unreachable);
    await t.clock.advance(9_999);
    expect(t.told).toEqual([]);
    await t.clock.advance(1);
    expect(t.told).toEqual([false]);
  });

  it('not where getMe is answered, if only by a refusal', async () => {
    for (const answer of [ok(me), refused(429, 'Too Many Requests', 5), refused(401, 'Unauthorized')]) {
      const t = given();
      t.api.script('getMe', answer);
      t.reachability.observe(unreachable);
      await settle();
      expect(t.told).toEqual([]);
    }
  });

  it('not where Telegram refuses the call: that is an answer, and nothing is checked', async () => {
    const t = given();
    t.api.always.set('getMe', unreachable);
    for (const answer of [conflict, refused(400, 'Bad Request'), refused(429, 'Too Many Requests', 5)])
      t.reachability.observe(answer);
    await settle();
    expect(t.told).toEqual([]);
    expect(t.checks()).toEqual([]);
  });

  it('also where a server says 502 of its own', async () => {
    const t = given();
    t.api.script('getMe', refused(502, 'Bad Gateway'));
    t.reachability.observe(refused(502, 'Bad Gateway'));
    await settle();
    expect(t.told).toEqual([false]);
  });

  it('not where another call was answered while getMe was asked', async () => {
    const t = given();
    t.api.script('getMe', 'hang');
    t.reachability.observe(unreachable);
    await settle();
    t.reachability.observe(updates(1));
    await t.clock.advance(5_000);
    expect(t.told).toEqual([]);
  });
});

describe('Telegram is back', () => {
  it('when a poll is answered, and the checks end', async () => {
    const t = given();
    t.api.always.set('getMe', unreachable);
    t.reachability.observe(unreachable);
    await settle();
    t.reachability.observe(conflict);
    expect(t.told).toEqual([false, true]);
    await t.clock.advance(60_000);
    expect(t.checks()).toEqual([0]);
    expect(t.clock.pending).toBe(0);
  });

  it('when getMe is answered, which is asked every few seconds', async () => {
    const t = given();
    t.api.script('getMe', ...Array.from({ length: 6 }, () => unreachable));
    t.reachability.observe(unreachable);
    await t.clock.advance(20_000);
    expect(t.checks()).toEqual([0, 750, 2_000, 4_250, 7_000, 9_750, 12_500]);
    expect(t.told).toEqual([false, true]);
    expect(t.clock.pending).toBe(0);
  });
});

describe('checks', () => {
  it('are made one at a time, and not sooner than 1 s after one that was answered', async () => {
    const t = given();
    t.reachability.check();
    t.reachability.check();
    await settle();
    t.reachability.check();
    await t.clock.advance(999);
    t.reachability.check();
    await t.clock.advance(1);
    t.reachability.check();
    await settle();
    expect(t.checks()).toEqual([0, 1_000]);
  });

  it('end with the signal, in a call or a wait, and begin no more', async () => {
    for (const step of ['hang', unreachable] as const) {
      const t = given();
      t.api.script('getMe', step);
      t.reachability.check();
      await settle();
      t.controller.abort(new Error('stop'));
      await settle();
      expect(t.clock.pending).toBe(0);
      t.reachability.check();
      expect(t.checks()).toHaveLength(1);
    }
  });
});
