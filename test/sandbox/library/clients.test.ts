/** Bots of other kinds than a plain one of Telegraf, run by the library. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Bot, InlineKeyboard } from 'grammy';
import { Telegraf } from 'telegraf';
import { createApp } from '../../../src/index.js';
import { createSandbox, type Sandbox } from '../../../src/sandbox/index.js';
import { Folder } from '../../support/folder.js';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});
afterEach(() => sandbox.close());

it('runs a bot of grammY', async () => {
  const bot = new Bot(sandbox.token, { client: { apiRoot: sandbox.apiRoot } });
  bot.command('start', (ctx) =>
    ctx.reply('Coffee?', { reply_markup: new InlineKeyboard().text('Yes', 'y') }),
  );
  bot.callbackQuery('y', (ctx) => ctx.answerCallbackQuery('Coming'));
  await sandbox.start(bot);
  const ann = sandbox.person('Ann');
  await ann.say('/start');
  expect(await ann.press('Yes')).toBe('Coming');
  await ann.hears('Coffee?');
  await ann.hearsNothing();
});

it('runs an app of lastcall, whose inbox in memory settles when its handlers have ended', async () => {
  using folder = new Folder({});
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.on('text', (ctx) => ctx.reply('hello'));
  await sandbox.start(createApp({ bot, settings: { inbox: 'memory', stateDir: folder.path } }));
  const ann = sandbox.person('Ann');
  await ann.say('hi');
  await ann.hears('hello');
  await ann.hearsNothing();
  await sandbox.close();
});

it('keeps what is said between two runs for the second', async () => {
  const telegraf = (answer: string) => {
    const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
    bot.on('text', (ctx) => ctx.reply(answer));
    return bot;
  };
  const ann = sandbox.person('Ann');
  const first = await sandbox.start(telegraf('first'));
  await ann.say('one');
  await ann.hears('first');
  await first.stop();
  await ann.say('two');
  await sandbox.start(telegraf('second'));
  await ann.hears('second');
  await ann.hearsNothing();
});

it('runs a bot that is stopped by the name that node-telegram-bot-api gives to it', async () => {
  const steps: string[] = [];
  const poll = () => fetch(`${sandbox.apiRoot}/bot${sandbox.token}/getUpdates`);
  await sandbox.start({
    startPolling: () => void poll().then(() => steps.push('polled')),
    stopPolling: () => steps.push('stopped'),
  });
  await sandbox.close();
  expect(steps).toContain('stopped');
});
