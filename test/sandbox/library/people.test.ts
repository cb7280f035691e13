/** People of a sandbox and a bot of Telegraf, as in the tests of somebody's own bot. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Markup, Telegraf } from 'telegraf';
import { createSandbox, type Sandbox } from '../../../src/sandbox/index.js';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});
afterEach(() => sandbox.close());

/** Starts a bot with the handlers that `register` adds. */
async function start(
  register: (bot: Telegraf) => void,
  allowedUpdates?: readonly string[],
): Promise<Telegraf> {
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  register(bot);
  const launch = bot.launch.bind(bot);
  await sandbox.start(
    allowedUpdates
      ? { start: () => launch({ allowedUpdates: allowedUpdates as never }), stop: () => bot.stop() }
      : bot,
  );
  return bot;
}

describe('a person', () => {
  it('says something, and hears the answer', async () => {
    await start((bot) => bot.start((ctx) => ctx.replyWithHTML(`Hello, <b>${ctx.from.first_name}</b>!`)));
    const ann = sandbox.person('Ann');
    const said = await ann.say('/start');
    const heard = await ann.hears('Hello, Ann!');
    expect(said).toMatchObject({ from: 'Ann', text: '/start', entities: [{ type: 'bot_command' }] });
    expect(heard).toMatchObject({ from: 'Sandbox', entities: [{ type: 'bold', offset: 7, length: 3 }] });
    expect(ann.messages().map(({ text }) => text)).toEqual(['/start', 'Hello, Ann!']);
  });

  it('is known to the bot by all that the test says of them', async () => {
    await start((bot) => bot.on('text', (ctx) => ctx.reply(JSON.stringify(ctx.from))));
    const ann = sandbox.person({
      firstName: 'Ann',
      lastName: 'Lee',
      username: 'annlee',
      languageCode: 'de',
      id: 7,
    });
    await ann.say('who am I?');
    expect(JSON.parse((await ann.hears()).text)).toEqual({
      id: 7,
      is_bot: false,
      first_name: 'Ann',
      last_name: 'Lee',
      username: 'annlee',
      language_code: 'de',
    });
    expect(() => sandbox.person({ firstName: 'Bob', id: -1 })).toThrow('above 0');
  });

  it('hears each message once and in order, edits among them, and passes over what was not asked for', async () => {
    await start((bot) =>
      bot.on('text', async (ctx) => {
        const { message_id } = await ctx.reply('working');
        await ctx.telegram.editMessageText(ctx.chat.id, message_id, undefined, 'almost');
        await ctx.telegram.editMessageText(ctx.chat.id, message_id, undefined, 'done');
        await ctx.reply('anything else?');
      }),
    );
    const ann = sandbox.person('Ann');
    await ann.say('go');
    await ann.hears(/^work/);
    expect(await ann.hears('done')).toMatchObject({ isEdited: true });
    expect(await ann.hears()).toMatchObject({ text: 'anything else?' });
    await ann.hearsNothing();
    expect(ann.messages().map(({ text }) => text)).toEqual(['go', 'done', 'anything else?']);
  });

  it('presses a button as soon as there is one, and is shown the toast', async () => {
    await start((bot) => {
      bot.command('ask', (ctx) =>
        ctx.reply(
          'Coffee?',
          Markup.inlineKeyboard([[Markup.button.callback('Yes', 'y')], [Markup.button.callback('No', 'n')]]),
        ),
      );
      bot.action('y', async (ctx) => {
        await ctx.editMessageText('Coffee!');
        await ctx.answerCbQuery('Coming');
      });
      bot.action('n', (ctx) => ctx.answerCbQuery());
    });
    const ann = sandbox.person('Ann');
    await ann.say('/ask');
    expect(await ann.press('n')).toBe('');
    expect(await ann.press('Yes')).toBe('Coming');
    await sandbox.settled();
    expect(sandbox.calls({ method: 'answerCallbackQuery' })).toHaveLength(2);
    expect(ann.messages().at(-1)).toMatchObject({ text: 'Coffee!', buttons: [] });
    expect((await ann.hears('Coffee?')).buttons).toEqual([['Yes'], ['No']]);
    await expect(ann.press('Yes', { within: 10 })).rejects.toThrow('there is no button "Yes"');
  });

  it('presses the button of the next page, and that of the same one only when there is no other', async () => {
    const next = Markup.inlineKeyboard([Markup.button.callback('Next', 'next')]);
    const pressed: string[] = [];
    let page = 0;
    await start((bot) => {
      bot.start((ctx) => ctx.reply('page 0', next));
      bot.action('next', async (ctx) => {
        pressed.push(ctx.text ?? '');
        await ctx.answerCbQuery();
        // Something that takes a while before there is another page.
        await ctx.sendChatAction('typing');
        if (++page < 3) await ctx.reply(`page ${page}`, next);
      });
    });
    const ann = sandbox.person('Ann');
    await ann.say('/start');
    for (let press = 0; press < 4; press++) await ann.press('Next');
    expect(pressed).toEqual(['page 0', 'page 1', 'page 2', 'page 2']);
    await ann.press('Next', { message: (await ann.hears('page 0')).id });
    expect(pressed.at(-1)).toBe('page 0');
  });

  it('presses an edited message again at once, and says what it waits for', async () => {
    const more = Markup.inlineKeyboard([Markup.button.callback('More', 'more')]);
    let release = () => {};
    await start((bot) => {
      bot.start((ctx) => ctx.reply('0', more));
      bot.action('more', async (ctx) => {
        await ctx.answerCbQuery();
        if (ctx.text === '1')
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        else await ctx.editMessageText('1', more);
      });
    });
    const ann = sandbox.person('Ann');
    await ann.say('/start');
    await ann.press('More');
    await ann.press('More');
    await expect(ann.press('More', { within: 1 })).rejects.toThrow(
      'the newest message with a button "More" was pressed before and is still the same, while the bot is at work',
    );
    release();
    await sandbox.settled();
    expect(sandbox.calls({ method: 'answerCallbackQuery' })).toHaveLength(2);
  });

  it('waits for the next keyboard before a second press, too', async () => {
    await start((bot) => {
      bot.command('menu', (ctx) => ctx.reply('0', Markup.keyboard([['Next', 'Back']])));
      bot.hears('Next', async (ctx) => {
        await ctx.sendChatAction('typing');
        await ctx.reply('1', Markup.keyboard([['Back', 'Next']]));
      });
      bot.hears('Back', (ctx) => ctx.reply('back'));
    });
    const ann = sandbox.person('Ann');
    await ann.say('/menu');
    await ann.press('Next');
    await ann.press('Back');
    await ann.press('Next');
    await ann.hears('back');
    expect(ann.messages().map(({ text }) => text)).toEqual([
      '/menu',
      '0',
      'Next',
      '1',
      'Back',
      'back',
      'Next',
    ]);
  });

  it('presses a button of the keyboard below the chat, which says its text', async () => {
    await start((bot) => {
      bot.command('menu', (ctx) => ctx.reply('Choose', Markup.keyboard([['Pizza', 'Pasta']])));
      bot.hears('Pasta', (ctx) => ctx.reply('Good choice'));
    });
    const ann = sandbox.person('Ann');
    await ann.say('/menu');
    await ann.hears('Choose');
    expect(ann.keyboard).toEqual([['Pizza', 'Pasta']]);
    expect(await ann.press('Pasta')).toBe('');
    await ann.hears('Good choice');
  });

  it('uploads files, which the bot can download, and gets files back', async () => {
    await start((bot) => {
      bot.on('photo', async (ctx) => {
        const url = await ctx.telegram.getFileLink(ctx.message.photo[0]?.file_id ?? '');
        const content = Buffer.from(await (await fetch(url)).arrayBuffer());
        await ctx.replyWithDocument(
          { source: content, filename: 'copy.png' },
          { caption: ctx.message.caption ?? '' },
        );
      });
      bot.on('voice', (ctx) => ctx.reply(`${ctx.message.voice.file_size} bytes of voice`));
    });
    const ann = sandbox.person('Ann');
    const sent = await ann.upload({ photo: Buffer.from('a picture'), caption: '#me' });
    expect(sent).toMatchObject({ text: '#me', entities: [{ type: 'hashtag' }], file: { kind: 'photo' } });
    const { file } = await ann.hears('#me');
    expect(file).toMatchObject({ kind: 'document', name: 'copy.png' });
    expect(file?.content.toString()).toBe('a picture');
    await ann.upload({ voice: new Uint8Array(3) });
    await ann.hears('3 bytes of voice');
    await expect(ann.upload({ photo: 'path.png' } as never)).rejects.toMatchObject({ code: 'MISUSED' });
  });

  it('edits and replies, votes, and sends anything else', async () => {
    await start((bot) => {
      bot.on('edited_message', (ctx) =>
        ctx.reply(`edited to ${'text' in ctx.editedMessage ? ctx.editedMessage.text : ''}`),
      );
      bot.command('poll', (ctx) => ctx.replyWithPoll('Tea?', ['Yes', 'No'], { is_anonymous: false }));
      bot.on('poll_answer', (ctx) =>
        ctx.telegram.sendMessage(ctx.pollAnswer.user?.id ?? 0, `vote ${ctx.pollAnswer.option_ids}`),
      );
      bot.on('location', (ctx) => ctx.reply(`at ${ctx.message.location.latitude}`));
      bot.on('text', (ctx) => ctx.reply(`to ${ctx.message.reply_to_message?.message_id}`));
    });
    const ann = sandbox.person('Ann');
    const said = await ann.say('one');
    await ann.edit(said, 'two');
    await ann.hears('edited to two');
    await ann.say('three', { replyTo: said });
    await ann.hears(`to ${said.id}`);
    await ann.say('/poll');
    await ann.hears('Tea?');
    await ann.vote('No');
    expect((await ann.hears()).text).toBe('vote 1');
    await expect(ann.vote('Maybe')).rejects.toThrow('the newest one has Yes, No');
    await ann.send({ location: { latitude: 52.4, longitude: 4.9 } });
    await ann.hears('at 52.4');
    await expect(ann.edit(ann.messages().at(-1)?.id ?? 0, 'x')).rejects.toThrow(
      'a person can edit only their own messages.\nNext step: edit a message that the person has sent',
    );
    await expect(sandbox.person('Bob').vote('No')).rejects.toMatchObject({
      nextStep: expect.stringContaining('hear the poll first'),
    });
    await expect(ann.say('x', { replyTo: 999 })).rejects.toThrow('no message 999');
  });

  it('reacts, where the bot has asked for reactions, and sees those of the bot', async () => {
    const bot = await start(
      (telegraf) => {
        telegraf.on('text', (ctx) => ctx.react('👀'));
        telegraf.on('message_reaction', (ctx) => ctx.telegram.sendMessage(ctx.chat.id, 'thank you'));
      },
      ['message', 'message_reaction'],
    );
    const ann = sandbox.person('Ann');
    await ann.say('look');
    await sandbox.settled();
    expect(ann.messages().at(-1)?.reactions).toEqual(['👀']);
    await ann.react('👍');
    await ann.hears('thank you');
    await expect(ann.react('👍', 999)).rejects.toMatchObject({ code: 'MISUSED' });

    await bot.telegram.callApi('getUpdates', { allowed_updates: ['message'], timeout: 0 });
    await expect(ann.react('👎')).rejects.toMatchObject({ code: 'UPDATE_NOT_WANTED' });
  });

  it('asks inline, and is offered results', async () => {
    await start((bot) =>
      bot.on('inline_query', (ctx) =>
        ctx.answerInlineQuery([
          {
            type: 'article',
            id: '1',
            title: ctx.inlineQuery.query,
            input_message_content: { message_text: 'x' },
          },
        ]),
      ),
    );
    expect(await sandbox.person('Ann').asksInline('cats')).toMatchObject([{ id: '1', title: 'cats' }]);
  });

  it('blocks the bot, which is then refused', async () => {
    const bot = await start((telegraf) => telegraf.on('my_chat_member', (ctx) => void ctx.myChatMember));
    const ann = sandbox.person('Ann');
    await ann.block();
    await expect(bot.telegram.sendMessage(ann.id, 'hello?')).rejects.toThrow('bot was blocked by the user');
    await expect(ann.say('hi')).rejects.toThrow('Ann has blocked the bot');
    await ann.unblock();
    await bot.telegram.sendMessage(ann.id, 'hello!');
    await ann.hears('hello!');
  });

  it('sees the commands of the bot', async () => {
    const bot = await start(() => {});
    await bot.telegram.setMyCommands([{ command: 'help', description: 'helps' }]);
    expect(sandbox.person('Ann').commands).toEqual(['help']);
  });
});

describe('a group', () => {
  it('is heard by everybody in it, each for themselves, and apart from private chats', async () => {
    await start((bot) => bot.on('text', (ctx) => ctx.reply(`${ctx.from.first_name} in ${ctx.chat.type}`)));
    const [ann, bob] = [sandbox.person('Ann'), sandbox.person('Bob')];
    const team = sandbox.group({ title: 'Team', members: [ann, bob], type: 'supergroup' });
    await ann.in(team).say('hi');
    await bob.in(team).hears('Ann in supergroup');
    await ann.in(team).hears('Ann in supergroup');
    await ann.in(team).hearsNothing();
    await ann.say('hi');
    await ann.hears('Ann in private');
    expect(team).toMatchObject({ title: 'Team', members: ['Sandbox', 'Ann', 'Bob'] });
    expect(team.messages()).toHaveLength(2);
  });

  it('is heard from when a person has joined', async () => {
    const bot = await start(() => {});
    const [ann, bob] = [sandbox.person('Ann'), sandbox.person('Bob')];
    const team = sandbox.group({ title: 'Team', members: [ann] });
    await bot.telegram.sendMessage(team.id, 'before');
    await team.add(bob);
    await bot.telegram.sendMessage(team.id, 'after');
    expect((await bob.in(team).hears()).text).toBe('after');
    expect((await ann.in(team).hears()).text).toBe('before');
    await team.add(bob);
    await ann.in(team).hears('after');
  });

  it('is joined and left, and has administrators', async () => {
    const bot = await start((telegraf) => {
      telegraf.on('new_chat_members', (ctx) =>
        ctx.reply(`Welcome, ${ctx.message.new_chat_members[0]?.first_name}`),
      );
      telegraf.on('left_chat_member', (ctx) => ctx.reply(`Bye, ${ctx.message.left_chat_member.first_name}`));
    });
    const [ann, bob] = [sandbox.person('Ann'), sandbox.person('Bob')];
    const team = sandbox.group({ title: 'Team', admins: [ann] });
    await expect(bob.in(team).say('hi')).rejects.toThrow('Bob is not in the group');
    await team.add(bob);
    await bob.in(team).hears('Welcome, Bob');
    expect(team.has(bob)).toBe(true);
    await team.remove(bob);
    await ann.in(team).hears('Bye, Bob');
    const admins = await bot.telegram.getChatAdministrators(team.id);
    expect(admins.map(({ user }) => user.first_name)).toEqual(['Sandbox', 'Ann']);
    await team.removeBot(ann);
    await expect(bot.telegram.sendMessage(team.id, 'x')).rejects.toThrow(
      'bot was kicked from the group chat',
    );
    expect(() => sandbox.group({ title: 'Nobody' })).toThrow('has nobody in it');
  });
});
