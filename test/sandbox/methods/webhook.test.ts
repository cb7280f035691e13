import { describe, expect, it } from '@jest/globals';
import { openTestSandbox, pollWaits } from '../test-sandbox.js';

describe('a webhook', () => {
  const url = 'https://bot.example/hook';

  it('ends the waiting poll and refuses later polls', async () => {
    const testSandbox = await openTestSandbox();
    const { clock, call } = testSandbox;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    expect(await call('setWebhook', { url })).toEqual({
      ok: true,
      result: true,
      description: 'Webhook was set',
    });
    expect(await poll).toMatchObject({
      error_code: 409,
      description: 'Conflict: terminated by setWebhook request',
    });
    const refused = call('getUpdates');
    await testSandbox.sandbox.waitFor(() => testSandbox.sandbox.state().conflicts === 2);
    await clock.advance(3_000);
    expect(await refused).toMatchObject({
      error_code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
  });

  it('is shown with the number of pending updates', async () => {
    const { sandbox, call } = await openTestSandbox();
    await call('setWebhook', { url, allowed_updates: ['message'] });
    sandbox.say({ text: '{n}', count: 3 });
    expect((await call('getWebhookInfo')).result).toEqual({
      url,
      has_custom_certificate: false,
      pending_update_count: 3,
      max_connections: 40,
      allowed_updates: ['message'],
    });
  });

  it('is deleted, together with pending updates on request', async () => {
    const { sandbox, call } = await openTestSandbox();
    await call('setWebhook', { url });
    sandbox.say({ text: '{n}', count: 3 });
    expect(await call('deleteWebhook')).toMatchObject({ result: true, description: 'Webhook was deleted' });
    expect(sandbox.state().queued).toBe(3);
    expect(await call('deleteWebhook', { drop_pending_updates: true })).toMatchObject({
      description: 'Webhook is already deleted',
    });
    expect(sandbox.state()).toMatchObject({ queued: 0, webhookUrl: '' });
  });

  it('can be set once a second, and only to an HTTPS URL', async () => {
    const { client, clock, sandbox, call } = await openTestSandbox();
    expect(await call('setWebhook', { url: 'http://bot.example' })).toMatchObject({ error_code: 400 });
    const tooSoon = await client.send(`/bot${sandbox.token}/setWebhook?url=${url}`);
    expect(tooSoon).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(JSON.parse(tooSoon.body)).toEqual({
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    await clock.advance(1_000);
    expect((await call('setWebhook', { url })).ok).toBe(true);
  });
});
