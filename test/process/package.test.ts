/** The packed tarball: what is in it, and what it is like to whoever has installed it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { spawnDaemon } from '../support/daemon.js';
import { Folder, repository } from '../support/folder.js';
import { execute } from '../support/npm.js';
import { newToken } from '../support/token.js';

jest.setTimeout(180_000);

const TOKEN = newToken();
const tsc = join(repository, 'node_modules', '.bin', 'tsc');

/** As in a new project of somebody else. */
const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: 'es2023',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  typeRoots: [join(repository, 'node_modules', '@types')],
  types: ['node'],
};

let folder: Folder;
let packed: readonly string[];

beforeAll(async () => {
  folder = new Folder({
    'package.json': JSON.stringify({ private: true, type: 'module' }),
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['my-bot.ts'] }),
  });
  // What is built already: building anew is what `prepack` is for.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path];
  const [{ filename, files }] = JSON.parse((await execute('npm', pack, { cwd: repository })).stdout);
  packed = files.map((file: { path: string }) => file.path);
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder.path, filename)];
  expect(await execute('npm', install, { cwd: folder.path })).toMatchObject({ code: 0 });
});
afterAll(() => folder[Symbol.dispose]());

describe('the tarball', () => {
  it('holds the program, its types, and what a user needs beside them; nothing else', () => {
    const expected =
      /^(dist\/.*(?<!\.test)\.(js|d\.ts)|dist\/.*\.d\.cts|dist\/child\.cjs|dist\/sandbox\/index\.cjs|dist\/sandbox\/page\/[\w-]+\.(html|css|svg)|package\.json|README\.md|LICENSE|ecosystem\.config\.js|systemd\/[^/]+\.service)$/;
    expect(packed.filter((path) => !expected.test(path))).toEqual([]);
    expect(packed).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'dist/main.js', 'dist/index.d.ts'],
        'dist/sandbox/page/page.html',
      ]),
    );
  });

  it('holds of the program what comes of its sources, beside the chunks of the bundle and two bundles of their own', () => {
    const sources = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('dist', file.replace(/\.ts$/, '')));
    const isSource = (path: string) =>
      path.startsWith('dist/') && !/^dist\/chunks\/|\.(html|css|svg)$/.test(path);
    const compiled = sources.flatMap((file) => [`${file}.js`, `${file}.d.ts`]);
    const forCommonJs = packed.filter((path) => path.endsWith('.d.cts'));
    expect(packed).toEqual(expect.arrayContaining(forCommonJs.map((path) => path.replace(/cts$/, 'ts'))));
    const built = packed.filter((path) => isSource(path) && !forCommonJs.includes(path));
    expect(built.sort()).toEqual([...compiled, 'dist/child.cjs', 'dist/sandbox/index.cjs'].sort());
  });

  it('knows nothing of the machine it was made on', () => {
    const installed = folder.file('node_modules', 'lastcall');
    const telling = packed.filter((path) => readFileSync(join(installed, path), 'utf8').includes(repository));
    expect(telling).toEqual([]);
  });
});

describe('installed in another folder', () => {
  const lastcall = () => folder.file('node_modules', '.bin', 'lastcall');

  it('is a command', async () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const ended = await execute(lastcall(), ['version'], { cwd: folder.path });
    expect(ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('shows itself at work', async () => {
    const { code, stdout } = await execute(lastcall(), ['demo', '--for', '1s'], { cwd: folder.path });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}exit code +0$/m);
  });

  it('gives a bot module in TypeScript its types, and runs what is compiled of it, to a clean stop', async () => {
    folder.write(
      'my-bot.ts',
      `import { setTimeout as sleep } from 'node:timers/promises';
       import type { BotModule, Hook, LastcallContext } from 'lastcall';

       const database: Hook = {
         name: 'database',
         start: ({ deadline, log }) => log.info({ leftMs: deadline.remainingMs() }, 'opening'),
         stop: async ({ reason, log }) => log.info({ event: 'my.closed', why: reason?.message }, 'closed'),
       };

       async function answer(ctx: LastcallContext, text: string): Promise<void> {
         const signal: AbortSignal = ctx.signal;
         await sleep(1, undefined, { signal });
         await ctx.reply(\`echo \${text}, attempt \${ctx.attempt.toFixed(0)}\`);
       }

       const bot: BotModule = ({ bot, lifecycle, log, config }) => {
         lifecycle.add(database);
         bot.on('text', (ctx) => answer(ctx, ctx.message.text));
         log.info({ concurrency: config.concurrency }, 'set up');
       };
       export default bot;`,
    );
    const compiled = await execute(tsc, ['-p', 'tsconfig.json'], { cwd: folder.path });
    expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });

    folder.write('.env', 'STOP_TIMEOUT=20s\n');
    const sandbox = await startSandbox();
    try {
      await using daemon = spawnDaemon({
        file: lastcall(),
        args: ['run', './my-bot.js'],
        cwd: folder.path,
        env: { BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot },
      });
      await daemon.waitFor('poll.started');
      const { answers } = await sandbox.bot(TOKEN).ask('hello');
      expect(answers).toMatchObject([{ text: 'echo hello, attempt 1' }]);
      expect(await daemon.stop('SIGTERM')).toMatchObject({ code: 0, signal: null });
      expect(await daemon.waitFor('my.closed')).toMatchObject({ why: 'SIGTERM' });
      expect(await daemon.waitFor('lifecycle.stopping')).toMatchObject({ budgetMs: 20_000 });
      expect(daemon.receipt).toMatchObject({ outcome: 'clean', counts: { handled: 1, left: 0 } });
    } finally {
      await sandbox.close();
    }
  });

  it.each([
    ['a context', `bot.on('text', (ctx) => ctx.attempt.trim());`, "'trim' does not exist on type 'number'"],
    ['a hook', `lifecycle.add({ start() {} });`, "'name' is missing"],
    ['the lifecycle', 'lifecycle.run();', "'run' does not exist"],
    ['the settings', 'config.stopTimeoutMs = 1;', 'read-only'],
  ])('does not let a module use %s wrongly', async (_, statement, words) => {
    folder.write(
      'wrong.ts',
      `import type { BotModule } from 'lastcall';
       const bot: BotModule = ({ bot, lifecycle, config }) => { ${statement} };
       export default bot;`,
    );
    folder.write('wrong.json', JSON.stringify({ compilerOptions, files: ['wrong.ts'] }));
    const { code, stdout } = await execute(tsc, ['-p', 'wrong.json', '--noEmit'], { cwd: folder.path });
    expect(code).not.toBe(0);
    expect(stdout.match(/error TS/g)).toHaveLength(1);
    expect(stdout).toContain(words);
  });
});
