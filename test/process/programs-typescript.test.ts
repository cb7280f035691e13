/** Bot programs in TypeScript, with the loaders that people run them with: as under node with the same flags. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, type DaemonOptions, spawnDaemon } from '../support/daemon.js';
import { allAnswered, runProgram } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import { expectGoodEnd } from '../support/programs.js';

jest.setTimeout(60_000);

const packageFile = (...path: string[]) => join(repository, 'node_modules', ...path);
const tsNode = packageFile('ts-node', 'register', 'index.js');
const tsx = packageFile('tsx', 'dist', 'loader.mjs');
const tsxCjs = packageFile('tsx', 'dist', 'cjs', 'index.cjs');

/** The repository's own compiler is too new for ts-node. */
const env = { TS_NODE_COMPILER: 'typescript-5' };

const options = `{ telegram: { apiRoot: process.env.TELEGRAM_API_ROOT as string } }`;
const body = `
  const bot: Telegraf = new Telegraf(process.env.BOT_TOKEN as string, ${options});
  bot.on('text', (ctx) => ctx.reply(answer));
  process.once('SIGTERM', () => bot.stop('SIGTERM'));
`;
const mainByRequire = 'if (require.main === module) bot.launch();';
const files = {
  'package.json': '{ "private": true }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'commonjs',
      target: 'es2022',
      esModuleInterop: true,
      moduleResolution: 'node',
      skipLibCheck: true,
      baseUrl: '.',
      paths: { '@texts/*': ['texts/*'] },
    },
    'ts-node': { transpileOnly: true },
  }),
  'texts/answer.ts': `export const answer: string = 'from TypeScript';`,
  'bot.ts': `import { Telegraf } from 'telegraf'; import { answer } from './texts/answer'; ${body} ${mainByRequire}`,
  'alias.ts': `import { Telegraf } from 'telegraf'; import { answer } from '@texts/answer'; ${body} ${mainByRequire}`,
  'bot.cts': `import { Telegraf } from 'telegraf'; const answer: string = 'from TypeScript'; ${body} ${mainByRequire}`,
  'bot.mts': `import { Telegraf } from 'telegraf'; const answer: string = 'from TypeScript'; ${body} await bot.launch();`,
  'exported.ts': `import { Telegraf } from 'telegraf'; const answer: string = 'from TypeScript'; ${body} export default bot;`,
  'function.mts': `export default ({ bot }: any): void => { bot.on('text', (ctx: any) => ctx.reply('from TypeScript')); };`,
  'module/package.json': '{ "type": "module" }',
  'module/bot.ts': `import { Telegraf } from 'telegraf'; const answer: string = 'from TypeScript'; ${body} bot.launch();`,
};

let sandbox: Sandbox;
let folder: Folder;
beforeEach(async () => {
  sandbox = await startSandbox();
  folder = new Folder(files).linkPackages();
});
afterEach(async () => {
  await sandbox.close();
  folder[Symbol.dispose]();
});

const run = (file: string, { env: more = {}, ...rest }: DaemonOptions = {}): Daemon =>
  runProgram(sandbox, file, { cwd: folder.path, env: { ...env, ...more }, ...rest });

async function expectAnswer(daemon: Daemon): Promise<void> {
  sandbox.say({ chat: 1, text: 'hello' });
  await allAnswered(sandbox);
  expect(sandbox.exchanges(1).at(-1)?.answers).toMatchObject([{ text: 'from TypeScript' }]);
  expectGoodEnd(sandbox, daemon, await daemon.stop());
}

describe('a program in TypeScript', () => {
  it.each([
    ['bot.ts', ['-r', tsNode]],
    ['bot.ts', ['-r', tsxCjs]],
    ['bot.ts', ['--import', tsx]],
    ['alias.ts', ['--import', tsx]],
    ['bot.mts', ['--import', tsx]],
    ['module/bot.ts', ['--import', tsx]],
  ])('%s is polled with %j, as under node', async (file, nodeArgs) => {
    {
      await using daemon = run(file, { nodeArgs });
      await expectAnswer(daemon);
    }
    await using plain = spawnDaemon({
      file: folder.file(file),
      args: [],
      cwd: folder.path,
      nodeArgs,
      env: { ...env, BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot },
    });
    sandbox.say({ chat: 2, text: 'hello' });
    await allAnswered(sandbox);
    await plain.stop();
  });

  // Node 20 itself fails at a .cts under tsx that requires telegraf; newer ones do not.
  it.each([['exported.ts'], ['function.mts'], ['bot.cts']])('is run with a loader: %s', async (file) => {
    await using daemon = run(file, { nodeArgs: ['--import', tsx] });
    await expectAnswer(daemon);
  });

  it('is polled with the loader in NODE_OPTIONS', async () => {
    await using daemon = run('bot.ts', { env: { NODE_OPTIONS: `-r ${tsNode}` } });
    await expectAnswer(daemon);
  });

  it.each([['bot.tsx'], ['bot.jsx']])('says which loader it needs where it has none (%s)', async (name) => {
    await using daemon = run(folder.write(name, 'export default ({ bot }) => {};'));
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt['reason']).toMatch(
      /Unknown file extension .* needs a loader for it: npm install tsx, and run NODE_OPTIONS='--import tsx' lastcall run FILE; or compile it/,
    );
  });
});

const { typescript } = process.features as { readonly typescript?: string | false };

(typescript ? describe : describe.skip)('a program in TypeScript, by Node alone,', () => {
  it.each([
    [
      'bot.cts',
      `const { Telegraf } = require('telegraf'); const answer: string = 'from TypeScript'; ${body} ${mainByRequire}`,
    ],
    [
      'main.ts',
      `const { Telegraf } = require('telegraf'); const answer: string = 'from TypeScript'; ${body.replace(': Telegraf', ': any')} ${mainByRequire}`,
    ],
    [
      'main.mts',
      `${files['bot.mts'].replace('await bot.launch()', 'if ((import.meta as any).main) bot.launch()')}`,
    ],
  ])('is polled, and is the main module (%s)', async (name, source) => {
    await using daemon = run(folder.write(name, source.replace(': Telegraf', ': any')));
    await expectAnswer(daemon);
  });

  it('that is more than JavaScript with types says so', async () => {
    await using daemon = run(folder.write('enum.ts', 'enum Kind { one }\nmodule.exports = Kind;'));
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt['reason']).toContain(
      "npm install tsx, and run NODE_OPTIONS='--import tsx' lastcall run FILE;",
    );
  });
});
