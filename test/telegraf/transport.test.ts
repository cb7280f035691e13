import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import type { Answer, CallOptions } from '../../src/polling/bot-api.js';
import { createBotApi, type TelegramClient } from '../../src/telegraf/transport.js';
import { FakeClock, settle } from '../support/fake-clock.js';

const SECRET = 'AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc';
const TOKEN = `123456:${SECRET}`;
const reason = new Error('stop');

type Handler = (response: http.ServerResponse, request: Received) => void;

interface Received {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
  /** The number of the connection it came on, from 1. */
  readonly connection: number;
  /** The number of the request on its connection, from 1. */
  readonly turn: number;
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server on loopback that answers as it is told, and the client under test, on a clock that stands still. */
async function serve(handler: Handler, options: Partial<TelegramClient['options']> = {}) {
  const received: Received[] = [];
  const sockets: Socket[] = [];
  const turns = new Map<Socket, number>();
  const server = http.createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const turn = (turns.get(request.socket) ?? 0) + 1;
    turns.set(request.socket, turn);
    const { url = '', headers, socket } = request;
    const connection = sockets.indexOf(socket) + 1;
    received.push({ url, headers, socket, connection, turn, body: Buffer.concat(chunks).toString() });
    server.emit('received');
    handler(response, received.at(-1) as Received);
  });
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new FakeClock();
  const api = createBotApi(
    { token: TOKEN, options: { apiRoot: root, apiMode: 'bot', testEnv: false, ...options } },
    clock,
  );
  cleanups.push(async () => {
    api.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    expect(clock.pending).toBe(0);
  });
  const controller = new AbortController();
  const callOptions: CallOptions = { signal: controller.signal, timeoutMs: 60_000 };
  return {
    api,
    clock,
    controller,
    server,
    sockets,
    received,
    root,
    poll: (options: Partial<CallOptions> = {}) =>
      api.getUpdates(
        { offset: 7, timeoutSeconds: 50, limit: 100, allowedUpdates: ['message'] },
        { ...callOptions, ...options },
      ),
    options: callOptions,
  };
}

const json = (body: unknown, status = 200): Handler => {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const html =
  (status: number): Handler =>
  (response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end(`<h1>/bot${TOKEN}/getUpdates</h1>`);
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

const ok = json({ ok: true, result: [{ update_id: 7 }] });
const hang: Handler = () => {};

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

describe('an answer', () => {
  it('of each method is parsed', async () => {
    const results: Record<string, unknown> = {
      getMe: { id: 1, is_bot: true, first_name: 'B', username: 'bot' },
      getWebhookInfo: { url: 'https://x.example', pending_update_count: 3, has_custom_certificate: false },
      deleteWebhook: true,
      getUpdates: [{ update_id: 7, message: {} }],
    };
    const t = await serve((response, request) =>
      json({ ok: true, result: results[request.url.split('/').at(-1) ?? ''] })(response, request),
    );
    expect(await t.api.getMe(t.options)).toEqual({ kind: 'ok', result: results['getMe'] });
    expect(await t.api.getWebhookInfo(t.options)).toEqual({
      kind: 'ok',
      result: { url: 'https://x.example', pendingUpdateCount: 3 },
    });
    expect(await t.api.deleteWebhook({ dropPending: true }, t.options)).toEqual({ kind: 'ok', result: true });
    expect(JSON.parse(t.received.at(-1)?.body ?? '')).toEqual({ drop_pending_updates: true });
    expect(await t.poll()).toEqual({ kind: 'ok', result: results['getUpdates'] });
  });

  it.each<[string, Handler, Answer<unknown>]>([
    [
      'a refusal',
      json({ ok: false, error_code: 401, description: 'Unauthorized' }, 401),
      { kind: 'refused', errorCode: 401, description: 'Unauthorized' },
    ],
    [
      'a refusal for a time',
      json({ ok: false, error_code: 429, description: 'Slow', parameters: { retry_after: 17 } }, 429),
      { kind: 'refused', errorCode: 429, description: 'Slow', retryAfterSeconds: 17 },
    ],
    [
      'a refusal that quotes the token',
      json({ ok: false, error_code: 400, description: `Bad token ${TOKEN}` }, 400),
      { kind: 'refused', errorCode: 400, description: 'Bad token <token>' },
    ],
    ['HTML with 502', html(502), { kind: 'unreachable', why: 'http', detail: 'HTTP 502 Bad Gateway' }],
    [
      'Bot API JSON with 502',
      json({ ok: false, error_code: 502, description: 'Bad Gateway' }, 502),
      { kind: 'unreachable', why: 'http', detail: 'HTTP 502 Bad Gateway' },
    ],
    [
      'Bot API JSON that means 500',
      json({ ok: false, error_code: 500, description: 'Internal Server Error: restart' }),
      { kind: 'unreachable', why: 'http', detail: '500 Internal Server Error: restart' },
    ],
    [
      'HTML with 404',
      html(404),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 404 Not Found, 66 characters of text/html that are no Bot API answer',
      },
    ],
    [
      'HTML with 200',
      html(200),
      {
        kind: 'unreachable',
        why: 'not-json',
        detail: 'HTTP 200 OK, 66 characters of text/html that are no Bot API answer',
      },
    ],
    [
      'a redirect',
      (response) =>
        response
          .writeHead(302, { location: `https://user:pass@portal.example/login?from=/bot${TOKEN}/getMe` })
          .end(),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 302 Found, a redirect to https://portal.example/…',
      },
    ],
    [
      'a redirect within the server',
      (response) => response.writeHead(301, { location: `/bot${TOKEN}/getMe` }).end(),
      {
        kind: 'unreachable',
        why: 'http',
        detail: 'HTTP 301 Moved Permanently, a redirect to /bot<token>/getMe',
      },
    ],
  ])('%s', async (_, handler, expected) => {
    const t = await serve(handler);
    const answer = await t.poll();
    expect(answer).toEqual(expected);
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });

  it.each<[string, unknown]>([
    ['no JSON', undefined],
    ['a JSON list', []],
    ['null', null],
    ['JSON of another service', { status: 'ok' }],
    ['a refusal without a code', { ok: false, description: 'no' }],
    ['a result that is no list', { ok: true, result: {} }],
    ['no result', { ok: true }],
    ['a list of no objects', { ok: true, result: [7] }],
    ['an update without an id', { ok: true, result: [{ update_id: 1 }, { message: {} }] }],
    ['an update with an id that is no integer', { ok: true, result: [{ update_id: '1' }] }],
  ])('that is no answer to getUpdates is none of Telegram: %s', async (_, body) => {
    const t = await serve(json(body));
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'not-json' });
  });

  it.each([
    ['getMe', { ok: true, result: { id: 'x' } }],
    ['getWebhookInfo', { ok: true, result: { url: '' } }],
  ] as const)('that is no answer to %s is none of Telegram', async (method, body) => {
    const t = await serve(json(body));
    expect(await t.api[method](t.options)).toMatchObject({ kind: 'unreachable', why: 'not-json' });
  });

  it('that never ends is broken off before it fills the memory', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const t = await serve((response) => {
      const pump = () => {
        while (response.write(chunk)) if (response.destroyed) return;
      };
      response.on('drain', pump);
      pump();
    });
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'not-json' });
  });
});

describe('a connection', () => {
  const half = '{"ok":true,"result":[{"update_id":7';
  it.each<[string, Handler, string]>([
    [
      'a body of known length is cut off in order',
      (response) => {
        response.writeHead(200, { 'content-length': 1000 }).write(half, () => response.socket?.end());
      },
      'cut',
    ],
    [
      'a body of known length is cut off by a reset',
      (response) => {
        response
          .writeHead(200, { 'content-length': 1000 })
          .write(half, () => response.socket?.resetAndDestroy());
      },
      'cut',
    ],
    [
      'a body in chunks is cut off',
      (response) => {
        response.writeHead(200).write(half, () => response.socket?.end());
      },
      'cut',
    ],
    [
      'a body that lasts as long as the connection is cut off',
      (response) => {
        response.socket?.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${half}`);
      },
      'not-json',
    ],
    [
      'the connection is reset before an answer',
      (response) => void response.socket?.resetAndDestroy(),
      'network',
    ],
    ['the connection ends before an answer', (response) => void response.socket?.end(), 'network'],
    [
      'the head of the answer is cut off',
      (response) => void response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le'),
      'network',
    ],
    ['the answer is no HTTP', (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'), 'network'],
  ])('is not waited for when %s', async (_, handler, why) => {
    const t = await serve(handler);
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why });
    expect(t.received).toHaveLength(1);
  });

  it('that nobody takes is told by its cause', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const t = await serve(ok, { apiRoot: `http://127.0.0.1:${port}` });
    expect(await t.poll()).toEqual({
      kind: 'unreachable',
      why: 'network',
      detail: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  it('is kept for the next call after an ok answer', async () => {
    const t = await serve(ok);
    for (let i = 0; i < 3; i++) expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection }) => connection)).toEqual([1, 1, 1]);
  });

  it.each<[string, Handler]>([
    ['a conflict', json({ ok: false, error_code: 409, description: 'Conflict' }, 409)],
    ['a 502', html(502)],
    ['HTML', html(200)],
    ['a wrong result', json({ ok: true, result: 1 })],
    ['a redirect', (response) => response.writeHead(302).end()],
  ])('is given up after %s', async (_, handler) => {
    const t = await serve((response, request) => (request.turn === 2 ? handler : ok)(response, request));
    await t.poll();
    const socket = t.sockets[0] as Socket;
    const closed = once(socket, 'close');
    expect(await t.poll()).not.toMatchObject({ kind: 'ok' });
    await closed;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it('that was idle and is dead is replaced at once, unasked', async () => {
    const t = await serve((response, request) => {
      if (request.connection === 1 && request.turn === 2) response.socket?.resetAndDestroy();
      else ok(response, request);
    });
    await t.poll();
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection, turn }) => [connection, turn])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  it('that has begun to answer is not replaced unasked', async () => {
    const t = await serve((response, request) => {
      if (request.turn === 2) response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le');
      else ok(response, request);
    });
    await t.poll();
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'network' });
    expect(t.received).toHaveLength(2);
  });

  it('is closed with the transport', async () => {
    const t = await serve(ok);
    await t.poll();
    const closed = once(t.sockets[0] as Socket, 'close');
    t.api.close();
    await closed;
  });
});

describe("an agent of the bot's own", () => {
  class CountingAgent extends http.Agent {
    made = 0;
    override createConnection(...parameters: Parameters<http.Agent['createConnection']>) {
      this.made++;
      return super.createConnection(...parameters);
    }
  }

  it.each(['as it is', 'through a function'])('makes the connections: %s', async (form) => {
    const agent = new CountingAgent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    const t = await serve(ok, { agent: form === 'as it is' ? agent : () => agent });
    await t.poll();
    await t.poll();
    expect(agent.made).toBe(1);
    t.api.close();
    await t.poll();
    expect(agent.made).toBe(1);
  });

  it('lends no idle connection for the call after a failure', async () => {
    const agent = new CountingAgent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    let answer: Handler = hang;
    const t = await serve((response, request) => answer(response, request), { agent });
    // Three calls side by side, as handlers make them, leave three idle connections.
    const waiting: http.ServerResponse[] = [];
    answer = (response, request) => {
      waiting.push(response);
      if (waiting.length === 3) for (const each of waiting) ok(each, request);
    };
    await Promise.all([t.poll(), t.poll(), t.poll()]);
    answer = html(502);
    expect(await t.poll()).toMatchObject({ why: 'http' });
    answer = ok;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.at(-1)).toMatchObject({ connection: 4, turn: 1 });
    expect(agent.made).toBe(4);
  });
});

describe('the time limit', () => {
  it.each<[string, Handler]>([
    ['an answer that never comes', hang],
    [
      'a body that stops',
      (response) => void response.writeHead(200, { 'content-length': 1000 }).write('{"ok"'),
    ],
    ['a body that trickles', (response) => void response.writeHead(200).write(' ')],
  ])('ends %s, and its connection', async (_, handler) => {
    const t = await serve(handler);
    const answer = t.poll({ timeoutMs: 10_000 });
    await once(t.server, 'received');
    const closed = once(t.sockets[0] as Socket, 'close');
    await t.clock.advance(9_999);
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits');
    await t.clock.advance(1);
    expect(await answer).toEqual({
      kind: 'unreachable',
      why: 'timeout',
      detail: 'no whole answer to getUpdates within 10000 ms',
    });
    await closed;
  });

  it('holds for the replacement of a dead connection, too', async () => {
    const t = await serve((response, request) => {
      if (request.turn === 2) response.socket?.resetAndDestroy();
      else if (request.connection === 1) ok(response, request);
    });
    await t.poll();
    const answer = t.poll({ timeoutMs: 10_000 });
    await once(t.server, 'received');
    await once(t.server, 'received');
    await t.clock.advance(10_000);
    expect(await answer).toMatchObject({ why: 'timeout' });
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
