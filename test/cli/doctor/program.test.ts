import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { checkProgram } from '../../../src/cli/doctor/program.js';
import { lookAtProgram, type ProgramFacts } from '../../../src/cli/doctor/program-facts.js';
import { textOf, troubles } from '../../support/findings.js';
import { Folder } from '../../support/folder.js';

const telegraf = { version: '4.16.3', folder: '/srv/bot/node_modules/telegraf' };
const good = `import { Telegraf } from 'telegraf';
const bot = new Telegraf(process.env.BOT_TOKEN);
await bot.launch();
process.once('SIGTERM', () => bot.stop('SIGTERM'));`;
const healthy: ProgramFacts = {
  ...{ named: 'bot.js', file: '/srv/bot/bot.js', source: good, mistake: undefined },
  ...{ telegraf, copies: [telegraf], runsTypeScript: false, hasLoader: false },
};
const check = (changed: Partial<ProgramFacts>) => checkProgram({ ...healthy, ...changed }, false);
const other = (version: string, name: string) => ({ version, folder: `/srv/bot/node_modules/${name}` });

describe('a program', () => {
  it('is well, with its Telegraf', () => {
    expect(troubles(check({}))).toEqual([]);
    expect(textOf(check({}))).toBe('bot.js, Telegraf 4.16.3');
  });

  it('is lastcall’s own example where none is named, which no supervisor is to run', () => {
    const none = { ...healthy, named: undefined, file: undefined };
    expect(troubles(checkProgram(none, false))).toEqual(['file: warning']);
    expect(troubles(checkProgram(none, true))).toEqual(['file: wrong']);
  });

  it.each<[string, Partial<ProgramFacts>, readonly string[], RegExp]>([
    ['is not there', { file: undefined }, ['file: wrong'], /no file bot\.js/],
    [
      'does not compile',
      { mistake: { text: 'SyntaxError: x (bot.js:3)', command: 'node --check bot.js' } },
      ['file: wrong'],
      /bot\.js:3[\s\S]*node --check/,
    ],
    ['is TypeScript without a loader', { file: '/srv/bot/bot.ts' }, ['file: wrong'], /--import tsx/],
    ['is TypeScript with a loader', { file: '/srv/bot/bot.ts', hasLoader: true }, [], /bot/],
    ['is TypeScript for a Node that runs it', { file: '/srv/bot/bot.ts', runsTypeScript: true }, [], /bot/],
    ['is JSX, which no Node runs', { file: '/b.tsx', runsTypeScript: true }, ['file: wrong'], /tsx/],
    ['lacks Telegraf', { telegraf: undefined, copies: [] }, ['file: wrong'], /npm install telegraf@4/],
    ['is of Telegraf 3', { telegraf: other('3.38.0', 'telegraf') }, ['file: wrong'], /Telegraf 3\.38\.0/],
    ['is of grammY', { source: "const { Bot } = require('grammy');" }, ['file: wrong'], /grammY/],
    [
      'needs no Telegraf',
      { source: 'export default ({ bot }) => {}', telegraf: undefined, copies: [] },
      [],
      /own Telegraf/,
    ],
    [
      'launches with a webhook',
      { source: `${good}\nbot.launch({\n  webhook: { domain: 'x' } });` },
      ['file: wrong'],
      /bot\.js:5 launches with a webhook/,
    ],
    ['says so only in a comment', { source: `${good}\n// bot.launch({ webhook: {} })` }, [], /bot/],
    [
      'serves a webhook',
      { source: `${good}\napp.use(bot.webhookCallback('/x'))` },
      ['file: warning'],
      /serves/,
    ],
    ['sets a webhook', { source: `${good}\nbot.telegram.setWebhook(url)` }, ['file: warning'], /sets/],
    ['fetches by itself', { source: `${good}\nawait call('getUpdates')` }, ['file: warning'], /by itself/],
    ['has workers', { source: `${good}\ncluster.fork();` }, ['file: warning'], /workers/],
    [
      'ends each stop with 1',
      { source: `${good}\nprocess.on('SIGINT', () => { bot.stop(); process.exit(1); });` },
      ['file: warning'],
      /bot\.js:5 ends with process\.exit/,
    ],
    ['ends with 1 elsewhere', { source: `${good}\nmain().catch(() => process.exit(1));` }, [], /bot/],
    [
      'ends with 1 where its stop fails',
      {
        source: `${good}\nprocess.on('SIGINT', async () => { try { bot.stop(); process.exit(0); } catch { process.exit(1); } });`,
      },
      [],
      /bot/,
    ],
    ['ends each stop with 0', { source: `${good}\nprocess.on('SIGINT', () => process.exit(0));` }, [], /bot/],
    [
      'has its own listener for faults',
      { source: `${good}\nprocess.on('uncaughtException', log);` },
      ['file: skipped'],
      /decides/,
    ],
    [
      'has two copies of one Telegraf',
      { copies: [telegraf, other('4.16.3', 'x/node_modules/telegraf')] },
      [],
      /2 copies/,
    ],
    [
      'has two Telegrafs',
      { copies: [telegraf, other('3.38.0', 'x/node_modules/telegraf')] },
      ['telegraf: warning'],
      /npm dedupe/,
    ],
  ])('%s', (_, changed, found, words) => {
    const findings = check(changed);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });
});

describe('looking at a program', () => {
  const manifest = (version: string) => JSON.stringify({ name: 'telegraf', version, main: 'main.js' });

  it('finds the file as Node does, its Telegraf, and all copies around it', async () => {
    using folder = new Folder({
      'bot.js': good.replace(/await .*\n/, ''),
      'package.json': '{ "type": "module" }',
      'node_modules/telegraf/package.json': manifest('4.16.3'),
      'node_modules/telegraf/main.js': '',
      'node_modules/@scope/plugin/node_modules/telegraf/package.json': manifest('3.38.0'),
    });
    const facts = await lookAtProgram('bot', folder.path, {});
    expect(facts).toMatchObject({ file: folder.file('bot.js'), mistake: undefined, hasLoader: false });
    expect(facts.telegraf).toEqual({ version: '4.16.3', folder: folder.file('node_modules', 'telegraf') });
    expect(facts.copies.map(({ version }) => version).sort()).toEqual(['3.38.0', '4.16.3']);
  });

  it('finds the place of a mistake, and a loader', async () => {
    using folder = new Folder({ 'bot.cjs': 'const x = 1;\nconst = 2;\n' });
    const facts = await lookAtProgram('bot.cjs', folder.path, { NODE_OPTIONS: '--import tsx' });
    expect(facts.mistake?.text).toMatch(/^SyntaxError: .* \(.*bot\.cjs:2\)$/);
    expect(facts).toMatchObject({ telegraf: undefined, copies: [], hasLoader: true });
  });

  it('finds a mistake in a module that is known as one only by its text', async () => {
    using folder = new Folder({
      'bot.js': "import { Telegraf } from 'telegraf';\nconst = 2;\n",
      'well.js': "import { Telegraf } from 'telegraf';\nawait 0;\nexport default 1;\n",
      'older.js': '#!/usr/bin/env node\n/*\nimport x\n*/\nawait0: for (;;) break await0;\nif (1) return;\n',
    });
    const { mistake } = await lookAtProgram('bot.js', folder.path, {});
    expect(mistake?.text).toMatch(/^SyntaxError: .* \(.*\/bot\.js:2\)$/);
    expect(spawnSync('sh', ['-c', mistake?.command ?? 'true']).status).toBe(1);
    for (const name of ['well.js', 'older.js'])
      expect(await lookAtProgram(name, folder.path, {})).toMatchObject({ mistake: undefined });
  });

  it('finds none', async () => {
    expect(await lookAtProgram('nowhere.js', '/', {})).toMatchObject({
      named: 'nowhere.js',
      file: undefined,
    });
  });
});
