/** The same program with each minor of Telegraf 4, as a real process: its copy is found, known and taken over. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fixture, spawnDaemon } from '../support/daemon.js';
import { Folder, repository } from '../support/folder.js';
import { closeHttpApis, isByTelegraf, startHttpApi } from '../support/http-api.js';
import { telegrafVersions } from '../support/telegraf-versions.js';
import { newToken } from '../support/token.js';

const me = { id: 1, is_bot: true, username: 'driven_bot', first_name: 'B' };
const refusal = { ok: false, error_code: 400, description: 'Bad Request: no' };

/** A Bot API that tells which client has sent each message. */
async function botApi() {
  const { apiRoot, received } = await startHttpApi((response, { url, body }) => {
    const result = url?.endsWith('/getMe') ? me : true;
    response.end(JSON.stringify(body.includes('refuse this') ? refusal : { ok: true, result }));
  });
  const sends = () => received.filter(({ url }) => url?.endsWith('/sendMessage'));
  return {
    root: apiRoot,
    get clients() {
      return sends().map((request) => (isByTelegraf(request) ? "Telegraf's" : 'plain'));
    },
  };
}

afterEach(closeHttpApis);

interface RunOptions {
  readonly file?: string;
  readonly nodeArgs?: readonly string[];
}

function run(
  apiRoot: string,
  env: Readonly<Record<string, string>> = {},
  { file = fixture('bots', 'any-telegraf.js'), nodeArgs = [] }: RunOptions = {},
) {
  const dist = process.env['LASTCALL_DIST'];
  return spawnDaemon({
    file: fixture('drivers', 'run-bot.mjs'),
    args: [file],
    nodeArgs,
    env: {
      BOT_TOKEN: newToken(),
      TELEGRAM_API_ROOT: apiRoot,
      CONNECT: 'hello',
      ...(dist && { LASTCALL_DIST: dist }),
      ...env,
    },
  });
}

describe.each(telegrafVersions)('Telegraf 4.$minor', ({ minor, name }) => {
  it('is launched and stopped, and its handlers call by a plain call', async () => {
    const api = await botApi();
    await using daemon = run(api.root, { TELEGRAF: name });
    expect(await daemon.waitFor('seen')).toMatchObject({
      signal: true,
      attempt: 1,
      sent: true,
      refused: 400,
      counted: 0,
    });
    expect((await daemon.waitFor('update'))['result']).toBe('handled');
    expect(api.clients).toEqual(['plain', 'plain']);

    daemon.kill('SIGTERM');
    expect(await daemon.waitFor('stopped')).toMatchObject({ restored: true });
    expect(await daemon.end()).toMatchObject({ code: 0 });
    // Before 4.11 `launch` did not await the polling.
    const order = daemon.events().filter((event) => event === 'launch resolved' || event === 'stopping');
    expect(order).toEqual(minor < 11 ? ['launch resolved', 'stopping'] : ['stopping', 'launch resolved']);
  });

  it('calls by its own client where the program has patched that', async () => {
    const api = await botApi();
    await using daemon = run(api.root, { TELEGRAF: name, PATCHED: 'yes' });
    expect(await daemon.waitFor('seen')).toMatchObject({
      signal: true,
      sent: true,
      refused: 400,
      counted: 2,
    });
    expect(api.clients).toEqual(["Telegraf's", "Telegraf's"]);
  });
});

it('the copy that an ES module imports is known as well', async () => {
  const api = await botApi();
  await using daemon = run(api.root, {}, { file: fixture('bots', 'readme-esm.mjs') });
  await daemon.waitFor('update');
  expect(api.clients).toEqual(['plain']);
});

it('reads no getter of a module that only looks like Telegraf', async () => {
  using folder = new Folder({
    'like-telegraf.js': `
      for (const name of ['Telegraf', 'Telegram', 'TelegramError'])
        Object.defineProperty(exports, name, { get() { throw new Error('a getter was read'); } });
    `,
    'bot.js': `
      require('./like-telegraf.js');
      const { Telegraf } = require('telegraf');
      new Telegraf(process.env.BOT_TOKEN).launch();
    `,
  }).linkPackages();
  const api = await botApi();
  await using daemon = run(api.root, {}, { file: folder.file('bot.js') });
  expect(await daemon.waitFor('update')).toMatchObject({ result: 'handled' });
});

describe('a copy of Telegraf that nobody can vouch for calls by its own client:', () => {
  it('one that was loaded before lastcall', async () => {
    const api = await botApi();
    const nodeArgs = ['--require', join(repository, 'node_modules', 'telegraf', 'lib', 'index.js')];
    await using daemon = run(api.root, { TELEGRAF: 'telegraf' }, { nodeArgs });
    expect(await daemon.waitFor('seen')).toMatchObject({ signal: true, sent: true, refused: 400 });
    expect(api.clients).toEqual(["Telegraf's", "Telegraf's"]);
  });

  it('one of another name: a fork', async () => {
    using folder = new Folder().linkPackages();
    const fork = folder.file('fork');
    cpSync(join(repository, 'node_modules', 'telegraf'), fork, { recursive: true });
    const description = readFileSync(join(fork, 'package.json'), 'utf8');
    folder.write('fork/package.json', description.replace('"name": "telegraf"', '"name": "telegraf-fork"'));
    const api = await botApi();
    await using daemon = run(api.root, { TELEGRAF: fork });
    expect(await daemon.waitFor('seen')).toMatchObject({ signal: true, sent: true, refused: 400 });
    expect(api.clients).toEqual(["Telegraf's", "Telegraf's"]);
  });
});
