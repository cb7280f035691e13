import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { createBotApi, redirectTarget } from '../../../src/telegraf/bot-api/bot-api.js';
import { settle } from '../../support/fake-clock.js';
import { cleanups, type Handler, hang, html, json, ok, reason, serve, TOKEN } from './server.js';

/** Makes a connection only when told to. */
class SlowAgent extends http.Agent {
  connect: () => void = () => {};
  override createConnection(
    options: http.ClientRequestArgs,
    done?: (error: Error | null, socket: Socket) => void,
  ) {
    this.connect = () => done?.(null, net.connect(Number(options.port), '127.0.0.1'));
    return undefined;
  }
}

describe('the request', () => {
  it.each<[string, string, { testEnv?: true; apiMode?: 'user' }]>([
    ['a bare root', '', {}],
    ['a root with a path', '/api/v2/', {}],
    ['a root with a path that lacks its last slash', '/api/v2', {}],
    ['the test environment', '', { testEnv: true }],
    ['user mode', '', { apiMode: 'user' }],
  ])('goes to the same URL as the calls of Telegraf: %s', async (_, path, options) => {
    const t = await serve(json({ ok: true, result: { id: 1, username: 'bot' } }));
    const telegram = new Telegraf(TOKEN, { telegram: { ...options, apiRoot: t.root + path } }).telegram;
    await telegram.getMe();
    const api = createBotApi(telegram, t.clock);
    cleanups.push(() => api.close());
    expect(await api.getMe(t.options)).toMatchObject({ kind: 'ok', result: { id: 1 } });
    expect(t.received[1]?.url).toBe(t.received[0]?.url);
  });

  it('is JSON of a known length, for an answer that is not packed', async () => {
    const t = await serve(ok);
    await t.poll();
    expect(t.received[0]?.headers).toMatchObject({
      'user-agent': expect.stringMatching(/^lastcall\/\d+\.\d+\.\d+/),
      'content-type': 'application/json',
      'content-length': String(t.received[0]?.body.length),
      'accept-encoding': 'identity',
    });
    expect(JSON.parse(t.received[0]?.body ?? '')).toEqual({
      offset: 7,
      timeout: 50,
      limit: 100,
      allowed_updates: ['message'],
    });
  });

  it('leaves the offset out where there is none', async () => {
    const t = await serve(ok);
    await t.api.getUpdates({ timeoutSeconds: 0, limit: 100, allowedUpdates: [] }, t.options);
    expect(JSON.parse(t.received[0]?.body ?? '')).toEqual({ timeout: 0, limit: 100, allowed_updates: [] });
  });

  it('speaks TLS to an https root, with the options of the agent that the bot was built with', async () => {
    const asked: string[] = [];
    const agent = new https.Agent({
      lookup: (host, _, done) => {
        asked.push(host);
        done(new Error(`no address for ${host}`), '', 4);
      },
    });
    const t = await serve(ok, { apiRoot: 'https://bot-api.test', agent });
    expect(await t.poll()).toEqual({
      kind: 'unreachable',
      why: 'network',
      detail: 'no address for bot-api.test',
    });
    expect(asked).toEqual(['bot-api.test']);
    expect(Object.keys(agent.sockets)).toEqual([]);
  });

  it('is not sent any more once it was aborted', async () => {
    const agent = new SlowAgent();
    const t = await serve(ok, { agent });
    const aborted = t.poll();
    await settle();
    t.controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    agent.connect();
    await once(t.server, 'connection');
    await settle();
    const next = t.poll({ signal: new AbortController().signal });
    await settle();
    agent.connect();
    expect(await next).toMatchObject({ kind: 'ok' });
    expect(t.received).toHaveLength(1);
  });
});

describe('a limit', () => {
  it('ends an answer that never comes, and its connection', async () => {
    const t = await serve(hang);
    const alive: number[] = [];
    const answer = t.poll({ answerWithinMs: 10_000, alive: (ms) => void alive.push(ms) });
    await once(t.server, 'received');
    const closed = once(t.sockets[0] as Socket, 'close');
    await t.clock.advance(9_999);
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits');
    await t.clock.advance(1);
    expect(await answer).toEqual({
      kind: 'unreachable',
      why: 'timeout',
      detail: expect.stringMatching(/^getUpdates: no answer within 10 s from 127\.0\.0\.1:\d+$/),
    });
    expect(alive.at(-1)).toBe(10_000);
    await closed;
  });

  it.each<[string, Handler]>([
    [
      'a body of known length',
      (response) => void response.writeHead(200, { 'content-length': 1000 }).write('{"ok"'),
    ],
    ['a body in chunks', (response) => void response.writeHead(200).write('{"ok"')],
  ])('ends %s that stops', async (_, handler) => {
    const t = await serve(handler);
    const answer = t.poll();
    await once(t.server, 'received');
    await settle();
    await settle();
    await t.clock.advance(10_000);
    expect(await answer).toMatchObject({ why: 'cut', detail: expect.stringContaining('after 5 bytes') });
  });

  it('does not end a body that arrives slowly, however long that takes', async () => {
    let response: http.ServerResponse | undefined;
    const t = await serve((given) => {
      response = given;
      given.writeHead(200);
      given.write('{');
    });
    const answer = t.poll();
    await once(t.server, 'received');
    for (const part of ['"ok":true,', '"result":', '[]']) {
      await settle();
      await t.clock.advance(9_000);
      response?.write(part);
    }
    response?.end('}');
    expect(await answer).toEqual({ kind: 'ok', result: [] });
    expect(t.clock.now()).toBe(27_000);
  });

  it('ends a body that trickles', async () => {
    let response: http.ServerResponse | undefined;
    const t = await serve((given) => {
      response = given;
      given.writeHead(200);
      given.write('{');
    });
    const answer = t.poll();
    await once(t.server, 'received');
    for (let second = 0; second < 90; second += 9) {
      await settle();
      await t.clock.advance(9_000);
      response?.write(' ');
    }
    expect(await answer).toMatchObject({ why: 'cut' });
    expect(t.clock.now()).toBeLessThanOrEqual(90_000);
  });

  it('of the whole call holds where it is set', async () => {
    const t = await serve(hang);
    const answer = t.poll({ answerWithinMs: 10_000, endWithinMs: 800 });
    await once(t.server, 'received');
    await t.clock.advance(800);
    expect(await answer).toMatchObject({
      why: 'timeout',
      detail: 'no whole answer to getUpdates within 800 ms',
    });
  });

  it('names the stage: a look-up, a connection, an agent', async () => {
    const never = new https.Agent({ lookup: () => {} });
    const lookUp = await serve(ok, { apiRoot: 'https://bot-api.test', agent: never });
    const slow = await serve(ok, { agent: new SlowAgent() });
    const answers = [lookUp.poll(), slow.poll()];
    await settle();
    await Promise.all([lookUp.clock.advance(60_000), slow.clock.advance(60_000)]);
    expect(await Promise.all(answers)).toMatchObject([
      { why: 'timeout', detail: 'getUpdates: no address from the name server within 60 s' },
      { why: 'timeout', detail: 'getUpdates: no connection from the agent within 45 s' },
    ]);
  });

  it('holds for the replacement of a dead connection, too', async () => {
    const t = await serve((response, request) => {
      if (request.turn === 2) response.socket?.resetAndDestroy();
      else if (request.connection === 1) ok(response, request);
    });
    await t.poll();
    const answer = t.poll({ answerWithinMs: 10_000 });
    await once(t.server, 'received');
    await once(t.server, 'received');
    await t.clock.advance(10_000);
    expect(await answer).toMatchObject({ why: 'timeout' });
  });
});

describe('a call that cannot be made', () => {
  it.each<[string, Partial<Parameters<typeof serve>[1]>]>([
    [
      'an agent with a bad certificate',
      { apiRoot: 'https://127.0.0.1:9', agent: new https.Agent({ cert: 'no' }) },
    ],
    ['an agent that is none', { agent: () => 1 as never }],
  ])('is told, and tried again: %s', async (_, options) => {
    const t = await serve(ok, options);
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'network' });
  });

  it('because the server speaks another protocol is told at once', async () => {
    const t = await serve((response) => {
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    });
    expect(await t.poll()).toMatchObject({ why: 'network' });
  });
});

describe('a redirect', () => {
  it.each([307, 308])('%s is followed with the same request', async (status) => {
    const t = await serve((response, request) => {
      if (request.url.startsWith('/there/')) ok(response, request);
      else response.writeHead(status, { location: `/there${request.url}` }).end();
    });
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received[1]?.body).toBe(t.received[0]?.body);
  });

  it('is followed a few times only', async () => {
    const t = await serve((response, { url }) => response.writeHead(308, { location: url }).end());
    expect(await t.poll()).toMatchObject({ why: 'http', detail: expect.stringContaining('a redirect to') });
    expect(t.received).toHaveLength(11);
  });

  it('to an address in clear is not followed from an encrypted one', () => {
    const from = new URL('https://bot-api.test/bot1:a/getMe');
    expect(redirectTarget(from, 'http://bot-api.test/')).toBeUndefined();
    expect(redirectTarget(from, '//other.test/x')?.href).toBe('https://other.test/x');
    expect(redirectTarget(from, 'http://[')).toBeUndefined();
  });
});

describe('an abort', () => {
  it('that came before keeps the call from being made', async () => {
    const t = await serve(ok);
    t.controller.abort(reason);
    await expect(t.poll()).rejects.toBe(reason);
    expect(t.sockets).toEqual([]);
  });

  it.each<[string, Handler]>([
    ['before the answer', hang],
    [
      'within the body',
      (response) => void response.writeHead(200, { 'content-length': 1000 }).write('{"ok"'),
    ],
  ])('ends the call with its reason, and the connection: %s', async (_, handler) => {
    const t = await serve(handler);
    const outcome = t.poll().catch((thrown: unknown) => thrown);
    await once(t.server, 'received');
    const closed = once(t.sockets[0] as Socket, 'close');
    t.controller.abort(reason);
    await settle();
    expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe(reason);
    await closed;
  });

  it('in the moment after the answer leaves the connection to the next call', async () => {
    const t = await serve(ok);
    const { parse } = JSON;
    cleanups.push(() => (JSON.parse = parse));
    JSON.parse = (text: string) => {
      JSON.parse = parse;
      queueMicrotask(() => t.controller.abort(reason));
      return parse(text);
    };
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.controller.signal.aborted).toBe(true);
    expect(await t.poll({ signal: new AbortController().signal })).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it('in the moment in which an idle connection is thrown away ends the call', async () => {
    const agent = new http.Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    const waiting: http.ServerResponse[] = [];
    let answer: Handler = (response, request) => {
      waiting.push(response);
      if (waiting.length === 2) for (const each of waiting) ok(each, request);
    };
    const t = await serve((response, request) => answer(response, request), { agent });
    await Promise.all([t.poll(), t.poll()]);
    answer = html(502);
    expect(await t.poll()).toMatchObject({ why: 'http' });
    answer = hang;
    const outcome = t.poll().catch((thrown: unknown) => thrown);
    // Behind the turn in which the agent hands the idle connection out.
    process.nextTick(() => t.controller.abort(reason));
    await settle();
    expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe(reason);
    expect(t.received).toHaveLength(3);
  });

  it('leaves no listener on a signal that outlives the call', async () => {
    const t = await serve(ok);
    let listeners = 0;
    const { signal } = t.controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      listeners++;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      listeners--;
      remove(...parameters);
    };
    await t.poll();
    expect(listeners).toBe(0);
  });
});
