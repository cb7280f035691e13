/** Telegraf's own examples, as bots of a few lines: each does against the sandbox what it does against Telegram. */
import { describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { openTestSandbox } from './test-sandbox.js';

const CHAT = 7;

async function open(example: string) {
  const { sandbox, call, client, clock } = await openTestSandbox();
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.botInfo = await bot.telegram.getMe();
  const { default: register } = await import(`../fixtures/examples/${example}.js`);
  register({ bot });
  bot.catch((error) => {
    throw error;
  });
  let offset = 0;
  /** Lets the bot handle what is waiting, and what that leads to. */
  const settle = async () => {
    for (;;) {
      await clock.advance(5_000);
      const updates = (await call('getUpdates', { offset })).result as Update[];
      if (updates.length === 0) return;
      for (const update of updates) await bot.handleUpdate(update);
      offset = (updates.at(-1)?.update_id ?? 0) + 1;
    }
  };
  return {
    sandbox,
    client,
    say: async (text: string) => {
      sandbox.say({ chat: CHAT, text, from: 'Ada' });
      await settle();
    },
    press: async (button: string) => {
      sandbox.press({ chat: CHAT, button });
      await settle();
    },
    settle,
    last: () => last(sandbox),
    toast: () => sandbox.queries().at(-1)?.answer?.['text'],
  };
}

const last = (sandbox: Sandbox, chat = CHAT) => sandbox.messages(chat).at(-1)?.message;

describe("Telegraf's example", () => {
  it('of an echo sends everything back, and deletes it on request', async () => {
    const { say, press, last, sandbox } = await open('echo');
    await say('/start');
    expect(last()?.text).toBe('Hello');
    await say('anything');
    expect(last()).toMatchObject({ text: 'anything', from: { is_bot: true }, reply_markup: {} });
    await press('Delete');
    expect(last()).toMatchObject({ from: { first_name: 'Ada' } });
    expect(() => sandbox.press({ chat: CHAT, button: '♥' })).toThrow('there is none at all');
  });

  it('of keyboards is answered by presses', async () => {
    const { say, press, last, toast, sandbox } = await open('keyboards');
    await say('/custom');
    await press('Search');
    expect(last()?.text).toBe('Yay!');
    await say('/special');
    await press('Send contact');
    expect(last()?.text).toBe('Thanks, Ada');
    expect(sandbox.chats()[0]?.replyMarkup).toEqual({ remove_keyboard: true });
    await say('/simple');
    await say('/inline');
    expect(last()).toMatchObject({
      text: 'Coke or Pepsi?',
      entities: [{ type: 'bold' }, { type: 'italic' }],
    });
    sandbox.press({ chat: CHAT, button: 'Pepsi', message: last()?.message_id });
    await press('Coke');
    expect(toast()).toBe('Oh, Coke! Great choice');
    await say('/caption');
    await press('Italic');
    expect(last()).toMatchObject({ caption: 'Caption', caption_entities: [{ type: 'italic' }], photo: [{}] });
    await press('Plain');
    expect(last()).not.toHaveProperty('caption_entities');
  });

  it('of media uploads, replaces and downloads files', async () => {
    const { say, press, last, sandbox, client, settle } = await open('media');
    await say('/stream');
    const { photo } = last() as unknown as { photo: [{ file_id: string }] };
    await say('/buffer');
    expect(last()).toMatchObject({ photo: [{ file_size: 11 }] });
    await say('/caption');
    expect(last()).toMatchObject({ caption: 'Caption text', caption_entities: [{ type: 'bold' }] });
    await say('/album');
    const album = sandbox.messages(CHAT).slice(-3);
    expect(album.map(({ message }) => message['caption'])).toEqual([
      'From file_id',
      'From URL',
      'From buffer',
    ]);
    expect(new Set(album.map(({ message }) => message['media_group_id'])).size).toBe(1);
    await say('/edit_media');
    await press('Change media');
    expect(last()).toMatchObject({ animation: { file_id: 'https://example.org/second.gif' } });
    const document = { file_id: photo[0].file_id, file_unique_id: photo[0].file_id };
    const person = { id: CHAT, is_bot: false, first_name: 'Ada' };
    sandbox.addUpdates([
      {
        message: {
          message_id: 90,
          date: 1,
          chat: { id: CHAT, type: 'private', first_name: 'Ada' },
          from: person,
          document,
        },
      },
    ]);
    await settle();
    const [path = ''] = /\/photos\/\S+$/.exec(last()?.text ?? '') ?? [];
    const file = await client.send(`/file/bot${sandbox.token}${path}`, { method: 'GET' });
    expect(file.body).toBe('from a stream');
  });

  it('of scenes enters and leaves them', async () => {
    const { say, last, sandbox } = await open('scenes');
    for (const text of ['hello', '/greeter', 'what?', '/leave', '/echo', 'echoed', '/back']) await say(text);
    const answers = sandbox.messages(CHAT).filter(({ message }) => message.from.is_bot);
    expect(answers.map(({ message }) => message.text)).toEqual([
      'Try /echo or /greeter',
      'Hi',
      'Send hi',
      'Bye',
      'echo scene',
      'echoed',
      'exiting echo scene',
    ]);
    expect(last()?.text).toBe('exiting echo scene');
  });

  it('of a wizard goes from step to step', async () => {
    const { say, press, last } = await open('wizard');
    await say('begin');
    expect(last()?.text).toBe('Step 1');
    await say('nonsense');
    expect(last()?.text).toBe('Press Next button or type /next');
    await press('➡️ Next');
    expect(last()?.text).toBe('Step 2. Via inline button');
    await say('on');
    expect(last()?.text).toBe('Done');
  });

  it('of a live location moves and stops it', async () => {
    const { say, sandbox } = await open('live-location');
    const shown = () =>
      sandbox.messages(CHAT).findLast(({ message }) => message['location'])?.message['location'];
    await say('/start');
    await say('move');
    expect(shown()).toEqual({ latitude: 42.5, longitude: 42, live_period: 60 });
    await say('stop');
    expect(shown()).toEqual({ latitude: 42.5, longitude: 42 });
    await expect(say('move')).rejects.toThrow('there is no live location in the message to edit');
  });

  it('of deep linking reads the payload', async () => {
    const { say, last } = await open('deep-linking');
    await say('/start from-a-page');
    expect(last()?.text).toBe('Deep link payload: from-a-page');
  });

  it('of a shop sells', async () => {
    const { say, press, last } = await open('shop');
    await say('/buy');
    expect(last()).toMatchObject({ invoice: { currency: 'USD', total_amount: 5_200 } });
    await press('💸 Buy');
    expect(last()?.text).toBe('Woohoo: 7200 by unicorn');
  });

  it('of polls hears of votes', async () => {
    const { say, sandbox, settle } = await open('polls');
    await say('/poll');
    sandbox.vote({ chat: CHAT, options: [1] });
    await settle();
    await say('/stop');
    const texts = sandbox.messages(CHAT).map(({ message }) => message.text);
    expect(texts).toContain('Votes: 1, closed: false');
    expect(texts).toContain('You chose 1');
    expect(texts).toContain('Votes: 1, closed: true');
    expect(() => sandbox.vote({ chat: CHAT, options: [0] })).toThrow('the poll is closed');
  });
});
