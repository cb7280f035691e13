import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import { given, POLL_MS, polls } from './poller-harness.js';
import { conflict, me, ok, refused, unreachable, updates, webhookConflict } from './scripted-bot-api.js';

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

  it.each([
    [false, 0],
    [true, 60_000],
  ])(
    'where a poll has been answered in an earlier run (%s) doubts a first refusal of getMe for %d ms',
    async (hasPolledBefore, doubtMs) => {
      const t = given({ hasPolledBefore: () => hasPolledBefore });
      t.api.always.set('getMe', refused(401, 'Unauthorized'));
      const run = await t.start();
      if (doubtMs > 0) {
        await t.clock.advance(doubtMs - 1);
        expect(t.named('poll.stopped')).toEqual([]);
        await t.clock.advance(1);
      }
      expect((await run.end).error).toMatchObject({ code: 'TOKEN_REFUSED' });
      expect(t.named('poll.connected')).toEqual([]);
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
    // The newest poll may be waiting to be doubted.
    expect(t.named('poll.token-doubted').length).toBeGreaterThanOrEqual(t.api.of('getUpdates').length - 2);
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
