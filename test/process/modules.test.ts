/** Bot modules that cannot be run, by the built program: the exit code, and words that let the user mend it. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture, mainFile, spawnDaemon } from '../support/daemon.js';
import { Folder } from '../support/folder.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const TOKEN = newToken();

let sandbox: Sandbox;
let folder: Folder;
beforeAll(async () => {
  sandbox = await startSandbox();
  folder = new Folder().linkPackages();
});
afterAll(async () => {
  await sandbox.close();
  folder[Symbol.dispose]();
});

function run(file: string, env: Readonly<Record<string, string>> = {}): Daemon {
  return spawnDaemon({
    args: ['run', file],
    env: { BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot, ...env },
    cwd: folder.path,
  });
}

/** A module that cannot be run: how it comes about, and what is said of it. */
interface Case {
  readonly name: string;
  readonly file: string;
  readonly source?: string;
  readonly code: string;
  /** What has happened. */
  readonly words: RegExp;
  /** What to do about it. */
  readonly nextStep: RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'does not exist',
    file: 'src/my-bot.js',
    code: 'BOT_MODULE_NOT_FOUND',
    words: /there is no bot module \/\S+\/src\/my-bot\.js \(the working directory is \/\S+\)$/,
    nextStep: /BOT_MODULE .* working directory/,
  },
  {
    name: 'throws',
    file: fixture('bots', 'throws.js'),
    code: 'BOT_MODULE_FAILED',
    words: /throws\.js does not load: \S+throws\.js:4: TypeError: .*onn is not a function$/,
    nextStep: /fix the error .* `node FILE`/,
  },
  {
    name: 'has a syntax error',
    file: 'syntax.mjs',
    source: 'export default ({ bot }) => {\n  bot.on("text" (ctx) => {});\n};\n',
    code: 'BOT_MODULE_FAILED',
    words: /does not load: \/\S+\/syntax\.mjs:2: SyntaxError: /,
    nextStep: /fix the error/,
  },
  {
    name: 'misses a dependency',
    file: fixture('bots', 'missing-dependency.mjs'),
    code: 'BOT_MODULE_FAILED',
    words: /a dependency is missing: Cannot find package 'a-package-that-nobody-has-installed'/,
    nextStep: /a missing package: `npm install`/,
  },
  {
    name: 'is TypeScript',
    // Newer Nodes run plain .ts files.
    file: 'bot.tsx',
    source: 'export default (): void => {};',
    code: 'BOT_MODULE_FAILED',
    words: /Unknown file extension "\.tsx" .*compile it first/,
    nextStep: /./,
  },
  {
    name: 'exports nonsense',
    file: fixture('bots', 'nonsense.mjs'),
    code: 'BOT_MODULE_UNUSABLE',
    words:
      /nonsense\.mjs has nothing left to do and has launched no bot: it exports as default a number, and has not called launch\(\) on any bot$/,
    nextStep:
      /export default a function \(\{ bot \}\) => …, or a Telegraf instance with handlers, or call bot\.launch\(\)/,
  },
  {
    name: 'exports a class',
    file: 'class.mjs',
    source: 'export default class Bot {}',
    code: 'BOT_MODULE_UNUSABLE',
    words: /it exports as default a class, not a function/,
    nextStep: /export default a function/,
  },
  {
    name: 'waits at its top level for nothing',
    file: 'unsettled.mjs',
    source: 'await new Promise(() => {});',
    code: 'BOT_MODULE_UNUSABLE',
    words: /has nothing left to do .* it is still loading; does a top-level await never end\?$/,
    nextStep: /call bot\.launch\(\)/,
  },
];

/** What is told of an error, and how often. */
const times = (text: string, part: string): number => text.split(part).length - 1;

describe('a bot module that', () => {
  it.each(cases)('$name ends in 78', async ({ file, source, code, words, nextStep }) => {
    if (source !== undefined) folder.write(file, source);
    await using daemon = run(file);
    expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
    expect(daemon.lines.find(({ event }) => event === 'hook.failed')).toMatchObject({
      level: 'error',
      hook: 'bot',
      step: 'start',
      err: { code, message: expect.stringMatching(words), nextStep: expect.stringMatching(nextStep) },
    });
    expect(daemon.receipt).toMatchObject({
      level: 'error',
      msg: expect.stringMatching(/^Could not start, exit code 78; /),
      reason: expect.stringMatching(words),
      reasonKind: 'start-failed',
      exitCode: 78,
    });
    expect(daemon.events()).not.toContain('lifecycle.running');
  });

  it('cannot be run is explained to people once, with the line it is about and nothing of ours', async () => {
    await using daemon = run(fixture('bots', 'throws.js'), { LOG_FORMAT: 'pretty' });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    const { output } = daemon;
    expect(output).toMatch(
      /ERROR: bot: start failed after .*throws\.js:4: TypeError: .*onn is not a function$/m,
    );
    expect(times(output, 'what to do: fix the error')).toBe(1);
    expect(times(output, 'throws.js:4:')).toBe(2); // the message and the stack
    expect(output).not.toContain(dirname(mainFile));
    expect(output).not.toContain('node:internal');
    expect(output).toMatch(/ERROR: Stopping \(the start failed\)/);
    expect(output).toMatch(/ERROR: Could not start, exit code 78; [^\n]*\n +start\n +└─ bot .* failed\n$/);
  });

  it('gives no bot is warned of long before the start is given up', async () => {
    const source = 'setInterval(() => {}, 1_000); export default 42;';
    await using daemon = run(folder.write('busy.mjs', source), { START_TIMEOUT: '4s' });
    expect(await daemon.waitFor('program.slow')).toMatchObject({
      level: 'warn',
      msg: 'Still waiting for the bot module: it exports as default a number, and has not called launch() on any bot',
    });
    expect(await daemon.stop('SIGINT')).toMatchObject({ code: 0 });
  });
});

describe('a start that a restart may mend ends in 1', () => {
  it('when the function that sets the bot up rejects', async () => {
    const source = `export default async () => { throw new Error('the database is out'); };`;
    await using daemon = run(folder.write('rejects.mjs', source));
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt).toMatchObject({
      level: 'warn',
      reason: 'the start of "set-up" failed: the database is out',
      exitCode: 1,
      err: { code: 'HOOK_FAILED', cause: { message: 'the database is out' } },
    });
  });

  it('when a start hook throws; those that had started are stopped', async () => {
    const source = `export default ({ lifecycle }) => {
      lifecycle.add({ name: 'cache', start() {}, stop() {} });
      lifecycle.add({ name: 'database', start() { throw new Error('connection refused'); }, stop() {} });
      lifecycle.add({ name: 'never', start() {}, stop() {} });
    };`;
    await using daemon = run(folder.write('hook-throws.mjs', source));
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt).toMatchObject({
      reason: 'the start of "database" failed: connection refused',
      err: { code: 'HOOK_FAILED', culprit: 'database', cause: { message: 'connection refused' } },
      phases: [
        { hook: 'bot', step: 'start', result: 'done' },
        { hook: 'lock', step: 'start', result: 'done' },
        { hook: 'set-up', step: 'start', result: 'done' },
        { hook: 'cache', step: 'start', result: 'done' },
        { hook: 'database', step: 'start', result: 'failed' },
        { hook: 'cache', step: 'stop', result: 'done' },
        { hook: 'bot', step: 'stop', result: 'done' },
      ],
    });
    expect(sandbox.callCount('getMe')).toBe(0);
  });

  it('when a start hook does not end in its time', async () => {
    const source = `export default ({ lifecycle }) =>
      lifecycle.add({ name: 'slow', start: () => new Promise(() => {}) });`;
    await using daemon = run(folder.write('hook-hangs.mjs', source), { START_TIMEOUT: '300ms' });
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt).toMatchObject({
      err: { code: 'HOOK_TIMED_OUT', culprit: 'slow', nextStep: expect.stringContaining('START_TIMEOUT') },
    });
  });

  it('when the program still waits for something at the end of START_TIMEOUT', async () => {
    await using daemon = run(fixture('bots', 'never-loads.mjs'), { START_TIMEOUT: '1s' });
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.receipt).toMatchObject({
      level: 'warn',
      reason: expect.stringMatching(/has launched no bot in 0\.9 s and still has something open \(Timeout\)/),
      err: { code: 'BOT_NOT_LAUNCHED', nextStep: expect.stringContaining('raise START_TIMEOUT') },
    });
  });

  it('when the program itself says so, before it has launched anything', async () => {
    await using daemon = run(fixture('bots', 'needs-token.js'), { BOT_TOKEN: '' });
    expect(await daemon.end()).toMatchObject({ code: 1 });
    expect(daemon.output).toContain('BOT_TOKEN is not set');
    expect(daemon.receipt).toMatchObject({ exitCode: 1, reason: 'process.exit(1) was called' });
  });
});

describe('a function that launches its bot itself, and fails after that,', () => {
  it('ends the run with 70, as a program that does so', async () => {
    const source = `export default async ({ bot }) => {
      await new Promise((resolve) => bot.launch(resolve));
      throw new Error('the database is out');
    };`;
    await using daemon = run(folder.write('fails-late.mjs', source));
    expect(await daemon.end()).toMatchObject({ code: 70, signal: null });
    expect(daemon.receipt).toMatchObject({
      reason: 'the bot program failed: the database is out',
      outcome: 'fault',
    });
  });
});
