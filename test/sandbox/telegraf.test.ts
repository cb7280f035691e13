import { expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

it('serves a plain Telegraf bot, from launch to stop', async () => {
  const testSandbox = await openTestSandbox();
  const { sandbox, clock } = testSandbox;
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.start((ctx) => ctx.reply('welcome'));
  bot.on('text', (ctx) => ctx.reply(`echo: ${ctx.message.text}`));
  bot.on('callback_query', (ctx) => ctx.answerCbQuery('done'));

  sandbox.say({ chat: 7, text: 'waiting {n}', count: 120 });
  const run = bot.launch();
  await pollWaits(testSandbox);
  expect(sandbox.report(7)).toMatchObject({ said: 120, answered: 120, answeredTwice: 0 });

  const asked = sandbox.ask('/start');
  await clock.advance(1);
  expect((await asked).answers).toMatchObject([{ text: 'welcome' }]);
  await pollWaits(testSandbox);
  sandbox.addUpdates([{ callback_query: { id: '77', from: { id: 7 }, data: 'x' } }]);
  await clock.advance(1);
  await sandbox.waitFor(() => sandbox.callCount('answerCallbackQuery') === 1);
  await pollWaits(testSandbox);
  expect(bot.botInfo?.username).toBe('sandbox_7000000000_bot');

  const polls = sandbox.callCount('getUpdates');
  bot.stop();
  // Its last confirmation asks with the offset of the poll just aborted: the server lets it wait for 3 s.
  await sandbox.waitFor(() => sandbox.callCount('getUpdates') === polls + 1);
  await clock.advance(3_000);
  await run;
  expect(sandbox.state().queued).toBe(0);
});
