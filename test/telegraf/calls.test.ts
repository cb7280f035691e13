/** Calls of handlers with each minor of Telegraf 4, made by a plain call and by Telegraf's own client. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Context, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { LastcallContext } from '../../src/telegraf/context.js';
import { prepareBot } from '../../src/telegraf/handling.js';
import { rememberClient, rememberErrorClass } from '../../src/telegraf/known-clients.js';
import { telegrafVersions } from '../support/telegraf-versions.js';

const me = { id: 1, is_bot: true, username: 'tested_bot', first_name: 'Tested' } as const;
const update = {
  update_id: 1,
  message: { message_id: 1, date: 0, chat: { id: 5, type: 'private', first_name: 'Ann' }, text: 'hello' },
} as Update;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A Bot API of one's own making; resolves `asked` with its first request. */
async function botApi(answer: (response: ServerResponse) => void) {
  let tell: (request: IncomingMessage) => void = () => {};
  const asked = new Promise<IncomingMessage>((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    tell(request);
    request.resume().on('end', () => answer(response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { apiRoot: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe.each(telegrafVersions)('Telegraf 4.$minor', ({ name }) => {
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
    const bot = new telegraf.Telegraf<LastcallContext>('4711:a-token-of-the-call-tests', {
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
    const madeByTelegraf = ({ headers }: IncomingMessage) =>
      headers['user-agent']?.startsWith('node-fetch') ?? false;

    it('brings the result, and the context has its signal and attempt', async () => {
      const api = await botApi((response) => response.end('{"ok":true,"result":{"message_id":7}}'));
      const { signal } = new AbortController();
      const seen: unknown[] = [];
      const bot = botThat(
        async (ctx) => seen.push(ctx.signal, ctx.attempt, await ctx.reply('hello')),
        api.apiRoot,
        patched,
      );
      expect(await prepareBot(bot).handle(update, { signal }, 2)).toBe('handled');
      expect(seen).toEqual([signal, 2, { message_id: 7 }]);
      expect(madeByTelegraf(await api.asked)).toBe(patched);
    });

    it("is refused with the program's own TelegramError", async () => {
      const api = await botApi((response) =>
        response.writeHead(403).end('{"ok":false,"error_code":403,"description":"blocked"}'),
      );
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const handled = prepareBot(bot).handle(update, new AbortController(), 1);
      await expect(handled).rejects.toThrow(telegraf.TelegramError);
      await expect(handled).rejects.toMatchObject({ code: 403, on: { method: 'sendMessage' } });
    });

    it('ends with the signal, by its reason, when nobody answers', async () => {
      const api = await botApi(() => {});
      const controller = new AbortController();
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const handled = prepareBot(bot).handle(update, controller, 1);
      const request = await api.asked;
      const closed = new Promise((resolve) => request.once('close', resolve));
      controller.abort(new Error('the stop'));
      await expect(handled).rejects.toThrow('the stop');
      await closed;
    });

    it('ends where the body is cut off: at once, or with the signal where the client never notices', async () => {
      const api = await botApi((response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"ok":', () => response.destroy());
      });
      const controller = new AbortController();
      const bot = botThat((ctx) => ctx.reply('hello'), api.apiRoot, patched);
      const handled = prepareBot(bot).handle(update, controller, 1);
      const request = await api.asked;
      if (patched) {
        await new Promise((resolve) => request.socket.once('close', resolve));
        controller.abort(new Error('the stop'));
      }
      await expect(handled).rejects.toThrow(patched ? 'the stop' : 'Invalid response body');
    });
  });
});
