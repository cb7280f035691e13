/** How bot modules of every kind are loaded, in real processes: jest has a module loader of its own. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Daemon, type DaemonOptions, fixture, type LogLine, spawnDaemon } from '../support/daemon.js';

const driver = fixture('drivers', 'run-bot.mjs');
// Error messages name files as Node does: without symbolic links.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lastcall-load-')));
symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the files into a folder of their own; returns that. */
function project(files: Record<string, string>): string {
  const root = mkdtempSync(join(folder, 'project-'));
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return root;
}

function run(args: readonly string[], { env = {}, ...options }: DaemonOptions = {}): Daemon {
  const dist = process.env['LASTCALL_DIST'];
  return spawnDaemon({
    file: driver,
    args,
    env: { BOT_TOKEN: '4711:a-token-of-the-load-tests', ...(dist && { LASTCALL_DIST: dist }), ...env },
    ...options,
  });
}

async function formOf(file: string): Promise<unknown> {
  await using daemon = run([file]);
  return (await daemon.waitFor('loaded'))['form'];
}

/** The line that tells why a module does not load; and the process ends. */
async function failure(file: string, options: DaemonOptions = {}): Promise<LogLine> {
  await using daemon = run([file], options);
  const line = await daemon.waitFor('load failed');
  expect(await daemon.end()).toMatchObject({ code: 78 });
  return line;
}

describe('the form of a module', () => {
  it.each([
    ['instance.mjs', 'instance'],
    ['instance.js', 'instance'],
    ['function.mjs', 'function'],
    ['function.js', 'function'],
    ['readme.js', 'program'],
    ['readme-esm.mjs', 'program'],
    ['launch-awaited.mjs', 'program'],
    ['needs-token.js', 'program'],
  ])('of the fixture %s is %s', async (name, form) => {
    expect(await formOf(fixture('bots', name))).toBe(form);
  });

  it.each([
    ['compiled to CommonJS', 'bot.cjs', 'exports.__esModule = true; exports.default = () => {};'],
    ['a CommonJS default without the mark', 'bot.cjs', 'exports.default = () => {};'],
    ['an async function', 'bot.mjs', 'export default async () => {};'],
    ['a function without a package type', 'bot.js', 'module.exports = function () {};'],
    ['ES syntax without a package type', 'bot.js', 'export default () => {};'],
    ['a top-level await without a package type', 'bot.js', 'export default await Promise.resolve(() => {});'],
    ['no extension', 'bot', '#!/usr/bin/env node\nmodule.exports = () => {};'],
  ])('is function: %s', async (_, name, source) => {
    expect(await formOf(join(project({ [name]: source }), name))).toBe('function');
  });

  it('follows the type of the nearest package.json', async () => {
    const source = `console.log('this is', typeof module === 'object' ? 'CommonJS' : 'an ES module');`;
    const root = project({
      'package.json': '{ "type": "module" }',
      'bot.js': source,
      'deeper/bot.js': source,
      'old/package.json': '{ "type": "commonjs" }',
      'old/bot.js': source,
      'untold/package.json': '{}',
      'untold/bot.js': source,
    });
    for (const [file, kind] of [
      ['bot.js', 'an ES module'],
      ['deeper/bot.js', 'an ES module'],
      ['old/bot.js', 'CommonJS'],
      ['untold/bot.js', 'CommonJS'],
    ] as const) {
      await using daemon = run([join(root, file)], { env: { START_TIMEOUT_MS: '300' } });
      await daemon.end();
      expect(daemon.output).toContain(`this is ${kind}`);
    }
  });

  it.each([
    ['an instance', 'module.exports = bot;'],
    ['a function', 'module.exports = () => {};'],
  ])('is program for one that launches its bot and exports %s', async (_, exported) => {
    const source = `
      const { Telegraf } = require('telegraf');
      const bot = new Telegraf(process.env.BOT_TOKEN);
      bot.launch();
      ${exported}
    `;
    expect(await formOf(join(project({ 'bot.js': source }), 'bot.js'))).toBe('program');
  });
});

describe('a module finds itself as under `node FILE`', () => {
  const report = `console.log(JSON.stringify({
    argv: process.argv.slice(1), main: require.main === module && process.mainModule === module,
    id: module.id, cwd: process.cwd(), file: __filename }));
    module.exports = () => {};`;

  it.each([['bot.js'], ['./bot'], ['.'], ['linked.js']])('%s', async (file) => {
    const root = project({ 'bot.js': report, 'index.js': report });
    symlinkSync(join(root, 'bot.js'), join(root, 'linked.js'));
    const said = async (daemon: Daemon) => {
      await daemon.end();
      return JSON.parse(daemon.output.split('\n').find((line) => line.startsWith('{"argv"')) ?? '');
    };
    await using plain = spawnDaemon({ file, args: ['one', 'two'], cwd: root });
    await using loaded = run([file, 'one', 'two'], { cwd: root });
    await loaded.waitFor('loaded');
    loaded.kill('SIGTERM');
    expect(await said(loaded)).toEqual(await said(plain));
  });

  it('as an ES module', async () => {
    const source = `console.log(process.argv.slice(1).join()); export default () => {};`;
    const root = project({ 'bot.mjs': source });
    await using daemon = run(['bot.mjs', 'one'], { cwd: root });
    await daemon.waitFor('loaded');
    expect(daemon.output).toContain(`${join(root, 'bot.mjs')},one`);
  });
});

describe('a module that gives no bot', () => {
  const soon = { env: { START_TIMEOUT_MS: '300' } };

  it('is not found: names the whole path and the working directory', async () => {
    const root = project({});
    expect(await failure('src/nowhere.js', { cwd: root })).toMatchObject({
      code: 'BOT_MODULE_NOT_FOUND',
      message: `there is no bot module ${join(root, 'src/nowhere.js')} (the working directory is ${root})`,
    });
  });

  it.each([
    ['bot.cjs', 'const a = 1;\nconst b = ;\n', ':2: SyntaxError: Unexpected token'],
    ['bot.mjs', 'export const a = 1;\nconst b = ;\n', ':2: SyntaxError: Unexpected token'],
    ['bot.js', 'const a = 1;\nconst b = ;\n', ':2: SyntaxError: Unexpected token'],
    ['bot.mjs', "import { nothing } from './other.mjs';\n", ':1: SyntaxError: The requested module'],
  ])('has a syntax error (%s): names file and line', async (name, source, words) => {
    const root = project({ [name]: source, 'other.mjs': '' });
    const line = await failure(join(root, name));
    expect(line).toMatchObject({ code: 'BOT_MODULE_FAILED' });
    expect(line['message']).toContain(`does not load: ${join(root, name)}${words}`);
  });

  it('imports a file that has one', async () => {
    const root = project({ 'bot.mjs': "import './other.mjs';", 'other.mjs': 'const = 1;' });
    expect((await failure(join(root, 'bot.mjs')))['message']).toContain(
      'in a file that it imports: SyntaxError',
    );
  });

  it('throws: names the error and its line', async () => {
    const file = fixture('bots', 'throws.js');
    const line = await failure(file);
    expect(line).toMatchObject({ code: 'BOT_MODULE_FAILED' });
    expect(line['message']).toMatch(/throws\.js:4: TypeError: .*onn is not a function/);
  });

  it('throws something that is no error', async () => {
    const root = project({ 'bot.mjs': 'throw "tantrum";' });
    expect((await failure(join(root, 'bot.mjs')))['message']).toContain('it threw tantrum');
  });

  it.each([
    ['bot.mjs', "import 'no-such-package';"],
    ['bot.cjs', "require('no-such-package');"],
  ])('needs what is not installed (%s)', async (name, source) => {
    const root = project({ [name]: source });
    const { message } = await failure(join(root, name));
    expect(message).toMatch(/a dependency is missing: Cannot find (package|module) 'no-such-package'/);
  });

  it.each([
    ['nothing', ''],
    ['no default, only bot, token', 'export const bot = {}; export const token = 1;'],
    ['as default a number', 'export default 42;'],
    ['as default null', 'export default null;'],
    ['as default an empty object', 'export default {};'],
    ['as default an object with start, stop', 'export default { start() {}, stop() {} };'],
    ['as default a class, not a function', 'export default class Bot {}'],
    ['as default a promise, not a bot', 'export default Promise.resolve();'],
    [
      'as default the Telegraf class, not an instance of it',
      "import { Telegraf } from 'telegraf'; export default Telegraf;",
    ],
  ])('exports %s: says so', async (words, source) => {
    const root = project({ 'bot.mjs': source });
    const line = await failure(join(root, 'bot.mjs'), soon);
    expect(line).toMatchObject({ code: 'BOT_MODULE_UNUSABLE' });
    expect(line['message']).toBe(
      `${join(root, 'bot.mjs')} has nothing left to do and has launched no bot: ` +
        `it exports ${words}, and has not called launch() on any bot`,
    );
  });

  it('exports something from CommonJS that is no bot', async () => {
    const root = project({ 'bot.cjs': 'module.exports = "a bot";' });
    expect((await failure(join(root, 'bot.cjs'), soon))['message']).toContain(
      'it exports a string, and has not',
    );
  });

  it('never ends to load', async () => {
    const line = await failure(fixture('bots', 'never-loads.mjs'), soon);
    expect(line).toMatchObject({ code: 'BOT_NOT_LAUNCHED' });
    expect(line['message']).toMatch(
      /has launched no bot in 0\.3 s and still has something open \(Timeout\): it is still loading; does a top-level await never end\?$/,
    );
  });
});

describe('loading', () => {
  it('is given up when the stop comes', async () => {
    const source = `console.log('loading'); setInterval(() => {}, 1_000_000); await new Promise(() => {});`;
    await using daemon = run([join(project({ 'bot.mjs': source }), 'bot.mjs')]);
    await new Promise((resolve) => daemon.child.stdout?.once('data', resolve));
    daemon.kill('SIGTERM');
    await daemon.waitFor('load given up');
    expect(await daemon.end()).toMatchObject({ code: 0 });
  });

  it.each([
    ['an ES module', fixture('bots', 'throws-after-launch.mjs'), 'no configuration'],
    [
      'CommonJS',
      join(
        project({
          'bot.cjs': `const { Telegraf } = require('telegraf');
            new Telegraf(process.env.BOT_TOKEN).launch();
            throw new Error('no configuration');`,
        }),
        'bot.cjs',
      ),
      'no configuration',
    ],
  ])('of %s that fails after it has launched is told, not lost', async (_, file, message) => {
    await using daemon = run([file]);
    expect(await daemon.waitFor('failed later')).toMatchObject({ message });
    expect((await daemon.waitFor('loaded'))['form']).toBe('program');
  });

  it('that ends by process.exit behind launch() has not failed', async () => {
    const source = `import { Telegraf } from 'telegraf';
      await new Telegraf(process.env.BOT_TOKEN).launch();
      process.exit(0);`;
    await using daemon = run([join(project({ 'bot.mjs': source }), 'bot.mjs')]);
    await daemon.waitFor('loaded');
    daemon.kill('SIGTERM');
    expect((await daemon.waitFor('stopped'))['failed']).toBeUndefined();
    expect(daemon.events()).not.toContain('failed later');
  });
});
