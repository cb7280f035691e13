/** The network of a sandbox, and its clock. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Markup, Telegraf } from 'telegraf';
import { createSandbox, type Sandbox } from '../../../src/sandbox/index.js';

let sandbox: Sandbox;
let bot: Telegraf;
beforeEach(async () => {
  sandbox = await createSandbox();
  bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
});
afterEach(() => sandbox.close());

describe('a fault', () => {
  it('hits the calls that its rule names, as often as it says', async () => {
    bot.on('text', async (ctx) => {
      for (;;)
        try {
          return await ctx.reply('at last');
        } catch {
          // Tried again.
        }
    });
    await sandbox.start(bot);
    sandbox.fault({ kind: 'html', status: 502, method: 'sendMessage', times: 2 });
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    await ann.hears('at last');
    await ann.hearsNothing();
    const calls = sandbox.calls({ method: 'sendMessage' });
    expect(calls.map(({ answered }) => answered?.status)).toEqual([502, 502, 200]);
    expect(calls.map(({ fault }) => fault)).toEqual(['html', 'html', undefined]);
  });

  it.each(['reset', 'refuse'] as const)('of the kind %s lasts until it is ended', async (kind) => {
    const down = sandbox.fault({ kind });
    await expect(bot.telegram.getMe()).rejects.toThrow();
    down.end();
    down[Symbol.dispose]();
    expect((await bot.telegram.getMe()).username).toBe(sandbox.bot.username);
  });

  it('of polls makes a bot pause, for which the close does not wait', async () => {
    const hasty = await createSandbox({ within: 100 });
    const { telegram } = new Telegraf(hasty.token, { telegram: { apiRoot: hasty.apiRoot } });
    let wakeUp = () => {};
    hasty.fault({ kind: 'too-many-requests', retryAfterSeconds: 30, method: 'getUpdates' });
    const running = await hasty.start({
      start: async () => {
        await telegram.callApi('getUpdates', {}).catch(() => {});
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
      },
      stop() {},
    });
    await expect(running.stop()).rejects.toThrow('a fault has ended its last poll');
    await hasty.close();
    wakeUp();
    await running.ended;
  });

  it('is refused with words that say what is wrong with it', () => {
    expect(() => sandbox.fault({ kind: '502' } as never)).toThrow(
      'there is no kind "502"; it must be one of latency',
    );
    expect(() => sandbox.fault({ kind: 'latency', ms: -1 })).toThrow('a number of milliseconds');
  });
});

describe('the clock', () => {
  it('makes updates expire after a day, and no sooner', async () => {
    const ann = sandbox.person('Ann');
    await ann.say('old');
    await sandbox.clock.advance('23h');
    await ann.say('new');
    await sandbox.clock.advance('2h');
    bot.on('text', (ctx) => ctx.reply(`echo ${ctx.message.text}`));
    await sandbox.start(bot);
    await ann.hears('echo new');
    await ann.hearsNothing();
    expect(sandbox.calls({ method: 'sendMessage' })).toHaveLength(1);
  });

  it('makes the answer to a button come too late', async () => {
    let answered: Promise<unknown> = Promise.resolve();
    bot.start((ctx) => ctx.reply('?', Markup.inlineKeyboard([Markup.button.callback('Yes', 'y')])));
    bot.action('y', async (ctx) => {
      await sandbox.clock.advance('3m');
      answered = ctx.answerCbQuery();
      await answered.catch(() => {});
    });
    await sandbox.start(bot);
    const ann = sandbox.person('Ann');
    await ann.say('/start');
    const pressed = ann.press('Yes', { within: '1s' });
    await expect(pressed).rejects.toThrow('query is too old and response timeout expired');
    await expect(answered).rejects.toThrow('query is too old');
  });

  it('makes messages too old to be deleted', async () => {
    const ann = sandbox.person('Ann');
    const { message_id } = await bot.telegram.sendMessage(ann.id, 'x');
    await sandbox.clock.advance('47h');
    const { message_id: later } = await bot.telegram.sendMessage(ann.id, 'y');
    await sandbox.clock.advance('2h');
    await expect(bot.telegram.deleteMessage(ann.id, message_id)).rejects.toThrow("message can't be deleted");
    expect(await bot.telegram.deleteMessage(ann.id, later)).toBe(true);
  });

  it('ends a long poll, and a fault that lasts for a time', async () => {
    await sandbox.start(bot);
    await sandbox.settled();
    const polls = sandbox.calls({ method: 'getUpdates' }).length;
    await sandbox.clock.advance('50s');
    await sandbox.waitFor(() => sandbox.calls({ method: 'getUpdates' }).length > polls);
    sandbox.fault({ kind: 'too-many-requests', retryAfterSeconds: 600, forMs: 600_000, method: 'getMe' });
    await expect(bot.telegram.getMe()).rejects.toThrow('429');
    const before = sandbox.clock.now();
    await sandbox.clock.advance('10m');
    expect(sandbox.clock.now() - before).toBeGreaterThanOrEqual(600_000);
    await bot.telegram.getMe();
  });
});

describe('raw updates', () => {
  it('reach the bot as they are, or are refused with what is wrong', async () => {
    bot.on('channel_post', (ctx) => ctx.reply('posted'));
    await sandbox.start(bot);
    const chat = { id: -1_000_000_000_777, type: 'channel', title: 'News' };
    await sandbox.update({ channel_post: { message_id: 1, date: 1, chat, text: 'x' } });
    await sandbox.waitFor(() => sandbox.calls({ method: 'sendMessage' }).length === 1);
    await expect(sandbox.update({ channel_post: { chat } })).rejects.toThrow('channel_post needs message_id');
    await expect(sandbox.update({ chat_member: { ...memberChange(chat), date: 1 } })).rejects.toMatchObject({
      code: 'UPDATE_NOT_WANTED',
    });
  });
});

const memberChange = (chat: object) => {
  const user = { id: 5, is_bot: false, first_name: 'Eve' };
  return {
    chat,
    from: user,
    old_chat_member: { user, status: 'left' },
    new_chat_member: { user, status: 'member' },
  };
};
