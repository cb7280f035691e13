/** `lastcall/sandbox` as its users have it: installed, under their test runners, as an ES module and with `require`. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Folder, repository } from '../support/folder.js';
import { execute } from '../support/npm.js';

jest.setTimeout(60_000);

const readme = readFileSync(join(repository, 'README.md'), 'utf8');

/** The block of the README that begins with the name of the file. */
function shown(file: string): string {
  const block = new RegExp(`^\`\`\`js\n// ${file.replaceAll('.', '\\.')}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(
    readme,
  );
  if (!block?.[1]) throw new Error(`the README does not show ${file}`);
  return block[1];
}

const test = shown('bot.test.js');
const importsOfRunner = /^import .* from 'node:test';.*\n/m;

let folder: Folder;
beforeAll(() => {
  folder = new Folder({
    'package.json': JSON.stringify({ private: true, type: 'module' }),
    'bot.js': shown('bot.js'),
    'node/bot.test.js': test.replace('./bot.js', '../bot.js'),
    'vitest/bot.test.js': test.replace('./bot.js', '../bot.js').replace("'node:test'", "'vitest'"),
    'jest/bot.test.js': test.replace('./bot.js', '../bot.js').replace(importsOfRunner, ''),
    'jest/jest.config.json': JSON.stringify({
      transform: {
        '\\.js$': [join(repository, 'node_modules', '@swc', 'jest'), { module: { type: 'commonjs' } }],
      },
    }),
    'defaults/package.json': JSON.stringify({ private: true }),
    'defaults/bot.test.js': testWithRequire,
  });
  mkdirSync(folder.file('node_modules', 'lastcall'), { recursive: true });
  for (const part of ['dist', 'package.json'])
    cpSync(join(repository, part), folder.file('node_modules', 'lastcall', part), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), 'grammy', 'vitest'])
    symlinkSync(join(repository, 'node_modules', name), folder.file('node_modules', name));
});
afterAll(() => folder[Symbol.dispose]());

/** A test in CommonJS, for Jest as it is without any settings. It mocks the timers of the bot, too. */
const testWithRequire = `
  const { createSandbox, SandboxError } = require('lastcall/sandbox');
  const { Telegraf } = require('telegraf');

  let sandbox;
  beforeEach(async () => {
    sandbox = await createSandbox();
    const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
    bot.on('text', (ctx) => ctx.reply('hello'));
    bot.on('photo', (ctx) => ctx.replyWithPhoto({ source: Buffer.from('bytes') }));
    bot.command('later', (ctx) => void setTimeout(() => ctx.reply('now'), 3_600_000));
    await sandbox.start(bot);
  });
  afterEach(() => sandbox.close());

  test('says and uploads', async () => {
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    await ann.hears('hello');
    await ann.upload({ photo: Buffer.from('bytes') });
    const { file } = await ann.hears();
    expect(file.content.toString()).toBe('bytes');
    expect((await (await fetch(sandbox.apiRoot)).text()).slice(0, 15)).toMatch(/<!doctype html>/i);
  });

  test('has errors of its own', async () => {
    const wait = sandbox.person('Ann').hears('anything', { within: 1 });
    await expect(wait).rejects.toBeInstanceOf(SandboxError);
  });

  test('does not mind fake timers', async () => {
    jest.useFakeTimers();
    const ann = sandbox.person('Ann');
    await ann.say('hi');
    await ann.hears('hello');
    await ann.hearsNothing();
    jest.useRealTimers();
  });
`;

const run = (file: string, ...args: readonly string[]) =>
  execute(process.execPath, [file, ...args], { cwd: folder.path, env: { NODE_OPTIONS: '', CI: 'yes' } });

const jestFile = join(repository, 'node_modules', 'jest', 'bin', 'jest.js');

describe('the test of the README', () => {
  it('has ten lines or less, beside what is the same in every file', () => {
    const [body = ''] = /^test\([\s\S]*^\}\);$/m.exec(test) ?? [];
    expect(body).toContain('hears');
    expect(body.split('\n').length).toBeLessThanOrEqual(10);
  });

  it('passes under node:test', async () => {
    const ended = await run('--test', folder.file('node', 'bot.test.js'));
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('pass 1');
  });

  it('passes under Vitest', async () => {
    const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
    const ended = await run(vitest, 'run', '--dir', folder.file('vitest'));
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('1 passed');
  });

  it('passes under Jest', async () => {
    const ended = await run(jestFile, '--config', folder.file('jest', 'jest.config.json'));
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain('1 passed');
  });
});

describe('in CommonJS', () => {
  it('works under Jest as it is without any settings, also with fake timers', async () => {
    const ended = await run(jestFile, '--rootDir', folder.file('defaults'));
    expect(ended.stderr).toContain('3 passed');
    expect(ended.code).toBe(0);
  });
});

describe('its types', () => {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  const source = `
    import { createSandbox, type Person, type Sandbox, SandboxError } from 'lastcall/sandbox';
    import { createApp } from 'lastcall';
    import { Telegraf } from 'telegraf';
    import { Bot } from 'grammy';
    export async function example(): Promise<string> {
      const sandbox: Sandbox = await createSandbox({ within: '2s' });
      await sandbox.start(new Telegraf(sandbox.token));
      await sandbox.start(new Bot(sandbox.token));
      await sandbox.start(createApp({ bot: new Telegraf(sandbox.token) }));
      const ann: Person = sandbox.person('Ann');
      await ann.upload({ photo: Buffer.from(''), caption: 'x' });
      sandbox.fault({ kind: 'error', status: 500, times: 1 });
      await sandbox.clock.advance('24h');
      // @ts-expect-error
      await sandbox.clock.advance('1 day');
      // @ts-expect-error
      sandbox.fault({ kind: 'error' });
      // @ts-expect-error
      await ann.upload({ picture: Buffer.from('') });
      try {
        const { text, buttons, entities } = await ann.hears(/x/, { within: 500 });
        return text + buttons.flat().join() + entities.map(({ type }) => type).join();
      } catch (error) {
        return error instanceof SandboxError ? error.nextStep : 'unknown';
      }
    }`;

  it('fit ES modules and CommonJS', async () => {
    folder.write('types.mts', source);
    // What is required must have types of its own kind: the package as a whole is an ES module.
    folder.write('types.cts', source.replace(/^.*createApp.*\n/gm, ''));
    const lib = 'es2023,esnext.disposable';
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noEmit',
      '--module',
      'node16',
      '--lib',
      lib,
    ];
    const types = ['--typeRoots', join(repository, 'node_modules', '@types'), '--types', 'node'];
    const ended = await run(tsc, ...options, ...types, folder.file('types.mts'), folder.file('types.cts'));
    const errors = ended.stdout.split('\n').filter((line) => line.includes('error TS'));
    // Those of grammY are wrong without the types of node-fetch.
    expect(errors.filter((line) => !line.includes('node_modules/grammy/'))).toEqual([]);
  });
});

describe('the package', () => {
  /** The packages and files that a module loads at once. */
  function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
    found.add(file);
    const statement = /^(?:import|export)\b[^;"]*"([^"]+)";/gm;
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(statement)) {
      const path = specifier.startsWith('.') ? join(file, '..', specifier) : specifier;
      if (!specifier.startsWith('.')) found.add(path);
      else if (!found.has(path)) loadedBy(path, found);
    }
    return found;
  }

  const built = (file: string) => folder.file('node_modules', 'lastcall', 'dist', file);
  const isOfLibrary = (file: string) =>
    file.startsWith('/') && readFileSync(file, 'utf8').includes('AdjustableClock = class');

  it('loads nothing of the daemon with the library, and nothing of the library with the daemon', async () => {
    const library = [...loadedBy(built('sandbox/index.js'))];
    expect(library.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual([]);
    expect(library.some(isOfLibrary)).toBe(true);
    for (const file of library.filter((name) => name.startsWith('/')))
      expect(readFileSync(file, 'utf8')).not.toContain('Lifecycle = class');
    for (const file of ['main.js', 'index.js'])
      expect([...loadedBy(built(file))].filter(isOfLibrary)).toEqual([]);

    folder.write(
      'loads.cjs',
      `require('lastcall/sandbox');
       console.log(Object.keys(require.cache).map((file) => require('node:path').basename(file)).join());`,
    );
    expect((await run(folder.file('loads.cjs'))).stdout).toBe('loads.cjs,index.cjs\n');
  });

  it('ends by itself when the sandbox is closed', async () => {
    folder.write(
      'ends.mjs',
      `import { createSandbox } from 'lastcall/sandbox';
       import { createBot } from './bot.js';
       const sandbox = await createSandbox();
       await sandbox.start(createBot(sandbox.token, sandbox.apiRoot));
       const ann = sandbox.person('Ann');
       await ann.say('/start');
       await ann.hears();
       await sandbox.close();
       const closedAt = performance.now();
       process.once('exit', () => console.log(performance.now() - closedAt));`,
    );
    const { code, stdout } = await run(folder.file('ends.mjs'));
    expect(code).toBe(0);
    expect(Number(stdout)).toBeLessThan(1_000);
  });
});
