import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { LastcallContext } from '../../src/telegraf/context.js';
import { prepareBot } from '../../src/telegraf/handling.js';
import { rememberClient, rememberErrorClass } from '../../src/telegraf/known-clients.js';
import { handlerRun } from '../support/handler-run.js';
import { closeHttpApis, isByTelegraf, startHttpApi } from '../support/http-api.js';
import { telegrafVersions } from '../support/telegraf-versions.js';
import { mendLoadedUploads } from '../support/uploads.js';

const me = { id: 1, is_bot: true, username: 'tested_bot', first_name: 'Tested' } as const;
const update = {
  update_id: 1,
  message: { message_id: 1, date: 0, chat: { id: 5, type: 'private', first_name: 'Ann' }, text: 'hello' },
} as Update;

const TOKEN = '4711:a-token-of-the-call-tests';

function newBot(apiRoot: string): Telegraf<LastcallContext> {
  return Object.assign(new Telegraf<LastcallContext>(TOKEN, { telegram: { apiRoot } }), { botInfo: me });
}

afterEach(closeHttpApis);

/** An abort signal that is not the platform's, as the packages bring it that Telegraf's types ask for. */
class ForeignController {
  readonly #target = new EventTarget();
  readonly signal = {
    aborted: false,
    addEventListener: (...args: Parameters<EventTarget['addEventListener']>) =>
      this.#target.addEventListener(...args),
    removeEventListener: (...args: Parameters<EventTarget['removeEventListener']>) =>
      this.#target.removeEventListener(...args),
  };

  abort(): void {
    this.signal.aborted = true;
    this.#target.dispatchEvent(new Event('abort'));
  }
}

describe("API calls through the context, by Telegraf's own client", () => {
  it('are not made any more once it has aborted', async () => {
    const api = await startHttpApi();
    const bot = newBot(api.apiRoot);
    const controller = new AbortController();
    bot.on('text', async (ctx) => {
      controller.abort(new Error('the stop'));
      await ctx.reply('too late');
    });
    await expect(prepareBot(bot).handle(update, handlerRun(controller), 1)).rejects.toThrow('the stop');
    expect(api.received).toEqual([]);
  });

  it.each([
    ["the platform's", () => new AbortController()],
    ["a package's", () => new ForeignController()],
  ])("end with the caller's own signal as well: %s", async (_, create) => {
    const api = await startHttpApi(() => {});
    const bot = newBot(api.apiRoot);
    const own = create();
    bot.on('text', (ctx) => ctx.telegram.callApi('getMe', {}, { signal: own.signal as never }));
    const handled = prepareBot(bot).handle(update, handlerRun(), 1);
    await api.asked;
    own.abort();
    await expect(handled).rejects.toMatchObject({ name: 'AbortError' });
  });

  it("do not touch those through the bot's own client", async () => {
    const api = await startHttpApi();
    const bot = newBot(api.apiRoot);
    const controller = new AbortController();
    const results: unknown[] = [];
    bot.on('text', async () => {
      controller.abort(new Error('the stop'));
      results.push(await bot.telegram.sendMessage(5, 'still there'));
    });
    await prepareBot(bot).handle(update, handlerRun(controller), 1);
    expect(results).toEqual([{ message_id: 7 }]);
  });

  it("also not where a context type hands the bot's own client to every context", async () => {
    const api = await startHttpApi();
    const telegram = { apiRoot: api.apiRoot };
    const shared = new Telegraf(TOKEN, { telegram }).telegram;
    class SharingContext extends Context {
      constructor(update: Update, _: unknown, info: ConstructorParameters<typeof Context>[2]) {
        super(update, shared, info);
      }
    }
    const bot = new Telegraf(TOKEN, { telegram, contextType: SharingContext });
    Object.assign(bot, { botInfo: me, telegram: shared });
    bot.on('text', (ctx) => ctx.reply('hello'));
    const controller = new AbortController();
    const prepared = prepareBot(bot);
    await prepared.handle(update, handlerRun(controller), 1);
    controller.abort();
    expect(await prepared.handle(update, handlerRun(), 1)).toBeUndefined();
    expect(Object.hasOwn(shared, 'callApi')).toBe(false);
  });
});

describe('a call that Telegram answers with 429', () => {
  const refusal = '{"ok":false,"error_code":429,"description":"Too Many","parameters":{"retry_after":2}}';

  /** An API that refuses the first calls. */
  const refusing = (times: number) => {
    let refused = 0;
    return startHttpApi((response) => {
      if (refused++ < times) response.writeHead(429).end(refusal);
      else response.end('{"ok":true,"result":{"message_id":7}}');
    });
  };

  /** A run that waits as often as given. */
  function patientRun(pauses: number) {
    const pause = jest.fn<(ms: number) => Promise<boolean>>().mockResolvedValue(false);
    for (let n = 0; n < pauses; n++) pause.mockResolvedValueOnce(true);
    return { pause, run: handlerRun(undefined, { pause }) };
  }

  it('is made again after the time that Telegram asks for, however often', async () => {
    const { apiRoot, received } = await refusing(2);
    const { pause, run } = patientRun(9);
    const bot = newBot(apiRoot);
    const results: unknown[] = [];
    bot.on('text', async (ctx) => results.push(await ctx.reply('hello')));
    expect(await prepareBot(bot).handle(update, run, 1)).toBeUndefined();
    expect(results).toEqual([{ message_id: 7 }]);
    expect(pause.mock.calls).toEqual([[2_000], [2_000]]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(received).toHaveLength(3);
  });

  it('fails when the handler has no time left to wait', async () => {
    const { apiRoot, received } = await refusing(9);
    const { run } = patientRun(1);
    const bot = newBot(apiRoot);
    bot.on('text', (ctx) => ctx.reply('hello'));
    const prepared = prepareBot(bot);
    const error: unknown = await prepared.handle(update, run, 1).catch((reason: unknown) => reason);
    expect(prepared.failureOf(error)).toEqual({ kind: 'rate-limited', retryAfterMs: 2_000 });
    expect(received).toHaveLength(2);
  });

  it('ends with the signal while it waits', async () => {
    const { apiRoot } = await refusing(9);
    const bot = newBot(apiRoot);
    bot.on('text', (ctx) => ctx.reply('hello'));
    const run = handlerRun(undefined, { pause: () => Promise.reject(new Error('the stop')) });
    await expect(prepareBot(bot).handle(update, run, 1)).rejects.toThrow('the stop');
  });

  it.each<[string, (ctx: LastcallContext) => unknown]>([
    ['sends a stream, which can be read once', (ctx) => ctx.replyWithPhoto({ source: Readable.from('a') })],
    [
      'has a signal of its own',
      (ctx) => ctx.telegram.callApi('getMe', {}, { signal: new AbortController().signal as never }),
    ],
  ])('is not made again where it %s', async (_, call) => {
    const { apiRoot, received } = await refusing(9);
    const { run, pause } = patientRun(9);
    const bot = newBot(apiRoot);
    bot.on('text', (ctx) => call(ctx) as never);
    await expect(prepareBot(bot).handle(update, run, 1)).rejects.toMatchObject({ code: 429 });
    expect(received).toHaveLength(1);
    expect(pause).not.toHaveBeenCalled();
  });

  it('is made again with the whole of a file', async () => {
    const { apiRoot, received } = await refusing(1);
    const bot = newBot(apiRoot);
    bot.on('text', (ctx) => ctx.replyWithPhoto({ source: Buffer.from('a photo') }) as never);
    await prepareBot(bot).handle(update, patientRun(9).run, 1);
    expect(received.map(({ body }) => body.includes('a photo'))).toEqual([true, true]);
  });

  it('fails at once in a handler that the program has called itself', async () => {
    const { apiRoot, received } = await refusing(9);
    const bot = newBot(apiRoot);
    bot.on('text', (ctx) => ctx.reply('hello'));
    bot.catch((error) => {
      throw error;
    });
    prepareBot(bot);
    await expect(bot.handleUpdate(update)).rejects.toMatchObject({ code: 429 });
    expect(received).toHaveLength(1);
  });
});

describe("the error of a call that only the program's own client could have made", () => {
  it('is known as that of a call', async () => {
    const bot = newBot('http://127.0.0.1:1');
    class OwnClientContext extends Context {
      constructor(...args: ConstructorParameters<typeof Context>) {
        super(...args);
        this.telegram.callApi = () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNRESET' }));
      }
    }
    Reflect.get(bot, 'options').contextType = OwnClientContext;
    bot.on('text', (ctx) => ctx.reply('hello'));
    const prepared = prepareBot(bot);
    const error: unknown = await prepared.handle(update, handlerRun(), 1).catch((reason: unknown) => reason);
    expect(prepared.failureOf(error)).toEqual({ kind: 'unreachable' });
    expect(prepared.failureOf(Object.assign(new Error('no'), { code: 'ECONNRESET' }))).toEqual({
      kind: 'error',
    });
  });
});

beforeAll(mendLoadedUploads);

describe.each(telegrafVersions)('a call with Telegraf 4.$minor', ({ name }) => {
  let telegraf: typeof import('telegraf');
  beforeAll(async () => {
    telegraf = await import(name);
    rememberClient(telegraf.Telegraf);
    rememberErrorClass(telegraf.Telegraf, telegraf.TelegramError as never);
  });

  /** A bot whose handler does the given; patched: each context's client has a `callApi` of the program's. */
  function botThat(
    handle: (ctx: LastcallContext) => unknown,
    apiRoot: string,
    patched: boolean,
  ): Telegraf<LastcallContext> {
    class PatchedContext extends telegraf.Context {
      constructor(...args: ConstructorParameters<typeof Context>) {
        super(...args);
        const { telegram } = this;
        const { callApi } = telegram;
        telegram.callApi = (...call) => Reflect.apply(callApi, telegram, call) as never;
      }
    }
    const bot = new telegraf.Telegraf<LastcallContext>(TOKEN, {
      telegram: { apiRoot },
      contextType: (patched ? PatchedContext : telegraf.Context) as never,
    });
    bot.use((ctx) => handle(ctx) as never);
    return Object.assign(bot, { botInfo: me });
  }

  describe.each([
    ['a plain call', false],
    ["Telegraf's own client, patched by the program", true],
  ])('by %s', (_, patched) => {
    it('brings the result, and leaves nothing on the signal of the context', async () => {
      const api = await startHttpApi();
      const { signal } = new AbortController();
      const added = jest.spyOn(signal, 'addEventListener');
      const removed = jest.spyOn(signal, 'removeEventListener');
      const seen: unknown[] = [];
      const bot = botThat(
        async (ctx) => seen.push(ctx.signal, ctx.attempt, await ctx.reply('hello')),
        api.apiRoot,
        patched,
      );
      expect(await prepareBot(bot).handle(update, handlerRun({ signal }), 2)).toBeUndefined();
      expect(seen).toEqual([signal, 2, { message_id: 7 }]);
      expect(api.received.map(isByTelegraf)).toEqual([patched]);
      expect(added).toHaveBeenCalled();
      const listenersOf = ({ mock }: typeof added) => mock.calls.map(([, listener]) => listener);
      expect(listenersOf(removed as typeof added)).toEqual(listenersOf(added));
    });

    it('is made again after a 429', async () => {
      let refused = false;
      const api = await startHttpApi((response) => {
        if (refused) response.end('{"ok":true,"result":true}');
        else response.writeHead(429).end('{"ok":false,"error_code":429,"description":"Too Many"}');
        refused = true;
      });
      const pause = jest.fn<(ms: number) => Promise<boolean>>().mockResolvedValue(true);
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      await prepareBot(bot).handle(update, handlerRun(undefined, { pause }), 1);
      expect(pause.mock.calls).toEqual([[1_000]]);
      expect(api.received.map(isByTelegraf)).toEqual([patched, patched]);
    });

    it("is refused with the program's own TelegramError", async () => {
      const api = await startHttpApi((response) =>
        response.writeHead(403).end('{"ok":false,"error_code":403,"description":"blocked"}'),
      );
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const handled = prepareBot(bot).handle(update, handlerRun(), 1);
      await expect(handled).rejects.toThrow(telegraf.TelegramError);
      await expect(handled).rejects.toMatchObject({ code: 403, on: { method: 'sendMessage' } });
    });

    it('ends with the signal, by its reason, when nobody answers', async () => {
      const api = await startHttpApi(() => {});
      const controller = new AbortController();
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const handled = prepareBot(bot).handle(update, handlerRun(controller), 1);
      const request = await api.asked;
      const closed = new Promise((resolve) => request.once('close', resolve));
      controller.abort(new Error('the stop'));
      await expect(handled).rejects.toThrow('the stop');
      await closed;
    });

    it('ends where the body is cut off: at once, or with the signal where the client never notices', async () => {
      const api = await startHttpApi((response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"ok":', () => response.destroy());
      });
      const controller = new AbortController();
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const prepared = prepareBot(bot);
      const handled = prepared.handle(update, handlerRun(controller), 1);
      const request = await api.asked;
      if (patched) {
        await new Promise((resolve) => request.socket.once('close', resolve));
        controller.abort(new Error('the stop'));
      }
      await expect(handled).rejects.toThrow(patched ? 'the stop' : 'Invalid response body');
      const error: unknown = await handled.catch((reason: unknown) => reason);
      expect(prepared.failureOf(error).kind).toBe(patched ? 'error' : 'unreachable');
    });
  });
});
