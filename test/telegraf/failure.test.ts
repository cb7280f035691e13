import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Telegram, TelegramError } from 'telegraf';
import { failureOf, retryAfterMsOf } from '../../src/telegraf/failure.js';
import { RetryLater } from '../../src/telegraf/retry-later.js';

const TOKEN = '4711:a-token-of-the-failure-tests';
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** The root of a server that answers each request as told. */
async function serve(respond: (response: ServerResponse, request: IncomingMessage) => void): Promise<string> {
  const server = createServer((received, response) => {
    received.resume().on('end', () => respond(response, received));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The root of a server that nobody can connect to. */
async function refuse(): Promise<string> {
  const root = await serve(() => {});
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return root;
}

const errorOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  );

/** The error of a call by Telegraf's own client. */
const callError = (apiRoot: string) => errorOf(new Telegram(TOKEN, { apiRoot }).sendMessage(5, 'hello'));

const kindOf = (error: unknown, { apiRoot = 'https://api.telegram.org', ofCall = false } = {}) =>
  failureOf(error, { apiRoot, errors: new WeakSet(ofCall ? [error as object] : []) }).kind;

const answer = (status: number, body: string) => (response: ServerResponse) =>
  response.writeHead(status).end(body);
const refusal = (code: number, parameters?: object) =>
  answer(code, JSON.stringify({ ok: false, error_code: code, description: 'no', parameters }));

const systemError = (fields: object, message = 'it failed') => Object.assign(new Error(message), fields);
const fetchError = (message: string, type = 'system') =>
  Object.assign(new Error(message), { name: 'FetchError', type });

describe('Telegram is out of reach', () => {
  it.each<[string, () => Promise<string>]>([
    ['that refuses connections', refuse],
    ['that resets the connection', () => serve((response) => response.socket?.resetAndDestroy())],
    ['that answers in HTML', () => serve(answer(404, '<html>'))],
    ['that answers in JSON that is not of the Bot API', () => serve(answer(200, '{"error":"no"}'))],
    ['that has an internal error', () => serve(refusal(500))],
    ['behind a proxy that says 502', () => serve(answer(502, '<html>'))],
    ['that has no address', async () => 'http://api.invalid'],
    ['that speaks no TLS', async () => (await serve(() => {})).replace('http:', 'https:')],
  ])("by the error of Telegraf's client from a server %s", async (_, start) => {
    const error = await callError(await start());
    expect(kindOf(error)).toBe('unreachable');
  });

  it.each(['system', 'request-timeout', 'body-timeout', 'invalid-json'])(
    'by an error of node-fetch of the type %s about the Bot API',
    (type) => {
      const url = 'https://api.telegram.org/bot4711:[REDACTED]/sendMessage';
      expect(kindOf(fetchError(`request to ${url} failed`, type))).toBe('unreachable');
      expect(kindOf(fetchError(`request to ${url} failed`, 'max-size'))).toBe('error');
    },
  );

  it('by an error about a file at Telegram, also of axios', () => {
    const url = 'https://api.telegram.org/file/bot4711:secret/photos/1.jpg';
    expect(kindOf(fetchError(`Invalid response body while trying to fetch ${url}: aborted`))).toBe(
      'unreachable',
    );
    const axiosError = { name: 'AxiosError', code: 'ECONNRESET', config: { url } };
    expect(kindOf(systemError(axiosError))).toBe('unreachable');
  });

  it("by an error of Node's fetch that names the host or the IP address of the API root", async () => {
    const unknownHost = await errorOf(fetch('http://api.invalid/file.jpg'));
    expect(kindOf(unknownHost, { apiRoot: 'http://api.invalid' })).toBe('unreachable');
    const apiRoot = await refuse();
    expect(kindOf(await errorOf(fetch(apiRoot)), { apiRoot })).toBe('unreachable');
  });

  it.each(['ECONNRESET', 'EAI_AGAIN', 'CERT_HAS_EXPIRED', 'ERR_SSL_WRONG_VERSION_NUMBER', 'UND_ERR_SOCKET'])(
    'by the code %s of an error that came out of an API call, or of its cause',
    (code) => {
      const error = systemError({ code });
      expect(kindOf(error, { ofCall: true })).toBe('unreachable');
      expect(kindOf(new Error('a wrapper', { cause: error }), { ofCall: true })).toBe('unreachable');
      expect(kindOf(error)).toBe('error');
    },
  );
});

describe("another server's failure is an error like any other", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["of Node's fetch", async () => errorOf(fetch(await refuse()))],
    ['of a name that is not found', () => errorOf(fetch('http://shop.invalid'))],
    [
      "of Node's https",
      () => errorOf(new Promise((_, reject) => request('https://shop.invalid').on('error', reject).end())),
    ],
    ['of node-fetch', async () => fetchError('request to https://shop.example/bot/1 failed, reason: no')],
    ['of axios', async () => systemError({ code: 'ECONNREFUSED', config: { url: 'http://shop.example' } })],
  ])('%s', async (_, fail) => {
    expect(kindOf(await fail())).toBe('error');
  });

  it('also where a call has failed because of it: a file to be uploaded from there', () => {
    const error = fetchError('request to https://shop.example/1.jpg failed, reason: no');
    expect(kindOf(error, { ofCall: true })).toBe('error');
  });

  it('and so is a file that cannot be read', async () => {
    const error = await errorOf(new Telegram(TOKEN).sendPhoto(5, { source: '/no/such/file' }));
    expect(kindOf(error, { ofCall: true })).toBe('error');
  });
});

describe('a refusal by Telegram', () => {
  it.each([400, 401, 403, 404, 409, 413])('with %i is an error', async (code) => {
    expect(kindOf(await callError(await serve(refusal(code))))).toBe('error');
  });

  it.each([
    [{ retry_after: 3 }, 3_000],
    [{ retry_after: 0 }, 1_000],
    [{ retry_after: 'soon' }, 1_000],
    [{}, 1_000],
    [undefined, 1_000],
  ])('with 429 and %j asks to wait for %i ms', async (parameters, retryAfterMs) => {
    const error = await callError(await serve(refusal(429, parameters)));
    expect(failureOf(error, { apiRoot: 'http://x', errors: new WeakSet() })).toEqual({
      kind: 'rate-limited',
      retryAfterMs,
    });
    expect(retryAfterMsOf(error)).toBe(retryAfterMs);
  });

  it('asks to wait by no other code', async () => {
    expect(retryAfterMsOf(await callError(await serve(refusal(500))))).toBeUndefined();
    expect(retryAfterMsOf(undefined)).toBeUndefined();
  });
});

describe('a handler that asks to be called later', () => {
  const failure = (error: unknown) => failureOf(error, { apiRoot: 'http://x', errors: new WeakSet() });

  it('is told by RetryLater, also by that of another copy of lastcall', () => {
    expect(failure(new RetryLater('30s'))).toEqual({ kind: 'asked', delayMs: 30_000 });
    const other = { name: 'RetryLater', delayMs: 5 };
    expect(failure(other)).toEqual({ kind: 'asked', delayMs: 5 });
  });

  it('and by nothing that only has its name', () => {
    expect(failure({ name: 'RetryLater', delayMs: '5' })).toEqual({ kind: 'error' });
    expect(failure({ name: 'RetryLater', delayMs: Number.NaN })).toEqual({ kind: 'error' });
  });
});

describe('an error that wraps others', () => {
  const tooMany = (seconds: number) =>
    new TelegramError({ error_code: 429, description: 'no', parameters: { retry_after: seconds } } as never);
  const serverError = new TelegramError({ error_code: 500, description: 'no' });

  it('is what its cause is, however deep', () => {
    expect(kindOf(new Error('a', { cause: new Error('b', { cause: serverError }) }))).toBe('unreachable');
    expect(kindOf(new Error('a', { cause: new Error('b') }))).toBe('error');
  });

  it('of several kinds asks for the longest wait, and is an error if one of them is', () => {
    const all = new AggregateError([serverError, tooMany(2), tooMany(7), new RetryLater('1s')]);
    expect(failureOf(all, { apiRoot: 'http://x', errors: new WeakSet() })).toEqual({
      kind: 'rate-limited',
      retryAfterMs: 7_000,
    });
    expect(kindOf(new AggregateError([serverError, new Error('another')]))).toBe('error');
    expect(kindOf(new AggregateError([]))).toBe('error');
    expect(kindOf(new AggregateError([serverError, serverError]))).toBe('unreachable');
  });

  it('and is wrapped by them in turn', () => {
    const circle = new Error('it goes round');
    circle.cause = new AggregateError([circle]);
    expect(kindOf(circle)).toBe('error');
  });
});

describe('whatever is thrown', () => {
  const hostile = {
    get() {
      throw new Error('do not look');
    },
  };
  const endless: object = Object.defineProperty({}, 'errors', {
    get: () => [1, 2, 3].map(() => Object.create(endless, {})),
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'FetchError'],
    ['a function', () => {}],
    ['an array', [1]],
    ['a proxy', new Proxy({}, hostile)],
    ['an error with a proxy for a cause', new Error('no', { cause: new Proxy({}, hostile) })],
    ['an object without a prototype', Object.create(null)],
    ['errors without end', endless],
    ['a message that is a symbol', { name: 'FetchError', type: 'system', message: Symbol('no') }],
    ['a message that is no text', { name: 'FetchError', type: 'system', message: Object.create(null) }],
  ])('is an error: %s', (_, thrown) => {
    expect(kindOf(thrown)).toBe('error');
    expect(retryAfterMsOf(thrown)).toBeUndefined();
  });

  it('is an error even where the API root is no address', () => {
    expect(kindOf(systemError({ code: 'ECONNREFUSED' }), { apiRoot: 'nonsense' })).toBe('error');
  });
});
