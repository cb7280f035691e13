import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Telegraf, TelegramError } from 'telegraf';
import { rememberClient, rememberErrorClass } from '../../../src/telegraf/known-clients.js';
import { sendPlainCall } from '../../../src/telegraf/plain-call.js';
import { proxyAgents, silent, startProxy, type TestProxy } from '../../support/proxy.js';
import { ok, reason, serve, TOKEN } from './server.js';

rememberClient(Telegraf);
rememberErrorClass(Telegraf, TelegramError as never);

const proxies: TestProxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
});

async function silentProxy(): Promise<TestProxy> {
  const proxy = await startProxy(silent);
  proxies.push(proxy);
  return proxy;
}

/** Resolves once no connection to the proxy is open. */
async function allClosed({ open, server }: TestProxy): Promise<void> {
  while (open.size > 0) await once(server, 'closed');
}

const kinds = Object.keys(proxyAgents) as (keyof typeof proxyAgents)[];

describe.each(kinds)('a proxy that accepts and never answers, by %s,', (kind) => {
  it('keeps no connection of a poll that has had its time', async () => {
    const proxy = await silentProxy();
    const t = await serve(ok, { apiRoot: 'https://bot-api.test', agent: proxyAgents[kind](proxy.port) });
    for (let attempt = 0; attempt < 3; attempt++) {
      const poll = t.poll();
      await once(proxy.server, 'asked');
      await t.clock.advance(45_000);
      expect(await poll).toMatchObject({
        why: 'timeout',
        detail: 'getUpdates: no connection from the agent within 45 s',
      });
      await allClosed(proxy);
    }
  });

  it('keeps no connection of a poll that was aborted', async () => {
    const proxy = await silentProxy();
    const t = await serve(ok, { apiRoot: 'https://bot-api.test', agent: proxyAgents[kind](proxy.port) });
    const poll = t.poll();
    await once(proxy.server, 'asked');
    t.controller.abort(reason);
    await expect(poll).rejects.toBe(reason);
    await allClosed(proxy);
  });

  it("keeps no connection of a handler's call that was aborted", async () => {
    const proxy = await silentProxy();
    const agent = proxyAgents[kind](proxy.port);
    const controller = new AbortController();
    const call = sendPlainCall({
      client: {
        token: TOKEN,
        options: { apiRoot: 'https://bot-api.test', apiMode: 'bot', testEnv: false, agent },
      },
      method: 'sendMessage',
      payload: {},
      errorClass: TelegramError as never,
      signal: controller.signal,
      callByTelegraf: () => Promise.reject(new Error('not by Telegraf')),
    });
    await once(proxy.server, 'asked');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await allClosed(proxy);
  });

  it('loses only the connection of the call that is given up', async () => {
    const proxy = await silentProxy();
    const t = await serve(ok, { apiRoot: 'https://bot-api.test', agent: proxyAgents[kind](proxy.port) });
    const given = new AbortController();
    const poll = t.poll({ signal: given.signal });
    await once(proxy.server, 'asked');
    const other = t.poll();
    await once(proxy.server, 'asked');
    given.abort(reason);
    await expect(poll).rejects.toBe(reason);
    await once(proxy.server, 'closed');
    expect(proxy.open.size).toBe(1);
    t.controller.abort(reason);
    await expect(other).rejects.toBe(reason);
    await allClosed(proxy);
  });
});

describe("an agent's connection that has been handed over", () => {
  it('is kept, also where the call ends', async () => {
    class OwnAgent extends http.Agent {}
    const agent = new OwnAgent({ keepAlive: true });
    const t = await serve(ok, { agent });
    await t.poll();
    await t.poll();
    expect(t.received.map(({ connection, turn }) => ({ connection, turn }))).toEqual([
      { connection: 1, turn: 1 },
      { connection: 1, turn: 2 },
    ]);
    agent.destroy();
  });
});
