/** Bots written for the libraries that the bench compares, and one more: each gets on with the sandbox as with Telegram. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { mishaps } from '../support/delivery.js';
import { Talk } from '../support/talk.js';
import { newToken } from '../support/token.js';

// All start at once.
jest.setTimeout(60_000);

const CHATS = 10;
const TEXTS = 10;

const telegraf = fixture('clients', 'telegraf.mjs');
const grammy = fixture('clients', 'grammy.mjs');
const clients = [
  { name: 'Telegraf', file: telegraf, args: [] },
  { name: 'Telegraf under lastcall', args: ['run', telegraf] },
  { name: 'grammY', file: grammy, args: [] },
  { name: 'grammY with its runner', file: grammy, args: [], env: { RUNNER: 'yes' } },
  { name: 'node-telegram-bot-api', file: fixture('clients', 'node-telegram-bot-api.mjs'), args: [] },
].map((client) => ({ ...client, token: newToken() }));

let sandbox: Sandbox;
const programs: Daemon[] = [];

beforeAll(async () => {
  sandbox = await startSandbox();
  for (const { token, env, ...program } of clients)
    programs.push(
      spawnDaemon({ ...program, env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: sandbox.apiRoot, ...env } }),
    );
  const bots = clients.map(({ token }) => sandbox.bot(token));
  await sandbox.waitFor(() => bots.every((bot) => bot.callCount('getUpdates') > 0), 60_000);
});

afterAll(async () => {
  for (const program of programs) await program[Symbol.asyncDispose]();
  await sandbox.close();
});

/** The names of the methods whose calls were refused or left open, those of the long polls apart. */
const failed = (bot: SandboxBot) =>
  bot
    .calls()
    .filter(({ method, answered }) => answered?.status !== 200 && method.toLowerCase() !== 'getupdates')
    .map(({ method, answered }) => `${method}: ${answered?.body}`);

describe.each(clients)('$name', ({ token }) => {
  it('echoes every text once', async () => {
    const bot = sandbox.bot(token);
    for (let chat = 101; chat <= 100 + CHATS; chat++) bot.say({ chat, text: 'text {n}', count: TEXTS });
    await sandbox.waitFor(() => bot.unanswered === 0 && bot.state().queued === 0);
    expect(bot.exchanges()).toHaveLength(CHATS * TEXTS);
    expect(mishaps(bot)).toMatchObject({ lost: 0, twice: 0 });
    for (const { text, answers } of bot.exchanges()) expect(answers[0]?.text).toBe(text);
    expect(failed(bot)).toEqual([]);
  });

  it('offers a button, answers its press, and edits the message', async () => {
    const bot = sandbox.bot(token);
    const talk = new Talk(sandbox, bot);
    talk.say('/ask');
    await talk.shows(() => expect(talk.last).toMatchObject({ text: 'Well?', reply_markup: {} }));
    talk.press('Yes');
    await talk.shows(() => expect(talk.last?.text).toBe('Yes!'));
    expect(talk.toast).toBe('Thanks');
    expect(talk.last).not.toHaveProperty('reply_markup');
    expect(failed(bot)).toEqual([]);
  });

  it('uploads a file that can be downloaded', async () => {
    const bot = sandbox.bot(token);
    const talk = new Talk(sandbox, bot);
    talk.say('/file');
    const file = { file_id: expect.any(String), file_name: 'the file.txt', file_size: 7 };
    await talk.shows(() => expect(talk.last).toMatchObject({ caption: 'Look', document: file }));
    const { document } = talk.last as unknown as { document: { file_id: string } };
    const { apiRoot } = sandbox;
    const found = await fetch(`${apiRoot}/bot${token}/getFile?file_id=${document.file_id}`);
    const { result } = (await found.json()) as { result: { file_path: string } };
    const content = await fetch(`${apiRoot}/file/bot${token}/${result.file_path}`);
    expect(await content.text()).toBe('CONTENT');
    expect(failed(bot)).toEqual([]);
  });
});
