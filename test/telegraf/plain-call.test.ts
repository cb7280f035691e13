import { Agent } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Context, Telegraf, Telegram, TelegramError } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { LastcallContext } from '../../src/telegraf/context.js';
import { prepareBot } from '../../src/telegraf/handling.js';
import { rememberClient, rememberErrorClass } from '../../src/telegraf/known-clients.js';
import { handlerRun } from '../support/handler-run.js';
import {
  closeHttpApis,
  isByTelegraf,
  type ReceivedRequest,
  type Respond,
  respondOk,
  startHttpApi,
} from '../support/http-api.js';
import { mendLoadedUploads } from '../support/uploads.js';

const TOKEN = '4711:a-token-of-the-call-tests';
const me = { id: 1, is_bot: true, username: 'tested_bot', first_name: 'Tested' } as const;
const update = {
  update_id: 1,
  message: {
    message_id: 1,
    date: 0,
    chat: { id: 5, type: 'private', first_name: 'Ann' },
    from: { id: 5, is_bot: false, first_name: 'Ann' },
    text: 'hello',
  },
} as Update;

type ClientOptions = NonNullable<ConstructorParameters<typeof Telegram>[1]>;

/** What a call made by a handler under lastcall comes to. */
async function underLastcall<T>(
  options: Partial<ClientOptions>,
  call: (client: Telegram) => Promise<T>,
): Promise<T> {
  const bot = new Telegraf<LastcallContext>(TOKEN, { telegram: options });
  Object.assign(bot, { botInfo: me });
  const { promise, take } = outcome<T>();
  bot.use((ctx) => take(call(ctx.telegram)));
  await prepareBot(bot).handle(update, handlerRun(), 1);
  return promise();
}

function outcome<T>() {
  let kept: Promise<T> = Promise.reject(new Error('the handler has not run'));
  kept.catch(() => {});
  return {
    promise: () => kept,
    async take(given: Promise<T>) {
      kept = given;
      await given.catch(() => {});
    },
  };
}

const underTelegraf = <T>(
  options: Partial<ClientOptions>,
  call: (client: Telegram) => Promise<T>,
): Promise<T> => call(new Telegram(TOKEN, options));

const hello = (client: Telegram) => client.sendMessage(5, 'hello');

/** All that a program can tell an error by. */
async function failureOf(failing: Promise<unknown>) {
  const error = await failing.then(
    () => {
      throw new Error('it did not fail');
    },
    (reason) => reason,
  );
  const { name, message, type, code, errno, description, parameters, response, on } = error;
  return {
    name,
    message,
    type,
    code,
    errno,
    description,
    parameters,
    response,
    on,
    isTelegramError: error instanceof TelegramError,
    isError: error instanceof Error,
  };
}

beforeAll(mendLoadedUploads);
beforeAll(() => {
  rememberClient(Telegraf);
  rememberErrorClass(Telegraf, TelegramError as never);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await closeHttpApis();
});

describe('a plain call', () => {
  it('says what Telegraf says, and brings the result', async () => {
    const { received, apiRoot } = await startHttpApi();
    const call = (client: Telegram) =>
      client.sendMessage(5, 'hällo', {
        reply_markup: { inline_keyboard: [[{ text: 'a', url: 'https://example.org' }]] },
        reply_parameters: undefined as never,
        protect_content: null as never,
      });
    expect(await underLastcall({ apiRoot }, call)).toEqual({ message_id: 7 });
    await underTelegraf({ apiRoot }, call);
    const [ours, telegrafs] = received.map(({ method, url, headers, body }) => ({
      method,
      url,
      type: headers['content-type'],
      length: headers['content-length'],
      connection: headers.connection,
      accept: headers.accept,
      body,
    }));
    expect(received.map(isByTelegraf)).toEqual([false, true]);
    expect(ours).toEqual(telegrafs);
  });

  it.each([
    ['a bot', {}, `/bot${TOKEN}/sendMessage`],
    ['a user', { apiMode: 'user' }, `/user${TOKEN}/sendMessage`],
    ['the test environment', { testEnv: true }, `/bot${TOKEN}/test/sendMessage`],
  ] as const)('goes to the address of %s', async (_, options, url) => {
    const { received, apiRoot } = await startHttpApi();
    await underLastcall({ apiRoot, ...options }, hello);
    expect(received.map((request) => request.url)).toEqual([url]);
    expect(received.map(isByTelegraf)).toEqual([false]);
  });

  it.each([
    ['an agent', (agent: Agent) => agent],
    ['a function that names one', (agent: Agent) => () => agent],
  ])('goes by what the bot was built with: %s', async (_, given) => {
    const { apiRoot } = await startHttpApi();
    const agent = new Agent({ keepAlive: true });
    const addRequest = jest.spyOn(agent, 'addRequest' as never);
    const client = (telegram: Telegram) => {
      Object.assign(telegram.options, { agent: given(agent) });
      return hello(telegram);
    };
    await underLastcall({ apiRoot }, client);
    expect(addRequest).toHaveBeenCalledTimes(1);
    agent.destroy();
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('unpacks an answer that is packed as %s, unasked', async (encoding, pack) => {
    const { apiRoot, received } = await startHttpApi((response) =>
      response
        .writeHead(200, { 'content-encoding': encoding })
        .end(pack('{"ok":true,"result":{"message_id":7}}')),
    );
    expect(await underLastcall({ apiRoot }, hello)).toEqual({ message_id: 7 });
    expect(received.map(isByTelegraf)).toEqual([false]);
  });

  it('rejects at once where the body is cut off, which Telegraf never notices', async () => {
    const { apiRoot } = await startHttpApi((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"ok":', () => response.socket?.end());
    });
    expect(await failureOf(underLastcall({ apiRoot }, hello))).toMatchObject({
      name: 'FetchError',
      type: 'system',
      code: 'ECONNRESET',
      message: expect.not.stringContaining('a-token'),
    });
  });
});

describe('a plain call that fails, fails as with Telegraf:', () => {
  const page = '<html>502</html>';
  it.each<[string, Respond]>([
    [
      'a refusal',
      (r) => r.writeHead(400).end('{"ok":false,"error_code":400,"description":"Bad Request: no"}'),
    ],
    [
      'too many requests',
      (r) =>
        r
          .writeHead(429)
          .end('{"ok":false,"error_code":429,"description":"slower","parameters":{"retry_after":5}}'),
    ],
    ['a refusal that claims 200', (r) => r.end('{"ok":false,"error_code":403,"description":"blocked"}')],
    ['nothing but JSON', (r) => r.end('{}')],
    ['a proxy that is down', (r) => r.writeHead(502).end(page)],
    ['a proxy with words of its own', (r) => r.writeHead(503, 'So Sorry').end()],
    ['a page', (r) => r.writeHead(404, { 'content-type': 'text/html' }).end(page)],
    ['no answer at all', (r) => r.socket?.destroy()],
  ])('%s', async (_, respond) => {
    const { received, apiRoot } = await startHttpApi(respond);
    const ours = await failureOf(underLastcall({ apiRoot }, hello));
    const telegrafs = await failureOf(underTelegraf({ apiRoot }, hello));
    expect(received.map(isByTelegraf)).toEqual([false, true]);
    // Telegraf's words for a body that is no JSON show the token.
    const withoutToken = { ...telegrafs, message: telegrafs.message.replace(TOKEN, '4711:[REDACTED]') };
    expect(ours).toEqual(withoutToken);
    expect(ours.message).not.toContain('a-token');
  });

  it('nobody listens', async () => {
    const apiRoot = 'http://127.0.0.1:1';
    expect(await failureOf(underLastcall({ apiRoot }, hello))).toEqual(
      await failureOf(underTelegraf({ apiRoot }, hello)),
    );
  });

  it('an address of no protocol that is spoken, in words of its own', async () => {
    await expect(underLastcall({ apiRoot: 'ftp://127.0.0.1' }, hello)).rejects.toThrow(
      'Protocol "ftp:" not supported',
    );
  });
});

describe("Telegraf's own client makes", () => {
  it('calls with a file', async () => {
    const { received, apiRoot } = await startHttpApi();
    const results = [
      await underLastcall({ apiRoot }, (client) =>
        client.sendDocument(5, { source: Buffer.from('content') }),
      ),
      await underLastcall({ apiRoot }, (client) =>
        client.sendMediaGroup(5, [{ type: 'photo', media: { source: Buffer.from('content') } }]),
      ),
    ];
    expect(results).toEqual([{ message_id: 7 }, { message_id: 7 }]);
    expect(received.map(isByTelegraf)).toEqual([true, true]);
    expect(received.map(({ headers }) => headers['content-type']?.split(';')[0])).toEqual([
      'multipart/form-data',
      'multipart/form-data',
    ]);
  });

  it('those that are redirected', async () => {
    const { received, apiRoot } = await startHttpApi((response, { url }) =>
      url === '/elsewhere'
        ? respondOk(response, received[0] as ReceivedRequest)
        : response.writeHead(307, { location: '/elsewhere' }).end(),
    );
    expect(await underLastcall({ apiRoot }, hello)).toEqual({ message_id: 7 });
    expect(received.map(({ url }) => url?.split('/').at(-1))).toEqual([
      'sendMessage',
      'sendMessage',
      'elsewhere',
    ]);
  });

  it('those that are redirected, until the signal aborts', async () => {
    const controller = new AbortController();
    const { apiRoot } = await startHttpApi((response, { url }) => {
      if (url === '/elsewhere') controller.abort(new Error('the stop'));
      else response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const bot = new Telegraf<LastcallContext>(TOKEN, { telegram: { apiRoot } });
    Object.assign(bot, { botInfo: me });
    bot.use((ctx) => hello(ctx.telegram));
    await expect(prepareBot(bot).handle(update, handlerRun(controller), 1)).rejects.toThrow('the stop');
  });

  it('those that a webhook may answer', async () => {
    const { received, apiRoot } = await startHttpApi();
    const bot = new Telegraf(TOKEN, { telegram: { apiRoot } });
    Object.assign(bot, { botInfo: me });
    bot.use((ctx) => ctx.sendChatAction('typing'));
    prepareBot(bot);
    const written: unknown[] = [];
    const response = {
      headersSent: false,
      writableEnded: false,
      setHeader: () => {},
      end(body: unknown) {
        written.push(body);
        this.writableEnded = true;
      },
    };
    await bot.handleUpdate(update, response as never);
    expect(written).toEqual([expect.stringContaining('sendChatAction')]);
    expect(received).toEqual([]);
  });
});

describe("a callApi of the program's own is never passed by:", () => {
  const reply = async (bot: Telegraf<LastcallContext>) => {
    Object.assign(bot, { botInfo: me });
    bot.use((ctx) => ctx.reply('hello'));
    await prepareBot(bot).handle(update, handlerRun(), 1);
  };

  it("on the client's class", async () => {
    const { received, apiRoot } = await startHttpApi();
    const seen: unknown[] = [];
    const original = Telegram.prototype.callApi;
    jest.spyOn(Telegram.prototype, 'callApi').mockImplementation(function (this: Telegram, ...args) {
      seen.push(args[0]);
      return Reflect.apply(original, this, args) as never;
    });
    await reply(new Telegraf<LastcallContext>(TOKEN, { telegram: { apiRoot } }));
    expect(seen).toEqual(['sendMessage']);
    expect(received).toHaveLength(1);
  });

  it("on a context's client", async () => {
    const { apiRoot } = await startHttpApi();
    const seen: unknown[] = [];
    class LoggingContext extends Context {
      constructor(...args: ConstructorParameters<typeof Context>) {
        super(...args);
        const { telegram } = this;
        const original = telegram.callApi;
        telegram.callApi = (...call) => {
          seen.push(call[0]);
          return Reflect.apply(original, telegram, call) as never;
        };
      }
    }
    await reply(new Telegraf(TOKEN, { telegram: { apiRoot }, contextType: LoggingContext }) as never);
    expect(seen).toEqual(['sendMessage']);
  });
});
