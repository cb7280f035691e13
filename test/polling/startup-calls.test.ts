import { describe, expect, it } from '@jest/globals';
import type { Me } from '../../src/polling/bot-api.js';
import { settle } from '../support/fake-clock.js';
import { given } from './poller-harness.js';
import { me, ok, refused, unreachable, webhookConflict } from './scripted-bot-api.js';

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

  it('drops nothing in a later turn to poll, before which people have gone on writing', async () => {
    const turns = [new AbortController(), new AbortController()];
    let taken = 0;
    const t = given({
      dropPending: true,
      async nextTurn() {
        const { signal } = turns[taken++] ?? new AbortController();
        return { signal, hasWaited: false, check() {}, async end() {} };
      },
    });
    const run = await t.start();
    turns[0]?.abort();
    await settle();
    await run.stop();
    expect(taken).toBe(2);
    expect(t.api.of('deleteWebhook')).toHaveLength(1);
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
    'retries %s without limit while Telegram is out of reach',
    async (method) => {
      const t = given({ dropPending: true });
      t.api.always.set(method, unreachable);
      const run = await t.start();
      await t.clock.advance(3 * 3600_000);
      t.api.always.delete(method);
      await t.clock.advance(30_000);

      expect(t.named('poll.started')).toHaveLength(1);
      const waits = t.named('poll.failed').map((event) => 'retryInMs' in event && event.retryInMs);
      expect(waits.slice(0, 6)).toEqual([500, 1_000, 2_000, 2_500, 2_500, 2_500]);
      // One line every half minute.
      expect(waits.length).toBeLessThan(3 * 120 + 6);
      expect(t.named('poll.recovered')).toHaveLength(1);
      await run.stop();
    },
  );

  it.each([401, 404])('ends at once on %d to getMe', async (code) => {
    const t = given();
    t.api.always.set('getMe', refused(code, 'Nope'));
    const { error, fetched } = await (await t.start()).end;

    expect(error).toMatchObject({ code: 'TOKEN_REFUSED', exitCode: 78 });
    expect(error?.message).toContain(`${code} Nope`);
    expect(fetched).toBe(0);
    expect(t.clock.now()).toBe(0);
  });

  it.each([
    [404, 'getWebhookInfo'],
    [401, 'getWebhookInfo'],
    [404, 'deleteWebhook'],
  ] as const)(
    'goes on without a server that answers %d to %s, where getMe is answered',
    async (code, method) => {
      const t = given({ dropPending: method === 'deleteWebhook' });
      t.api.always.set(method, refused(code, 'Nope'));
      const run = await t.start();
      await t.clock.advance(20_000);
      expect(t.named('poll.token-doubted')).toHaveLength(3);
      expect(t.named('poll.started')).toHaveLength(1);
      // What was not dropped is not claimed to be.
      expect(t.named('poll.pending-dropped')).toEqual([]);
      await run.stop();
    },
  );

  it.each([
    [401, 'deleteWebhook'],
    [401, 'getUpdates'],
  ] as const)('tries again after a passing %d to %s', async (code, method) => {
    const t = given({ dropPending: true });
    t.api.script(method, refused(code, 'Nope'));
    const run = await t.start();
    await t.clock.advance(5_000);
    expect(t.named('poll.token-doubted')).toMatchObject([{ detail: `${code} Nope` }]);
    expect(t.named('poll.pending-dropped')).toHaveLength(1);
    expect(t.named('poll.started')).toHaveLength(1);
    await run.stop();
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
