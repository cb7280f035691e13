/** When a program counts as loaded, and what of it is run: its launch, what it exports, or nothing. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, type DaemonOptions, fixture, spawnDaemon } from '../support/daemon.js';
import { allAnswered, runProgram } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { expectGoodEnd, launch } from '../support/programs.js';
import { told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(60_000);

let sandbox: Sandbox;
let folder: Folder;
beforeEach(async () => {
  sandbox = await startSandbox();
  folder = new Folder().linkPackages();
});
afterEach(async () => {
  await sandbox.close();
  folder[Symbol.dispose]();
});

/** The beginning of a program that has a bot. */
const withBot = `
  const { Telegraf } = require('telegraf');
  const bot = new Telegraf(process.env.BOT_TOKEN, { telegram: { apiRoot: process.env.TELEGRAM_API_ROOT } });
  bot.on('text', (ctx) => ctx.reply('ok'));
  process.once('SIGTERM', () => bot.stop('SIGTERM'));
`;

const program = (source: string, name = 'bot.cjs'): string => folder.write(name, source);
const run = (file: string, env: DaemonOptions['env'] = {}): Daemon => runProgram(sandbox, file, { env });

/** The same file under plain Node. */
const plain = (file: string, env: DaemonOptions['env'] = {}): Daemon =>
  spawnDaemon({
    file,
    args: [],
    env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot, ...env },
  });

/** What the bot has answered to each line in the chat. */
const answered = (chat = 1): unknown[] =>
  sandbox.exchanges(chat).map(({ answers }) => answers.map(({ text }) => text));

/** How a start ended that gave no bot; it must not take its time limit for that. */
async function refused(file: string, env: DaemonOptions['env'] = {}) {
  await using daemon = run(file, env);
  const begun = performance.now();
  const { code } = await daemon.end();
  expect(performance.now() - begun).toBeLessThan(15_000);
  expect(sandbox.callCount('getUpdates')).toBe(0);
  return { code, reason: String(daemon.receipt['reason']), output: daemon.output };
}

describe('a program that exports its bot and launches it later', () => {
  it.each([['launches-later.js'], ['launches-later.mjs']])(
    'is polled when it launches, with the options of its launch, as under node (%s)',
    async (name) => {
      const env = { DATABASE_MS: '1500' };
      sandbox.say({ text: 'waits {n}', count: 3 });
      {
        await using daemon = launch(sandbox, name, { env });
        await allAnswered(sandbox);
        expect(answered()).toEqual([['database'], ['database'], ['database']]);
        expect(sandbox.state().allowedUpdates).toEqual(['message', 'message_reaction']);
        expect(daemon.events()).not.toContain('program.export-used');
        expectGoodEnd(sandbox, daemon, await daemon.stop());
      }
      await using daemon = plain(fixture('bots', name), env);
      sandbox.say({ chat: 2, text: 'waits, too' });
      await allAnswered(sandbox);
      expect(answered(2)).toEqual([['database']]);
      expect(sandbox.state().allowedUpdates).toEqual(['message', 'message_reaction']);
      await daemon.stop();
    },
  );
});

describe('a bot that is only exported', () => {
  it('is polled at once when its program has come to rest', async () => {
    await using daemon = run(fixture('bots', 'instance.js'));
    await sandbox.ask('hello');
    expect(told(daemon, 'hook.started')[0]).toMatchObject({ hook: 'bot' });
    expect(Number(told(daemon, 'hook.started')[0]?.['durationMs'])).toBeLessThan(900);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });

  it.each([
    [
      'a server and an interval',
      `require('node:http').createServer().listen(0); setInterval(() => {}, 1_000);`,
      5_000,
    ],
    [
      'a connection that nothing comes of',
      `require('node:net').connect(Number(process.env.PORT), '127.0.0.1');`,
      20_000,
    ],
  ])('is polled, with a word, although its program has %s open', async (_, source, withinMs) => {
    const database = createServer().listen(0, '127.0.0.1');
    await once(database, 'listening');
    try {
      const { port } = database.address() as { port: number };
      await using daemon = run(program(`${withBot} ${source} module.exports = bot;`), { PORT: `${port}` });
      await daemon.waitFor('program.export-used', withinMs);
      await sandbox.ask('hello');
      expectGoodEnd(sandbox, daemon, await daemon.stop());
    } finally {
      database.close();
    }
  });

  it('is not polled while its program tries to reach its database, and then ends with 1', async () => {
    const source = `${withBot} module.exports = bot;
      const connect = () => require('node:net').connect(1, '127.0.0.1').on('error', () => setTimeout(connect, 100));
      connect();`;
    await using daemon = run(program(source), { START_TIMEOUT: '12s' });
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt['reason']).toMatch(
      /has launched no bot in 11\.[78] s .*: it exports a Telegraf instance/,
    );
    expect(sandbox.callCount('getUpdates')).toBe(0);
  });

  it('and has no handlers is refused: it would only lose its updates', async () => {
    const file = program(
      `const { Telegraf } = require('telegraf'); module.exports = new Telegraf('4711:token');`,
    );
    expect(await refused(file)).toMatchObject({
      code: 78,
      reason: expect.stringMatching(/exports a bot that has no handlers, and has nothing left to do$/),
    });
  });
});

describe('a program that has come to rest without a bot', () => {
  it('is told so at once, and is not to be restarted, where it has waited for nothing', async () => {
    expect(await refused(program(withBot))).toMatchObject({
      code: 78,
      reason: expect.stringMatching(
        /bot\.cjs has nothing left to do and has launched no bot: it exports nothing, and has not called launch/,
      ),
    });
  });

  it.each([
    [
      'bot.cjs',
      `require('node:net').connect(1, '127.0.0.1').on('connect', () => bot.launch()).on('error', console.error);`,
    ],
    [
      'bot.mjs',
      `import { connect } from 'node:net'; import { once } from 'node:events';
      try { await once(connect(1, '127.0.0.1'), 'connect'); } catch (error) { console.error(error); }`,
    ],
    [
      'slow.cjs',
      `require('node:crypto').pbkdf2('p', 's', 300_000, 64, 'sha512', () => console.error('ECONNREFUSED'));`,
    ],
  ])('is to be restarted where it has waited in vain for its database (%s)', async (name, source) => {
    const file = program(name.endsWith('.mjs') ? source : `${withBot} ${source}`, name);
    const { code, reason, output } = await refused(file);
    expect({ code, reason }).toEqual({
      code: 1,
      reason: expect.stringMatching(/has nothing left to do and has launched no bot: it exports nothing/),
    });
    expect(output).toContain('ECONNREFUSED');
  });

  it('is to be restarted where it still waits for its database at the end of START_TIMEOUT', async () => {
    const source = `${withBot}
      const connect = () => require('node:net').connect(1, '127.0.0.1')
        .on('connect', () => bot.launch()).on('error', () => setTimeout(connect, 100));
      connect();`;
    await using daemon = run(program(source), { START_TIMEOUT: '1s' });
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt).toMatchObject({ level: 'warn', err: { code: 'BOT_NOT_LAUNCHED' } });
  });

  it('may begin something then, as under node', async () => {
    const source = `${withBot} process.once('beforeExit', () => bot.launch());`;
    await using daemon = run(program(source));
    await sandbox.ask('hello');
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe('what a program exports beside a launch of its own', () => {
  it.each([
    [
      'a web application',
      'bot.cjs',
      `${withBot}
      const app = (q, r) => { r.setHeader('x', 'y'); r.end('ok'); };
      const server = require('node:http').createServer(app).listen(0, () => bot.launch());
      process.once('SIGTERM', () => server.close());
      module.exports = app;`,
    ],
    [
      'a handler of requests that survives anything',
      'bot.mjs',
      `import { Telegraf } from 'telegraf';
      const bot = new Telegraf(process.env.BOT_TOKEN, { telegram: { apiRoot: process.env.TELEGRAM_API_ROOT } });
      bot.on('text', (ctx) => ctx.reply('ok'));
      export default async function handler(req, res) { try { await bot.handleUpdate(req.body); } catch {} res?.end?.(); }
      setTimeout(() => bot.launch(), 300);
      process.once('SIGTERM', () => bot.stop('SIGTERM'));`,
    ],
    [
      'its main(), which it calls itself',
      'bot.cjs',
      `${withBot}
      module.exports = async function main() {
        console.log('main is called');
        await new Promise((resolve) => setTimeout(resolve, 300));
        await bot.launch();
      };
      if (require.main === module) module.exports();`,
    ],
  ])('is not called: %s', async (_, name, source) => {
    const file = program(source, name);
    sandbox.say({ text: 'one {n}', count: 3 });
    {
      await using daemon = run(file);
      await allAnswered(sandbox);
      expect(daemon.output.match(/main is called/g) ?? ['once']).toHaveLength(1);
      expectGoodEnd(sandbox, daemon, await daemon.stop());
    }
    await using daemon = plain(file);
    sandbox.say({ text: 'two {n}', count: 3 });
    await allAnswered(sandbox);
    expect(answered()).toEqual(Array.from({ length: 6 }, () => ['ok']));
    await daemon.stop();
  });

  it('is named where it launches nothing: a function of (req, res) cannot set up a bot', async () => {
    expect(await refused(program(`${withBot} module.exports = bot.webhookCallback('/x');`))).toMatchObject({
      code: 78,
      reason: expect.stringContaining('it exports a function of (req, res, next), which cannot set up a bot'),
    });
  });
});

describe('a function that has put no handler on its bot', () => {
  it('gets no update: the start ends with 78', async () => {
    const file = program(`module.exports = async (event) => ({ statusCode: 200 });`);
    expect(await refused(file)).toMatchObject({
      code: 78,
      reason: expect.stringMatching(/its function has put no handler on the bot that it was given$/),
    });
  });

  it.each([
    ['yet', `setTimeout(() => bot.on('text', (ctx) => ctx.reply('ok')), 300);`],
    [
      'but has a hook do so',
      `lifecycle.add({ name: 'database', start: async () => { bot.on('text', (ctx) => ctx.reply('ok')); } });`,
    ],
  ])('%s, is waited for', async (_, source) => {
    sandbox.say({ text: 'waits {n}', count: 3 });
    await using daemon = run(program(`module.exports = ({ bot, lifecycle }) => { ${source} };`));
    await allAnswered(sandbox);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });

  it('but launches a bot of its own, has that one polled', async () => {
    await using daemon = run(program(`${withBot} module.exports = () => { bot.launch(); };`));
    await sandbox.ask('hello');
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe('a program whose bot has no token', () => {
  it.each([
    ['launched', 'bot.launch();'],
    ['exported', 'module.exports = bot;'],
  ])('(%s) is refused in plain words', async (_, source) => {
    const { code, reason } = await refused(program(`${withBot} ${source}`), { BOT_TOKEN: '' });
    expect({ code, reason }).toEqual({ code: 78, reason: 'the bot in bot.cjs has no token' });
  });
});

describe('two programs that share an .env', () => {
  it('run side by side, each with the bot that it launches', async () => {
    const other = sandbox.bot(newToken());
    folder.write(
      '.env',
      `BOT_TOKEN=${sandbox.token}\nADMIN_BOT_TOKEN=${other.token}\nTELEGRAM_API_ROOT=${sandbox.apiRoot}\n`,
    );
    const start = (variable: string) =>
      spawnDaemon({
        args: [
          'run',
          program(withBot.replace('BOT_TOKEN', variable).concat('bot.launch();'), `${variable}.cjs`),
        ],
        cwd: folder.path,
        env: { STATE_DIR: folder.file('state') },
      });
    await using shop = start('BOT_TOKEN');
    await sandbox.ask('hello');
    await using admin = start('ADMIN_BOT_TOKEN');
    other.say('hello');
    await sandbox.waitFor(() => other.report().unanswered === 0);
    expect(admin.events()).not.toContain('lock.waiting');
    for (const daemon of [shop, admin]) expectGoodEnd([sandbox, other], daemon, await daemon.stop());
  });
});
