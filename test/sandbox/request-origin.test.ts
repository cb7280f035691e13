import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

const asText = { 'content-type': 'text/plain' };

describe('a request', () => {
  it.each([
    [{}],
    [{ host: 'localhost' }],
    [{ host: 'LOCALHOST:8081' }],
    [{ host: 'bot.localhost:8081' }],
    [{ host: '127.0.0.1:1' }],
    [{ host: '[::1]:8081' }],
    [{ origin: 'http://localhost:3000' }],
    [{ origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
  ])('of a program or an own page is served: %j', async (headers) => {
    const { sandbox, client } = await openTestSandbox();
    const said = await client.send('/sandbox/updates', {
      headers: { ...asText, ...headers },
      body: '{"text":"x"}',
    });
    expect(said.status).toBe(200);
    expect((await client.send(`/bot${sandbox.token}/getMe`, { headers })).status).toBe(200);
  });

  it.each([
    [{ host: 'other.example:8081' }, "the host 'other.example:8081'"],
    [{ host: 'localhost.other.example' }, 'localhost.other.example'],
    [{ host: '127.0.0.1.other.example' }, '127.0.0.1.other.example'],
    [{ host: '192.168.0.7:8081' }, '192.168.0.7'],
    [{ host: 'localhost@other.example' }, 'other.example'],
    [{ origin: 'http://other.example' }, "a web page of 'http://other.example'"],
    [{ origin: 'null' }, "'null'"],
    [{ origin: 'chrome-extension://localhost' }, 'chrome-extension'],
    [{ 'sec-fetch-site': 'cross-site' }, 'another site'],
    [{ origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'cross-site' }, 'another site'],
  ])('of a foreign page is refused: %j', async (headers, words) => {
    const { sandbox, client } = await openTestSandbox();
    const said = await client.send('/sandbox/updates', {
      headers: { ...asText, ...headers },
      body: '{"text":"x"}',
    });
    expect(said).toMatchObject({ status: 403 });
    expect(JSON.parse(said.body).error).toContain(words);
    const fault = await client.send('/sandbox/faults', { method: 'DELETE', headers });
    expect(fault.status).toBe(403);
    // A browser says so itself where it takes the page for one of this server.
    const asBrowser = { 'sec-fetch-site': 'same-origin', ...headers };
    const loggedOut = await client.send(`/bot${sandbox.token}/logOut`, { method: 'GET', headers: asBrowser });
    expect(loggedOut.status).toBe(403);
    expect(JSON.parse(loggedOut.body)).toMatchObject({
      ok: false,
      error_code: 403,
      description: expect.stringMatching(/^Forbidden: the request/),
    });
    expect(sandbox.state()).toMatchObject({ queued: 0, calls: {} });
  });

  it.each([
    [{ host: '192.168.0.7:8081' }],
    [{ host: '[fd00::7]:8081' }],
    [{ host: 'bot-api.example:8081' }],
    [{ host: 'Bot-API.example.' }],
  ])(
    'of a bot that knows the server by another address or a given name is served, but none to its controls: %j',
    async (headers) => {
      const { sandbox, client } = await openTestSandbox({ hostNames: ['Bot-API.example'] });
      expect((await client.send(`/bot${sandbox.token}/getMe`, { headers })).status).toBe(200);
      expect((await client.send('/sandbox/chats', { headers })).status).toBe(403);
    },
  );

  it.each([
    'evil.example:8081',
    '127.0.0.1.evil.example',
    'api.bot-api.example',
    'xbot-api.example',
    '1.2.3.4.5',
    'a b',
  ])('by a name that was not given is refused, as it may be of a page: %s', async (host) => {
    const { sandbox, client } = await openTestSandbox({ hostNames: ['bot-api.example'] });
    sandbox.say('secret');
    const polled = await client.send(`/bot${sandbox.token}/getUpdates`, { method: 'GET', headers: { host } });
    expect(polled.status).toBe(403);
    expect(polled.body).toContain('--host-name');
    expect(sandbox.state()).toMatchObject({ queued: 1, calls: {} });
  });
});
