import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import type { Me } from '../../src/polling/bot-api.js';
import type { PollingEvent } from '../../src/polling/events.js';
import { Poller, type PollerOptions, type PollingEnd } from '../../src/polling/poller.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import {
  conflict,
  me,
  ok,
  refused,
  ScriptedBotApi,
  type TestUpdate,
  unreachable,
  updates,
  webhookConflict,
} from './scripted-bot-api.js';

const reason = new Error('stop');
const POLL_MS = 50_000;

/** A poller on a stepped clock over a scripted API; jitter always falls in the middle. */
function given(options: Partial<PollerOptions<TestUpdate>> = {}) {
  const clock = new FakeClock();
  const api = new ScriptedBotApi(clock);
  const events: PollingEvent[] = [];
  const batches: number[][] = [];
  const controller = new AbortController();
  let latestEndWhenAccepting: number | undefined;
  const poller: Poller<TestUpdate> = new Poller({
    api,
    accept: (batch) => {
      latestEndWhenAccepting = poller.latestEnd;
      batches.push(batch.map(({ update_id }) => update_id));
      const last = batch.at(-1);
      return Promise.resolve(last && last.update_id + 1);
    },
    allowedUpdates: ['message', 'poll'],
    pollTimeoutMs: POLL_MS,
    conflictPatienceMs: 120_000,
    deleteWebhook: true,
    dropPending: false,
    confirmTimeoutMs: 1_000,
    clock,
    random: () => 0.5,
    emit: (event) => events.push(event),
    ...options,
  });
  return {
    clock,
    api,
    events,
    batches,
    poller,
    get latestEndWhenAccepting() {
      return latestEndWhenAccepting;
    },
    named: (name: PollingEvent['event']) => events.filter(({ event }) => event === name),
    /** Starts polling and lets all that can happen at once do so. */
    async start() {
      const end = poller.run(controller.signal);
      await settle();
      return {
        end,
        /** Stops, and resolves with the end if that comes without a step of the clock. */
        async stop(): Promise<PollingEnd | 'waits'> {
          controller.abort(reason);
          await settle();
          return Promise.race([end, Promise.resolve('waits' as const)]);
        },
      };
    },
  };
}

const polls = (api: ScriptedBotApi) => api.of('getUpdates').map(({ parameters }) => parameters);

describe('the startup calls', () => {
  it('says who the bot is and what waits, before the first poll', async () => {
    const connected: Me[] = [];
    const t = given({ connected: (bot) => connected.push(bot) });
    t.api.script('getWebhookInfo', ok({ url: '', pendingUpdateCount: 17 }));
    await (await t.start()).stop();

    expect(t.api.calls.map(({ method }) => method)).toEqual([
      'getMe',
      'getWebhookInfo',
      'getUpdates',
      'getUpdates',
    ]);
    expect(t.events.slice(0, 2)).toEqual([
      { event: 'poll.connected', ...me },
      { event: 'poll.backlog', pending: 17 },
    ]);
    expect(connected).toEqual([me]);
  });

  it('removes a webhook and names its host, and no more of its address', async () => {
    const t = given();
    t.api.script(
      'getWebhookInfo',
      ok({ url: 'https://old.example:8443/secret-path', pendingUpdateCount: 0 }),
    );
    await (await t.start()).stop();

    expect(t.api.of('deleteWebhook')).toMatchObject([{ parameters: { dropPending: false } }]);
    expect(t.named('poll.webhook-deleted')).toEqual([
      { event: 'poll.webhook-deleted', host: 'old.example:8443' },
    ]);
    expect(t.api.of('getUpdates')).not.toEqual([]);
  });

  it('ends with WEBHOOK_ACTIVE, naming the host, when removing is forbidden', async () => {
    const t = given({ deleteWebhook: false, dropPending: true });
    t.api.script('getWebhookInfo', ok({ url: 'https://old.example/secret-path', pendingUpdateCount: 9 }));
    const { error } = await (await t.start()).end;

    expect(error).toMatchObject({ code: 'WEBHOOK_ACTIVE', culprit: 'old.example' });
    expect(error?.message).not.toContain('secret-path');
    expect(t.api.of('deleteWebhook')).toEqual([]);
    expect(t.api.of('getUpdates')).toEqual([]);
  });

  it('drops what waits when asked to, and tells how much', async () => {
    const t = given({ dropPending: true });
    t.api.script('getWebhookInfo', ok({ url: '', pendingUpdateCount: 9 }));
    await (await t.start()).stop();

    expect(t.api.of('deleteWebhook')).toMatchObject([{ parameters: { dropPending: true } }]);
    expect(t.named('poll.pending-dropped')).toEqual([{ event: 'poll.pending-dropped', count: 9 }]);
  });

  it('drops what waits with the webhook, but nothing that came later', async () => {
    const webhook = ok({ url: 'https://old.example/', pendingUpdateCount: 9 });
    const t = given({ dropPending: true });
    t.api.script('getWebhookInfo', webhook, webhook);
    t.api.script('getUpdates', webhookConflict);
    const run = await t.start();
    await t.clock.advance(5_000);
    await run.stop();

    expect(t.api.of('deleteWebhook').map(({ parameters }) => parameters)).toEqual([
      { dropPending: true },
      { dropPending: false },
    ]);
    expect(t.named('poll.pending-dropped')).toHaveLength(1);
  });

  it.each(['getMe', 'getWebhookInfo', 'deleteWebhook', 'getUpdates'] as const)(
    'retries %s for ever while Telegram is out of reach',
    async (method) => {
      const t = given({ dropPending: true });
      t.api.always.set(method, unreachable);
      const run = await t.start();
      await t.clock.advance(24 * 3600_000);
      t.api.always.delete(method);
      await t.clock.advance(30_000);

      expect(t.named('poll.started')).toHaveLength(1);
      const waits = t.named('poll.failed').map((event) => 'retryInMs' in event && event.retryInMs);
      expect(waits.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
      expect(t.named('poll.recovered')).toHaveLength(1);
      await run.stop();
    },
  );

  it.each([
    [401, 'getMe'],
    [404, 'getMe'],
    [401, 'getUpdates'],
  ] as const)('ends at once on %d to %s', async (code, method) => {
    const t = given();
    t.api.always.set(method, refused(code, 'Nope'));
    const { error, fetched } = await (await t.start()).end;

    expect(error).toMatchObject({ code: 'TOKEN_REFUSED', exitCode: 78 });
    expect(error?.message).toContain(`${code} Nope`);
    expect(fetched).toBe(0);
    expect(t.clock.now()).toBe(0);
  });

  it('removes a webhook that appears before the first poll, and goes on', async () => {
    const t = given();
    t.api.script('getUpdates', webhookConflict);
    t.api.script(
      'getWebhookInfo',
      ok({ url: '', pendingUpdateCount: 0 }),
      ok({ url: 'https://other.example/', pendingUpdateCount: 0 }),
    );
    const run = await t.start();
    await t.clock.advance(5_000);

    expect(t.named('poll.webhook-deleted')).toMatchObject([{ host: 'other.example' }]);
    expect(t.named('poll.started')).toHaveLength(1);
    await run.stop();
  });

  it('ends with WEBHOOK_ACTIVE on a webhook before the first poll when removing is forbidden', async () => {
    const t = given({ deleteWebhook: false });
    t.api.script('getUpdates', webhookConflict);
    t.api.script(
      'getWebhookInfo',
      ok({ url: '', pendingUpdateCount: 0 }),
      ok({ url: 'https://other.example/', pendingUpdateCount: 0 }),
    );
    const { error } = await (await t.start()).end;
    expect(error).toMatchObject({ code: 'WEBHOOK_ACTIVE', culprit: 'other.example' });
  });
});

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

describe('what is done about a failure', () => {
  it('backs off while Telegram is out of reach, and tells of the gap at the end', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), unreachable, unreachable, refused(502, 'Bad Gateway'), updates());
    const run = await t.start();
    await t.clock.advance(3_500);

    expect(t.named('poll.failed')).toMatchObject([
      { class: 'unreachable', attempt: 1, retryInMs: 500 },
      { class: 'unreachable', attempt: 2, retryInMs: 1_000 },
      { class: 'unreachable', attempt: 3, retryInMs: 2_000, detail: '502 Bad Gateway' },
    ]);
    expect(t.named('poll.recovered')).toEqual([{ event: 'poll.recovered', gapMs: 3_500, failures: 3 }]);
    await run.stop();
  });

  it('begins each row of failures with a short wait', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), unreachable, unreachable, updates(1), unreachable, updates());
    const run = await t.start();
    await t.clock.advance(5_000);
    expect(t.named('poll.failed')).toMatchObject([
      { retryInMs: 500 },
      { retryInMs: 1_000 },
      { retryInMs: 500, attempt: 1 },
    ]);
    await run.stop();
  });

  it('waits exactly as long as a 429 says', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), refused(429, 'Too Many Requests', 37), updates(1));
    const run = await t.start();
    await t.clock.advance(36_999);
    expect(t.batches).toEqual([]);
    await t.clock.advance(1);
    expect(t.batches).toEqual([[1]]);
    expect(t.named('poll.rate-limited')).toEqual([{ event: 'poll.rate-limited', retryAfterSeconds: 37 }]);
    await run.stop();
  });

  it('outlives another poller, warning once, with long polls that leave the other no gap', async () => {
    const t = given();
    t.api.script('getUpdates', updates(), conflict, conflict, updates(1));
    const run = await t.start();
    await t.clock.advance(8_000);

    expect(t.named('poll.conflict')).toMatchObject([{ by: 'poller', patienceLeftMs: 120_000 }]);
    expect(t.named('poll.recovered')).toEqual([{ event: 'poll.recovered', gapMs: 8_000, failures: 2 }]);
    expect(t.batches).toEqual([[1]]);
    expect(polls(t.api).slice(1)).toEqual(
      polls(t.api)
        .slice(1)
        .map(() => expect.objectContaining({ timeoutSeconds: 50 })),
    );
    await run.stop();
  });

  it.each([
    ['poller', conflict],
    ['webhook', webhookConflict],
  ])('ends with POLL_CONFLICT when the patience with a %s is over', async (by, answer) => {
    const t = given();
    t.api.script('getUpdates', updates());
    t.api.script('getWebhookInfo', ok({ url: '', pendingUpdateCount: 0 }));
    t.api.always.set('getWebhookInfo', ok({ url: 'https://other.example/', pendingUpdateCount: 0 }));
    t.api.always.set('getUpdates', answer);
    const run = await t.start();
    await t.clock.advance(119_999);
    expect(t.named('poll.stopped')).toEqual([]);
    await t.clock.advance(1);

    expect((await run.end).error).toMatchObject({ code: 'POLL_CONFLICT', exitCode: 75 });
    expect(t.named('poll.conflict')).toMatchObject([{ by }]);
    expect(t.api.of('deleteWebhook')).toEqual([]);
    expect(t.api.of('getUpdates').length).toBeLessThanOrEqual(42);
  });

  it('counts the patience with another poller across answers, and warns once, while both take updates in turns', async () => {
    const t = given();
    t.api.script('getUpdates', updates());
    for (let id = 1; id <= 60; id++)
      t.api.script('getUpdates', conflict, { afterMs: 500, answer: updates(id) });
    const run = await t.start();
    await t.clock.advance(119_999);
    expect(t.named('poll.stopped')).toEqual([]);
    await t.clock.advance(2_000);

    expect((await run.end).error).toMatchObject({ code: 'POLL_CONFLICT' });
    expect(t.named('poll.conflict')).toHaveLength(1);
    expect(t.batches.length).toBeGreaterThan(20);
  });

  it.each([
    [56_000, 1],
    [56_001, 2],
  ])('takes a conflict for over when no 409 came for a whole poll and 10 s', async (calmMs, conflicts) => {
    const t = given({ conflictPatienceMs: 60_000 });
    // The wait after a conflict is 4 s here.
    const calm = { afterMs: calmMs - 10_000, answer: updates(1) };
    t.api.script('getUpdates', updates(), conflict, calm, { afterMs: 10_000, answer: conflict }, updates(2));
    const run = await t.start();
    await t.clock.advance(70_000);
    expect(t.named('poll.conflict')).toHaveLength(conflicts);
    expect(t.named('poll.stopped')).toHaveLength(2 - conflicts);
    await run.stop();
  });

  it('does not count what else fails between two conflicts as patience with another poller', async () => {
    const t = given({ conflictPatienceMs: 20_000 });
    t.api.script('getUpdates', updates(), conflict, unreachable, conflict, updates(1), conflict, unreachable);
    t.api.always.set('getUpdates', conflict);
    const run = await t.start();
    // 4.5 s twice are those of an outage; of the rest each conflict takes 4 s.
    await t.clock.advance(28_999);
    expect(t.named('poll.stopped')).toEqual([]);
    await t.clock.advance(1);
    expect((await run.end).error).toMatchObject({ code: 'POLL_CONFLICT' });
    expect(t.named('poll.conflict')).toHaveLength(1);
  });

  it.each([
    ['another poller', 'getUpdates', conflict],
    ['a refused token', 'getMe', refused(401, 'Unauthorized')],
    ['a rejection', 'getUpdates', refused(400, 'Bad Request')],
  ] as const)(
    'does not take %s before and after an outage for one that lasted',
    async (_, method, answer) => {
      const t = given();
      t.api.script('getMe', ok(me)).script('getUpdates', updates());
      if (method === 'getMe') t.api.script('getUpdates', answer);
      t.api.script(method, answer);
      t.api.always.set(method, unreachable);
      const run = await t.start();
      await t.clock.advance(180_000);
      t.api.script(method, answer);
      await t.clock.advance(15_000);
      t.api.always.delete(method);
      await t.clock.advance(15_000 + POLL_MS);

      expect(t.named('poll.stopped')).toEqual([]);
      expect(t.named('poll.recovered')).not.toEqual([]);
      await run.stop();
    },
  );

  it('believes that a good token was revoked only when getMe says so for a minute', async () => {
    const t = given();
    t.api.script('getMe', ok(me));
    t.api.script('getUpdates', updates(), refused(401, 'Unauthorized'));
    t.api.always.set('getMe', refused(401, 'Unauthorized'));
    const run = await t.start();
    await t.clock.advance(60_999);
    expect(t.named('poll.stopped')).toEqual([]);
    await t.clock.advance(1);
    expect((await run.end).error).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(t.named('poll.token-doubted')).toMatchObject([{ detail: '401 Unauthorized' }]);
    expect(t.api.of('getMe').length).toBeLessThan(30);
  });

  it('goes on polling when getMe finds the token good, but in no hurry', async () => {
    const t = given();
    t.api.script('getUpdates', updates());
    t.api.always.set('getUpdates', refused(401, 'Unauthorized'));
    const run = await t.start();
    await t.clock.advance(600_000);
    expect(t.named('poll.stopped')).toEqual([]);
    expect(t.api.of('getUpdates').length).toBeLessThan(250);
    expect(t.named('poll.token-doubted').length).toBe(t.api.of('getUpdates').length - 1);
    t.api.always.set('getUpdates', updates(1));
    await t.clock.advance(5_000);
    expect(t.named('poll.recovered')).toHaveLength(1);
    await run.stop();
  });

  it('does not take an unreachable Telegram for a refused token', async () => {
    const t = given();
    t.api.script('getMe', ok(me));
    t.api.script('getUpdates', updates(), refused(401, 'Unauthorized'));
    t.api.always.set('getMe', unreachable);
    const run = await t.start();
    await t.clock.advance(3600_000);
    expect(t.named('poll.stopped')).toEqual([]);
    t.api.always.delete('getMe');
    await t.clock.advance(60_000);
    expect(t.named('poll.recovered')).toHaveLength(2);
    await run.stop();
  });

  it('retries a rejected request loudly, and ends with POLL_REJECTED after 2 minutes', async () => {
    const t = given();
    t.api.script('getUpdates', updates());
    t.api.always.set('getUpdates', refused(400, 'Bad Request: allowed_updates'));
    const run = await t.start();
    await t.clock.advance(119_999);
    expect(t.named('poll.rejected').length).toBe(t.api.of('getUpdates').length - 1);
    expect(t.named('poll.rejected')[0]).toMatchObject({
      attempt: 1,
      retryInMs: 500,
      patienceLeftMs: 120_000,
    });
    await t.clock.advance(1);
    expect((await run.end).error).toMatchObject({ code: 'POLL_REJECTED', exitCode: 70 });
  });

  it('ends when accept rejects, with its own error or with a fault that wraps it', async () => {
    const own = new LastcallError('HANDLERS_EXHAUSTED', 'handlers', 'too many');
    for (const [thrown, expected] of [
      [own, own],
      [new Error('disk full'), expect.objectContaining({ code: 'INTAKE_FAILED', exitCode: 70 })],
    ]) {
      const t = given({ accept: () => Promise.reject(thrown) });
      t.api.script('getUpdates', updates(5));
      const end = await (await t.start()).end;
      expect(end.error).toEqual(expected);
      expect(end).toMatchObject({ fetched: 1, confirmedUpTo: undefined });
      expect(t.api.offsets).toEqual([1]);
    }
  });

  it('ends with a fault when the API breaks its contract', async () => {
    const t = given();
    t.api.getUpdates = () => Promise.reject(new TypeError('a bug'));
    expect((await (await t.start()).end).error).toMatchObject({ code: 'INTAKE_FAILED' });
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

describe('the final confirm', () => {
  it('waits for the batch in work, then confirms as far as accept says', async () => {
    let accepted: (offset: number | undefined) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(5, 6, 7));
    const run = await t.start();
    await t.clock.advance(1_000);
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(60_000);
    expect(t.api.offsets).toEqual([1]);
    accepted(7);

    expect(await run.end).toEqual({ fetched: 3, unconfirmed: 0, confirmedUpTo: 6 });
    expect(polls(t.api)[1]).toEqual({
      offset: 7,
      timeoutSeconds: 0,
      limit: 1,
      allowedUpdates: ['message', 'poll'],
    });
    expect(t.api.of('getUpdates')[1]?.timeoutMs).toBe(1_000);
    expect(t.named('poll.confirmed')).toEqual([{ event: 'poll.confirmed', offset: 7 }]);
  });

  it('confirms nothing when accept says that nothing may be', async () => {
    let accepted: (offset: number | undefined) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((resolve) => {
          accepted = resolve;
        }),
    });
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await run.stop();
    accepted(undefined);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: undefined });
    expect(t.api.offsets).toEqual([1]);
  });

  it('reports a rejection of the batch in work', async () => {
    let rejected: (error: Error) => void = () => {};
    const t = given({
      accept: () =>
        new Promise((_, reject) => {
          rejected = reject;
        }),
    });
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await run.stop();
    rejected(new Error('disk full'));
    expect((await run.end).error).toMatchObject({ code: 'INTAKE_FAILED' });
  });

  it('is left out when a poll from there was answered, even if the next has just begun', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5));
    const run = await t.start();
    await t.clock.advance(POLL_MS);
    expect(t.api.offsets).toEqual([1, 6, 6]);
    expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: 5 });
    expect(t.api.offsets).toHaveLength(3);
  });

  it.each([1, 249, 250, 40_000])(
    'goes one lower first when a poll from there has no answer after %d ms, so that Telegram does not hold it',
    async (afterMs) => {
      const t = given();
      t.api.script('getUpdates', updates(5));
      const run = await t.start();
      await t.clock.advance(afterMs);
      expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 0, confirmedUpTo: 5 });
      expect(t.api.offsets).toEqual([1, 6, 5, 6]);
      expect(t.named('poll.confirmed')).toEqual([{ event: 'poll.confirmed', offset: 6 }]);
    },
  );

  it('does not take a poll on a half-open connection for heard', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang');
    t.api.always.set('getUpdates', 'hang');
    const run = await t.start();
    await t.clock.advance(40_000);
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(1_000);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toMatchObject([{ offset: 6 }]);
  });

  it('is sent when the poll from there failed, however long it took', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), { afterMs: 5_000, answer: unreachable });
    const run = await t.start();
    await t.clock.advance(5_100);
    expect(await run.stop()).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 6]);
  });

  it('is tried again while its time lasts', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang', unreachable, unreachable, updates(), updates());
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    expect(t.poller.latestEnd).toBe(1_000);
    await t.clock.advance(300);
    expect(await run.end).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 4, 3, 6]);
  });

  it('goes still lower when a try failed, which Telegram may have heard', async () => {
    const t = given();
    const cut = { kind: 'unreachable', why: 'cut', detail: 'aborted after 9 bytes of the body' } as const;
    t.api.script('getUpdates', updates(5), 'hang', updates(), cut);
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(100);
    expect(await run.end).toMatchObject({ confirmedUpTo: 5 });
    expect(t.api.offsets).toEqual([1, 6, 5, 6, 4, 6]);
  });

  it('never asks for a negative offset, which would make Telegram forget', async () => {
    const t = given();
    t.api.script('getUpdates', updates(1), 'hang', unreachable, unreachable, unreachable);
    const run = await t.start();
    expect(await run.stop()).toBe('waits');
    await t.clock.advance(1_000);
    expect(await run.end).toMatchObject({ confirmedUpTo: 1 });
    expect(t.api.offsets).toEqual([1, 2, 1, 1, 1, 1, 2]);
  });

  it('is given up when its time is over, and says so', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang');
    t.api.always.set('getUpdates', 'hang');
    const run = await t.start();
    await run.stop();
    await t.clock.advance(1_000);
    expect(await run.end).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toMatchObject([{ offset: 6, detail: 'timeout: no answer' }]);
    expect(t.clock.pending).toBe(0);
  });

  it('is given up at once when Telegram refuses it', async () => {
    const t = given();
    t.api.script('getUpdates', updates(5), 'hang', refused(429, 'Too Many Requests', 30));
    const run = await t.start();
    expect(await run.stop()).toEqual({ fetched: 1, unconfirmed: 1, confirmedUpTo: undefined });
    expect(t.named('poll.confirm-failed')).toHaveLength(1);
  });

  it('counts what comes again: of the last batch only what was done with', async () => {
    const t = given({ accept: (batch) => Promise.resolve(batch.length > 1 ? 7 : undefined) });
    t.api.script('getUpdates', updates(5, 6, 7), 'hang', refused(429, 'Too Many Requests', 30));
    const run = await t.start();
    expect(await run.stop()).toEqual({ fetched: 3, unconfirmed: 2, confirmedUpTo: undefined });
  });

  it('is sent when a failure ends the run, too', async () => {
    const t = given({ conflictPatienceMs: 0 });
    t.api.script('getUpdates', updates(5), conflict);
    const end = await (await t.start()).end;
    expect(end).toMatchObject({ confirmedUpTo: 5, error: { code: 'POLL_CONFLICT' } });
    expect(t.api.offsets).toEqual([1, 6, 5, 6]);
  });

  it('leaves to Telegram what was answered in the moment of the stop', async () => {
    const t = given();
    const controller = new AbortController();
    t.api.getUpdates = () => {
      controller.abort(reason);
      return Promise.resolve(updates(5));
    };
    expect(await t.poller.run(controller.signal)).toEqual({
      fetched: 0,
      unconfirmed: 0,
      confirmedUpTo: undefined,
    });
    expect(t.batches).toEqual([]);
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
