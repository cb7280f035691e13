import { expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { startSandbox } from '../../src/sandbox/sandbox.js';

it('serves a plain Telegraf bot, from launch to stop', async () => {
  const sandbox = await startSandbox();
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.start((ctx) => ctx.reply('welcome'));
  bot.on('text', (ctx) =>
    ctx.reply(`echo: ${ctx.message.text}`, { reply_parameters: { message_id: ctx.msgId } }),
  );
  bot.on('callback_query', (ctx) => ctx.answerCbQuery('done'));
  try {
    sandbox.say({ chat: 7, text: 'waiting {n}', count: 120 });
    const run = bot.launch();
    await sandbox.waitFor(() => sandbox.report().unanswered === 0);

    const { answers } = await sandbox.ask('/start');
    expect(answers).toMatchObject([{ text: 'welcome' }]);
    sandbox.addUpdates([{ callback_query: { id: '77', from: { id: 7 }, data: 'x' } }]);
    await sandbox.waitFor(() => sandbox.callCount('answerCallbackQuery') === 1);
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);

    bot.stop();
    await run;
    expect(sandbox.report()).toMatchObject({ said: 121, answered: 121, answeredTwice: 0 });
    expect(sandbox.state().queued).toBe(0);
    expect(bot.botInfo?.username).toBe('sandbox_7000000000_bot');
  } finally {
    await sandbox.close();
  }
});
