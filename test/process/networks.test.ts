/** The built program behind proxies and TLS fronts, as operators set them. */
import { once } from 'node:events';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { createAuthority } from '../support/certificates.js';
import { spawnDaemon } from '../support/daemon.js';
import { openSandbox, runBot } from '../support/delivery.js';
import { launch } from '../support/programs.js';
import {
  forwardTo,
  PROXY_PASSWORD,
  PROXY_USER,
  refusing,
  silent,
  startProxy,
  tunnelTo,
} from '../support/proxy.js';
import { MARGIN_MS } from '../support/stopping.js';
import { startTlsFront } from '../support/tls-front.js';

jest.setTimeout(20_000);

const authority = createAuthority();
afterAll(() => authority[Symbol.dispose]());

const sentCredentials = Buffer.from(`${PROXY_USER}:${PROXY_PASSWORD}`).toString('base64');
const proxyUrl = (port: number, scheme = 'http') =>
  `${scheme}://${PROXY_USER}:${PROXY_PASSWORD}@127.0.0.1:${port}`;
const portOf = ({ apiRoot }: { readonly apiRoot: string }): number => Number(new URL(apiRoot).port);

/** A front with TLS for the sandbox: Telegraf takes an agent only to an https root. */
async function withTls(sandbox: { readonly apiRoot: string }) {
  const front = await startTlsFront(authority.issue(), portOf(sandbox));
  const env = {
    TELEGRAM_API_ROOT: `https://127.0.0.1:${front.port}`,
    NODE_EXTRA_CA_CERTS: authority.file,
  };
  return { port: front.port, env, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() };
}

function expectNoPassword(output: string): void {
  expect(output).not.toContain(PROXY_PASSWORD);
  expect(output).not.toContain(sentCredentials);
}

describe('a certificate of a private authority', () => {
  it('is refused with the next step, and believed with NODE_EXTRA_CA_CERTS', async () => {
    await using sandbox = await openSandbox();
    await using front = await startTlsFront(authority.issue(), portOf(sandbox));
    const env = { TELEGRAM_API_ROOT: `https://127.0.0.1:${front.port}` };
    await using without = runBot(sandbox, 'echo', { env });
    const { detail } = await without.waitFor(
      ({ event, attempt }) => event === 'poll.failed' && attempt === 2,
    );
    expect(detail).toContain('NODE_EXTRA_CA_CERTS');
    expect(await without.stop()).toMatchObject({ code: 0 });

    await using daemon = runBot(sandbox, 'echo', { env: { ...env, NODE_EXTRA_CA_CERTS: authority.file } });
    const { answers } = await sandbox.ask({ chat: 1, text: 'hello' });
    expect(answers).toHaveLength(1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('a proxy with a password', () => {
  it.each<[string, Record<string, string>]>([
    ['for all calls', {}],
    ['chosen for each call', { FOR_EACH_CALL: 'yes' }],
  ])('carries polls and answers, and its password is in no output: %s', async (_, more) => {
    await using sandbox = await openSandbox();
    await using front = await withTls(sandbox);
    await using proxy = await startProxy(tunnelTo(front.port));
    await using daemon = launch(sandbox, 'by-agent.js', {
      env: { ...front.env, ...more, PROXY: proxyUrl(proxy.port) },
    });
    const { answers } = await sandbox.ask({ chat: 1, text: 'hello' });
    expect(answers).toHaveLength(1);
    expect(proxy.asked.length).toBeGreaterThanOrEqual(2);
    sandbox.say({ chat: 1, text: 'fail' });
    const { err } = await daemon.waitFor('handler.failed');
    expect(err).toMatchObject({ message: 'the proxy does not take ***' });
    expect(proxy.asked.every((request) => request.includes(sentCredentials))).toBe(true);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expectNoPassword(daemon.output);
  });

  it.each([
    ['refuses each call', 'http', refusing('407 Proxy Authentication Required'), '407'],
    ['never answers', 'socks5', silent, undefined],
  ])(
    'that %s keeps no stop waiting, and its password is in no output',
    async (_, scheme, behaviour, words) => {
      await using sandbox = await openSandbox();
      await using proxy = await startProxy(behaviour);
      await using daemon = launch(sandbox, 'by-agent.js', {
        env: { TELEGRAM_API_ROOT: 'https://127.0.0.1:1', PROXY: proxyUrl(proxy.port, scheme) },
      });
      await once(proxy.server, 'asked');
      if (words !== undefined) expect((await daemon.waitFor('poll.failed'))['detail']).toContain(words);
      const end = await daemon.stop();
      expect(end).toMatchObject({ code: 0 });
      expect(end.tookMs).toBeLessThan(MARGIN_MS);
      expectNoPassword(daemon.output);
    },
  );

  it('that cannot be used is refused without its password', async () => {
    await using sandbox = await openSandbox();
    await using daemon = launch(sandbox, 'by-agent.js', { env: { PROXY: proxyUrl(99_999) } });
    await daemon.end();
    expect(daemon.output).toContain('Invalid URL');
    expectNoPassword(daemon.output);
  });

  it('is not shown by lastcall config', async () => {
    await using daemon = spawnDaemon({ args: ['config'], env: { HTTPS_PROXY: proxyUrl(1) } });
    await daemon.end();
    expectNoPassword(daemon.output);
  });
});

describe('an agent with one connection', () => {
  it('has one for an answer beside the long poll', async () => {
    await using sandbox = await openSandbox();
    await using front = await withTls(sandbox);
    await using daemon = launch(sandbox, 'by-agent.js', { env: front.env });
    await sandbox.ask({ chat: 1, text: 'first' });
    const from = performance.now();
    await sandbox.ask({ chat: 1, text: 'second' });
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

const [major = 0] = process.versions.node.split('.').map(Number);
const withEnvProxy = major >= 24 ? describe : describe.skip;

withEnvProxy('NODE_USE_ENV_PROXY, which Node has from 24 on,', () => {
  it('holds for polls and answers alike, to an http root', async () => {
    await using sandbox = await openSandbox({ hostNames: ['bot-api.invalid'] });
    await using proxy = await startProxy(forwardTo(portOf(sandbox)));
    await using daemon = runBot(sandbox, 'echo', {
      env: {
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: proxyUrl(proxy.port),
        TELEGRAM_API_ROOT: 'http://bot-api.invalid:8081',
      },
    });
    const { answers } = await sandbox.ask({ chat: 1, text: 'hello' });
    expect(answers).toHaveLength(1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expectNoPassword(daemon.output);
  });

  it('goes past the proxy to a host of NO_PROXY', async () => {
    await using sandbox = await openSandbox();
    await using proxy = await startProxy(refusing('502 Bad Gateway'));
    await using daemon = runBot(sandbox, 'echo', {
      env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl(proxy.port), NO_PROXY: '127.0.0.1' },
    });
    await sandbox.ask({ chat: 1, text: 'hello' });
    expect(proxy.asked).toEqual([]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});
