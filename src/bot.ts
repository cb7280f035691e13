/** The example bot: it echoes messages, and `/slow` answers late, so that a stop during a handler can be watched. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotModule } from './index.js';

const SLOW_ANSWER_MS = 2_000;

const example: BotModule = ({ bot, lifecycle }) => {
  bot.start((ctx) => ctx.reply(`Hello, ${ctx.from.first_name}! Say something, and I will say it back.`));
  bot.help((ctx) =>
    ctx.reply('/slow takes 2 s to answer: stop me meanwhile, and you still get your answer.'),
  );

  bot.command('slow', async (ctx) => {
    await ctx.sendChatAction('typing');
    await sleep(SLOW_ANSWER_MS, undefined, { signal: ctx.signal });
    await ctx.reply(`${ctx.message.text}: 42.`);
  });

  bot.on('text', (ctx) => ctx.reply(`You said: ${ctx.message.text}`));

  lifecycle.add({
    name: 'example',
    start: ({ log }) => log.info({}, 'the example bot is ready to answer'),
    stop: ({ log }) => log.info({}, 'the example bot has said its last word'),
  });
};

export default example;
