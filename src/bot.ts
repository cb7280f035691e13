/**
 * The example bot: answers what it is told. `/slow` takes its time, so that a stop in the middle can be watched.
 */
import type { BotModule } from './index.js';

const SLOW_ANSWER_MS = 5_000;

const example: BotModule = ({ bot, lifecycle, log }) => {
  bot.start((ctx) => ctx.reply(`Hello, ${ctx.from.first_name}! Say something, and I will say it back.`));
  bot.help((ctx) => ctx.reply('/slow answers after 5 s: stop me meanwhile, and see that you get your answer.'));

  bot.command('slow', async (ctx) => {
    await ctx.reply('Let me think …');
    await new Promise((resolve) => setTimeout(resolve, SLOW_ANSWER_MS));
    await ctx.reply('42.');
  });

  bot.on('text', (ctx) => ctx.reply(`You said: ${ctx.message.text}`));

  lifecycle.add({
    name: 'greeting',
    start: () => log.info('the example bot is ready to answer'),
    stop: () => log.info('the example bot has said its last word'),
  });
};

export default example;
