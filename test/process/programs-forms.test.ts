/** Bot programs in the forms in which people write them: each is run, answers, and ends in order. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from '../support/daemon.js';
import { allAnswered, countsOf, mishaps, runProgram } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import { expectGoodEnd, launch, slowAnswers } from '../support/programs.js';
import { told } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** What the bot answers to each line; said at once, in one chat. */
async function answersTo(texts: readonly string[], chat = 1): Promise<(string | undefined)[]> {
  for (const text of texts) sandbox.say({ chat, text });
  await allAnswered(sandbox);
  return sandbox.exchanges(chat).map(({ answers }) => answers[0]?.text);
}

/** Resolves once the bot works on so many answers, which take their time. */
const atWork = (count: number) => sandbox.waitFor(() => sandbox.callCount('sendMessage') >= count);

describe.each([
  ['readme.js', 'SIGINT'],
  ['readme-esm.mjs', 'SIGTERM'],
] as const)("the example of Telegraf's README (%s)", (name, signal) => {
  it(`answers, and on ${signal} ends in order`, async () => {
    await using daemon = launch(sandbox, name);
    expect(await answersTo(['/start', '/help', 'hi', 'other'])).toEqual([
      'Welcome',
      'Send me a sticker',
      'Hey there',
      'other',
    ]);
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(signal), { reason: signal });
    expect(countsOf(receipt)).toMatchObject({ fetched: 4, handled: 4 });
  });
});

describe('launch()', () => {
  it('may be awaited at the top level: what stands behind it runs once the handlers have ended', async () => {
    slowAnswers(sandbox, 300);
    await using daemon = launch(sandbox, 'launch-awaited.mjs');
    sandbox.say('hello');
    await atWork(1);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    const [beforeDrained = '', afterDrained] = daemon.output.split('drain: stopped in');
    expect(beforeDrained).not.toContain('launch has resolved');
    expect(afterDrained).toContain('launch has resolved');
  });

  it('hands its options on: allowed updates, dropping those that wait, and onLaunch', async () => {
    sandbox.say({ text: 'old {n}', count: 3 });
    await using daemon = launch(sandbox, 'launch-options.js');
    await daemon.prints(/connected as @\w+/);
    expect(await daemon.waitFor('poll.pending-dropped')).toMatchObject({ level: 'warn', count: 3 });
    await daemon.waitFor('poll.started');
    expect(sandbox.state()).toMatchObject({ allowedUpdates: ['message', 'callback_query'], queued: 0 });
    expect((await sandbox.ask({ chat: 2, text: 'new' })).answers).toHaveLength(1);

    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 1, handled: 1 });
    expect(mishaps(sandbox)).toEqual({ lost: 3, twice: 0, outOfOrder: 0 });
    expect(daemon.output.match(/connected as/g)).toHaveLength(1);
    expect(daemon.output).toMatch(/"poll\.connected"[\s\S]*connected as @/);
  });
});

describe('a bot that is exported instead', () => {
  it.each([['instance.mjs'], ['instance.js'], ['function.mjs'], ['function.js']])('(%s)', async (name) => {
    slowAnswers(sandbox, 200);
    await using daemon = launch(sandbox, name);
    sandbox.say('hello');
    await atWork(1);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe('session and scenes', () => {
  it('are as ever, however fast somebody writes, and each chat has its own', async () => {
    await using daemon = launch(sandbox, 'session-scenes.js');
    sandbox.say({ chat: 2, text: 'alone' });
    expect(await answersTo(['a', 'b', 'enter', 'c', 'leave', 'd'])).toEqual([
      'a: message 1',
      'b: message 2',
      'enter: in the room',
      'c: in the room',
      'leave: out of the room',
      'd: message 3',
    ]);
    expect(sandbox.exchanges(2)).toMatchObject([{ answers: [{ text: 'alone: message 1' }] }]);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe('a program', () => {
  it('may bring another version of telegraf along', async () => {
    using folder = new Folder().linkPackages();
    cpSync(join(repository, 'node_modules', 'telegraf'), folder.file('mine/node_modules/telegraf'), {
      recursive: true,
    });
    const description = folder.file('mine/node_modules/telegraf/package.json');
    writeFileSync(description, readFileSync(description, 'utf8').replace('"4.16.3"', '"4.11.0"'));
    const file = folder.write(
      'mine/bot.js',
      `const { Telegraf } = require('telegraf');
      const { version } = require('./node_modules/telegraf/package.json');
      const bot = new Telegraf(process.env.BOT_TOKEN);
      bot.on('text', (ctx) => ctx.reply(ctx.message.text + ' from ' + version));
      bot.launch();
      process.once('SIGTERM', () => bot.stop('SIGTERM'));`,
    );

    slowAnswers(sandbox, 200);
    await using daemon = runProgram(sandbox, file);
    sandbox.say('hello');
    await atWork(1);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(sandbox.exchanges()).toMatchObject([{ answers: [{ text: 'hello from 4.11.0' }] }]);
  });

  it('finds its arguments, its folder, its .env and itself as under node', async () => {
    using folder = new Folder({ '.env': 'GREETING="good day"\n' }).linkPackages();
    cpSync(fixture('bots', 'surroundings.js'), folder.file('bot.js'));
    await using daemon = runProgram(sandbox, 'bot.js', {
      cwd: folder.path,
      args: ['--', 'one', '--stop-timeout=2'],
    });
    expect(await answersTo(['hello'])).toEqual([
      ['hello', 'good day', 'one', '--stop-timeout=2', folder.path, folder.file('bot.js')].join('|'),
    ]);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(told(daemon, 'config.warning')).toEqual([]);
  });
});
