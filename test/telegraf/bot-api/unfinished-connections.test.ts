import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Telegraf, TelegramError } from 'telegraf';
import { watchAgent } from '../../../src/telegraf/bot-api/unfinished-connections.js';
import { rememberClient, rememberErrorClass } from '../../../src/telegraf/known-clients.js';
import { sendPlainCall } from '../../../src/telegraf/plain-call.js';
import { FakeClock } from '../../support/fake-clock.js';
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

  it.each<[string, object]>([
    ['a file', { document: { source: Buffer.from('content'), filename: 'a.txt' } }],
    ['no file', { text: 'hello' }],
  ])("keeps no connection of a call with %s that Telegraf's own client makes", async (_, payload) => {
    const proxy = await silentProxy();
    const agent = proxyAgents[kind](proxy.port);
    const options = { apiRoot: 'https://bot-api.test', agent };
    const t = await serve(ok, options);
    const poll = t.poll();
    const polled = once(proxy.server, 'asked');
    const { telegram } = new Telegraf(TOKEN, { telegram: options });
    await polled;
    const given = new AbortController();
    const call = telegram.callApi('sendDocument', { chat_id: 1, ...payload } as never, {
      signal: given.signal as never,
    });
    await once(proxy.server, 'asked');
    given.abort();
    await expect(call).rejects.toThrow();
    await once(proxy.server, 'closed');
    expect(proxy.open.size).toBe(1);
    t.controller.abort(reason);
    await expect(poll).rejects.toBe(reason);
    await allClosed(proxy);
  });

  it('keeps no connection of a download for longer than that of any call', async () => {
    const proxy = await silentProxy();
    const attachmentAgent = proxyAgents[kind](proxy.port);
    const clock = new FakeClock();
    watchAgent(attachmentAgent, clock);
    const { telegram } = new Telegraf(TOKEN, { telegram: { attachmentAgent } });
    const call = telegram.sendDocument(1, { url: 'https://files.test/a.txt', filename: 'a.txt' });
    const failed = expect(call).rejects.toThrow('no connection from the agent within 500 s');
    await once(proxy.server, 'asked');
    await clock.advance(500_000);
    await failed;
    await allClosed(proxy);
  });

  it('has an agent that answers later still report to nobody', async () => {
    const proxy = await silentProxy();
    const agent = proxyAgents[kind](proxy.port);
    const clock = new FakeClock();
    watchAgent(agent, clock);
    const request = https.get('https://files.test/a.txt', { agent });
    const failed = once(request, 'error');
    await once(proxy.server, 'asked');
    await clock.advance(500_000);
    await failed;
    // Nobody listens any more: without a listener this would throw.
    request.emit('error', new Error('the proxy has hung up'));
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

describe('an agent that looks its proxy up by itself', () => {
  it('has its connection closed where it makes one for a call that was given up', async () => {
    const proxy = await silentProxy();
    const sockets: Socket[] = [];
    let answer = () => {};
    const lookedUp = new Promise<void>((resolve) => {
      answer = resolve;
    });
    class LookingUp extends http.Agent {
      async addRequest(request: http.ClientRequest): Promise<void> {
        await lookedUp;
        const socket = connect(proxy.port, '127.0.0.1');
        sockets.push(socket);
        socket.once('connect', () => request.onSocket(socket));
      }
    }
    const t = await serve(ok, { agent: new LookingUp() });
    const poll = t.poll();
    t.controller.abort(reason);
    await expect(poll).rejects.toBe(reason);
    answer();
    await lookedUp;
    const [socket] = sockets;
    if (!socket) throw new Error('nothing was begun');
    await once(socket, 'close');
    expect(proxy.open.size).toBe(0);
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
