import { describe, expect, it } from '@jest/globals';
import type { PollingEvent } from '../../src/polling/events.js';
import { settle } from '../support/fake-clock.js';
import { given, POLL_MS, polls, reason } from './poller-harness.js';
import { conflict, me, ok, refused, unreachable, updates, webhookConflict } from './scripted-bot-api.js';

describe('polling', () => {
  it('asks first for an answer at once, then for long polls; always for its kinds of updates', async () => {
    const t = given();
    const run = await t.start();
    await t.clock.advance(POLL_MS);
    await run.stop();

    const always = { limit: 100, allowedUpdates: ['message', 'poll'] };
    expect(polls(t.api)).toEqual([
      // Not without an offset, as the process before may have ended: Telegram would hold it for 3 s.
      { ...always, offset: 1, timeoutSeconds: 0 },
      { ...always, timeoutSeconds: 50 },
      { ...always, timeoutSeconds: 50 },
    ]);
    expect(t.api.of('getUpdates').map(({ timeoutMs }) => timeoutMs)).toEqual([10_000, 60_000, 60_000]);
    expect(t.named('poll.started')).toHaveLength(1);
  });

  it('goes on from the offset that accept returns, also where ids jump down', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), updates(900, 901), updates(3), updates(4, 5));
    const run = await t.start();

    expect(t.api.offsets).toEqual([1, undefined, 902, 4, 6]);
    expect(t.batches).toEqual([[900, 901], [3], [4, 5]]);
    expect(await run.stop()).toEqual({ fetched: 5, unconfirmed: 0, confirmedUpTo: 5 });
  });

  it('keeps its offset when accept confirms nothing, and does not ask in a hurry', async () => {
    const offsets = [8, undefined];
    const t = given({ accept: () => Promise.resolve(offsets.shift()) });
    t.api.always.set('getUpdates', updates(7));
    const run = await t.start();
    await t.clock.advance(10_000);

    expect(new Set(t.api.offsets)).toEqual(new Set([1, 8]));
    expect(t.api.offsets.length).toBeLessThanOrEqual(13);
    expect(await run.stop()).toMatchObject({ confirmedUpTo: 7 });
  });

  it('does not poll while accept is pending', async () => {
    let accepted: (offset: number) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(1));
    const run = await t.start();
    await t.clock.advance(3600_000);
    expect(t.api.of('getUpdates')).toHaveLength(1);
    accepted(2);
    await settle();
    expect(t.api.offsets).toEqual([1, 2]);
    await t.clock.advance(300);
    await run.stop();
  });

  it('does not poll in a hurry when a server answers long polls at once', async () => {
    const t = given();
    t.api.always.set('getUpdates', updates());
    const run = await t.start();
    await t.clock.advance(60_000);
    expect(t.api.of('getUpdates').length).toBeLessThanOrEqual(62);
    await run.stop();
  });

  it('rounds the poll timeout to whole seconds, one at least', async () => {
    const t = given({ pollTimeoutMs: 300 });
    const run = await t.start();
    expect(polls(t.api)).toMatchObject([{ timeoutSeconds: 0 }, { timeoutSeconds: 1 }]);
    await run.stop();
  });

  it('is free of a half-open connection 10 s after the poll timeout, and asks at once again', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), 'hang', updates(1));
    const run = await t.start();
    await t.clock.advance(POLL_MS + 10_000);
    expect(t.named('poll.failed')).toMatchObject([{ detail: 'timeout: no answer', retryInMs: 500 }]);
    await t.clock.advance(500);
    expect(t.batches).toEqual([[1]]);
    expect(polls(t.api)).toMatchObject([
      { timeoutSeconds: 0 },
      { timeoutSeconds: 50 },
      { timeoutSeconds: 0 },
      { timeoutSeconds: 50 },
    ]);
    expect(t.named('poll.recovered')).toEqual([{ event: 'poll.recovered', gapMs: 60_500, failures: 1 }]);
    await run.stop();
  });
});

describe('a stop ends every wait at once', () => {
  const waits: [string, (t: ReturnType<typeof given>) => unknown, number][] = [
    ['before the start', () => {}, -1],
    ['getMe that hangs', (t) => t.api.script('getMe', 'hang'), 1_000],
    ['the wait before getMe is tried again', (t) => t.api.script('getMe', unreachable), 100],
    ['getWebhookInfo that hangs', (t) => t.api.script('getWebhookInfo', 'hang'), 1_000],
    ['the first poll', (t) => t.api.script('getUpdates', 'hang'), 1_000],
    ['a young long poll', () => {}, 100],
    ['an old long poll', () => {}, 30_000],
    ['a backoff', (t) => t.api.script('getUpdates', updates(), unreachable, unreachable), 700],
    ['a 429 wait', (t) => t.api.script('getUpdates', updates(), refused(429, 'Slow down', 60)), 20_000],
    ['a wait for another poller', (t) => t.api.script('getUpdates', updates(), conflict), 2_000],
    ['a wait for a webhook to go', (t) => t.api.script('getUpdates', webhookConflict), 2_000],
    ['a wait after a rejection', (t) => t.api.script('getUpdates', updates(), refused(400, 'Bad')), 200],
    [
      'a wait before getMe is asked about the token',
      (t) => t.api.script('getUpdates', updates(), refused(401, 'No')),
      500,
    ],
    [
      'getMe that hangs when asked about the token',
      (t) => t.api.script('getMe', ok(me), 'hang').script('getUpdates', updates(), refused(401, 'No')),
      2_000,
    ],
    ['a pause between empty answers', (t) => t.api.script('getUpdates', updates(), updates()), 500],
  ];

  it.each(waits)('%s', async (_, prepare, afterMs) => {
    const t = given();
    prepare(t);
    const controller = new AbortController();
    if (afterMs < 0) controller.abort(reason);
    const end = t.poller.run(controller.signal);
    await settle();
    if (afterMs >= 0) await t.clock.advance(afterMs);
    const at = t.clock.now();
    const calls = t.api.calls.length;
    if (afterMs >= 0) expect(t.poller.latestEnd).toBeGreaterThan(at);
    controller.abort(reason);

    expect(await end).toEqual({ fetched: 0, unconfirmed: 0, confirmedUpTo: undefined });
    expect(t.clock.now()).toBe(at);
    expect(t.api.calls).toHaveLength(calls);
    expect(t.clock.pending).toBe(0);
    expect(t.api.underWay).toBe(0);
    expect(t.events.at(-1)).toMatchObject({ event: 'poll.stopped' });
    expect(t.poller.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a listener that throws at every event', () => {
  const collect: PollingEvent['event'][] = [];
  const run = async (emit: (event: PollingEvent) => void) => {
    const t = given({ emit });
    t.api.script('getWebhookInfo', ok({ url: 'https://old.example/', pendingUpdateCount: 3 }));
    t.api.script('getUpdates', unreachable, updates(1, 2), conflict, refused(429, 'Slow', 1));
    t.api.script('getUpdates', refused(400, 'Bad Request'), refused(401, 'Unauthorized'), updates(3));
    const { end, stop } = await t.start();
    await t.clock.advance(20_000);
    await stop();
    return { calls: t.api.calls, batches: t.batches, end: await end };
  };

  it('changes nothing of what is polled, accepted and confirmed', async () => {
    const expected = await run(({ event }) => collect.push(event));
    expect(expected).toMatchObject({ batches: [[1, 2], [3]], end: { confirmedUpTo: 3 } });
    expect(expected.end.error).toBeUndefined();
    expect(new Set(collect).size).toBeGreaterThan(10);

    const actual = await run(() => {
      throw new Error('the log is full');
    });
    expect(actual).toEqual(expected);
  });
});

describe('the latest end of the step at work, for a watchdog', () => {
  it('is the limit of a call or wait, and none while accept has the batch', async () => {
    const t = given();
    expect(t.poller.latestEnd).toBe(Number.POSITIVE_INFINITY);
    t.api.script('getUpdates', updates(1), unreachable);
    const run = await t.start();
    expect(t.latestEndWhenAccepting).toBe(Number.POSITIVE_INFINITY);
    expect(t.poller.latestEnd).toBe(500);
    await t.clock.advance(500);
    expect(t.poller.latestEnd).toBe(60_500);
    await t.clock.advance(300);
    await run.stop();
    expect(t.poller.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('reachability', () => {
  function watched() {
    const told: boolean[] = [];
    const t = given({ reachable: (isReachable) => told.push(isReachable) });
    return Object.assign(t, { told });
  }

  it('ends when a poll and getMe fail, and is back with the first answer', async () => {
    const t = watched();
    // The first getMe is that of the start.
    t.api.script('getMe', ok(me)).always.set('getMe', unreachable);
    t.api.script('getUpdates', updates(), unreachable, unreachable, updates());
    const run = await t.start();
    expect(t.told).toEqual([false]);
    await t.clock.advance(499);
    expect(t.told).toEqual([false]);
    await t.clock.advance(1_001);
    expect(t.told).toEqual([false, true]);
    expect(t.named('poll.failed')).toHaveLength(2);
    await run.stop();
    expect(t.clock.pending).toBe(0);
  });

  it.each([
    ['getMe is answered', unreachable],
    ['another program polls', conflict],
    ['the poll is rejected', refused(400, 'Bad Request')],
    ['Telegram asks to wait', refused(429, 'Too Many Requests', 5)],
    ['a poll is not answered in time', 'hang'],
  ] as const)('lasts where %s', async (_, step) => {
    const t = watched();
    t.api.script('getUpdates', updates(), step, step);
    const run = await t.start();
    await t.clock.advance(3 * POLL_MS);
    expect(t.api.of('getUpdates').length).toBeGreaterThan(2);
    expect(t.told).toEqual([]);
    await run.stop();
  });

  it('is not watched before the first getMe is answered: nothing has been started yet', async () => {
    const t = watched();
    t.api.script('getMe', unreachable, unreachable);
    const run = await t.start();
    await t.clock.advance(10_000);
    expect(t.told).toEqual([]);
    expect(t.api.of('getMe')).toHaveLength(3);
    await run.stop();
  });

  it('is checked when somebody else finds Telegram out of reach, though a long poll waits', async () => {
    const t = watched();
    const run = await t.start();
    t.api.script('getMe', unreachable);
    t.poller.checkReachability();
    await settle();
    expect(t.told).toEqual([false]);
    await t.clock.advance(1_000);
    expect(t.told).toEqual([false, true]);
    expect(t.api.of('getUpdates')).toHaveLength(2);
    await run.stop();
    t.poller.checkReachability();
    expect(t.api.of('getMe')).toHaveLength(3);
  });
});

describe('an answer that does not come through', () => {
  const cut = { kind: 'unreachable', why: 'cut', detail: 'no further byte' } as const;

  it('is asked for in smaller batches, down to one update, and in larger ones again once that works', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), cut, cut, cut, cut, cut, updates(1), updates(2), updates(3));
    const run = await t.start();
    await t.clock.advance(30_000);
    expect(polls(t.api).map((parameters) => 'limit' in parameters && parameters.limit)).toEqual([
      100, 100, 25, 7, 2, 1, 1, 2, 4, 8,
    ]);
    await run.stop();
  });

  it('because nothing could be reached changes nothing', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), unreachable, unreachable, updates(1));
    const run = await t.start();
    await t.clock.advance(5_000);
    expect(new Set(polls(t.api).map((parameters) => 'limit' in parameters && parameters.limit))).toEqual(
      new Set([100]),
    );
    await run.stop();
  });
});

describe('what is measured of polling', () => {
  it('is each call that fails, by class, also where the log tells few', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), ...Array.from({ length: 30 }, () => unreachable));
    t.api.script('getUpdates', conflict, conflict, refused(429, 'Too Many Requests', 1));
    const run = await t.start();
    await t.clock.advance(600_000);
    expect(t.named('poll.failed').length).toBeLessThan(30);
    expect(t.poller.failures).toEqual({
      ...{ unreachable: 30, conflict: 2, 'rate-limited': 1 },
      ...{ rejected: 0, 'token-refused': 0 },
    });
    await run.stop();
  });

  it('is how long fetched updates wait until a poll tells Telegram to forget them', async () => {
    let accepted = (_offset: number) => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(1), unreachable);
    const run = await t.start();
    await t.clock.advance(2_000);
    expect(t.poller.confirmLagMs).toBe(2_000);
    accepted(2);
    await settle();
    // The poll that told it has not come through, and the next one is a second away.
    expect(t.api.offsets).toEqual([1, 2]);
    await t.clock.advance(400);
    expect(t.poller.confirmLagMs).toBe(2_400);
    await t.clock.advance(5_000);
    expect(t.api.offsets.length).toBeGreaterThan(2);
    expect(t.poller.confirmLagMs).toBe(0);
    await run.stop();
  });

  it('is no lag while a long poll is open that has told Telegram', async () => {
    const t = given();
    t.api.script('getUpdates', updates(1), 'hang');
    const run = await t.start();
    await t.clock.advance(20_000);
    expect(t.api.offsets).toEqual([1, 2]);
    expect(t.poller.confirmLagMs).toBe(0);
    await run.stop();
  });
});
