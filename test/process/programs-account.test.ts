/** What a Bot API server sees of lastcall's own requests, and what it may leave out of its answers. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { fixture, spawnDaemon } from '../support/daemon.js';
import { closeHttpApis, startHttpApi } from '../support/http-api.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

afterEach(closeHttpApis);

const results: Readonly<Record<string, unknown>> = {
  // A person's account, as with `apiMode: 'user'`.
  getMe: { id: 4711, is_bot: false, first_name: 'Ada' },
  getWebhookInfo: { url: '', has_custom_certificate: false, pending_update_count: 0 },
  getUpdates: [],
};

it('an account without a username is polled, by requests that say who makes them', async () => {
  const api = await startHttpApi((response, { url }) => {
    const method = url?.split('/').at(-1) ?? '';
    response.end(JSON.stringify({ ok: true, result: results[method] ?? true }));
  });
  await using daemon = spawnDaemon({
    args: ['run', fixture('bots', 'readme.js')],
    env: { BOT_TOKEN: newToken(), TELEGRAM_API_ROOT: api.apiRoot },
  });
  await daemon.waitFor('poll.started');
  expect(await daemon.waitFor('poll.connected')).toMatchObject({
    id: 4711,
    msg: expect.stringContaining('4711'),
  });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  const agents = new Set(api.received.map(({ headers }) => headers['user-agent']));
  expect([...agents]).toEqual([expect.stringMatching(/^lastcall\/\d+\.\d+\.\d+$/)]);
});
