/** Bot programs in one file with the Telegraf that they use, as bundlers make them: taken over like any other. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type BuildOptions, build } from 'esbuild';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from '../support/daemon.js';
import { countsOf, runProgram } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import { execute } from '../support/npm.js';
import { expectGoodEnd, slowAnswers } from '../support/programs.js';
import { expectStopped } from '../support/stopping.js';

jest.setTimeout(60_000);

let folder: Folder;
beforeAll(() => {
  folder = new Folder({ 'package.json': '{}' });
});
afterAll(() => folder[Symbol.dispose]());

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const asModule: BuildOptions = {
  format: 'esm',
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
};

/** Bundles a program of the fixtures by esbuild; returns the file. */
async function bundled(name: string, outfile: string, options: BuildOptions = {}): Promise<string> {
  const file = folder.file(outfile);
  await build({
    entryPoints: [fixture('bots', name)],
    outfile: file,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
    ...options,
  });
  return file;
}

async function bundledByNcc(name: string): Promise<string> {
  const cli = join(repository, 'node_modules', '@vercel', 'ncc', 'dist', 'ncc', 'cli.js');
  const args = [cli, 'build', fixture('bots', name), '--minify', '--out', folder.file('ncc')];
  expect(await execute(process.execPath, args, { cwd: folder.path })).toMatchObject({ code: 0 });
  return folder.file('ncc', 'index.js');
}

const early: BuildOptions = { alias: { telegraf: 'telegraf-4.8' } };

describe('a program with Telegraf bundled into it', () => {
  it.each([
    ['by esbuild, CommonJS', () => bundled('readme.js', 'bundle.cjs')],
    ['by esbuild, CommonJS, minified', () => bundled('readme.js', 'minified.cjs', { minify: true })],
    ['by esbuild, ES module', () => bundled('readme-esm.mjs', 'bundle.mjs', asModule)],
    [
      'by esbuild, ES module, minified',
      () => bundled('readme-esm.mjs', 'min.mjs', { ...asModule, minify: true }),
    ],
    ['by ncc, minified', () => bundledByNcc('readme.js')],
    ['by esbuild, its bot exported', () => bundled('instance.js', 'exported.cjs')],
    [
      'by esbuild, its bot exported, of an early Telegraf 4',
      () => bundled('instance.js', 'early.cjs', early),
    ],
  ])('is polled by lastcall, and its handlers end before it does: %s', async (_, make) => {
    const file = await make();
    slowAnswers(sandbox, 300);
    await using daemon = runProgram(sandbox, file, { env: { STOP_TIMEOUT: '2s' } });
    sandbox.say('hello');
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 1);
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(countsOf(receipt)).toMatchObject({ fetched: 1, handled: 1 });
  });

  it('of an early version, and launches its bot: is refused before it polls', async () => {
    const file = await bundled('polled-in-child.js', 'launched.cjs', early);
    await using daemon = runProgram(sandbox, file, { env: { STOP_TIMEOUT: '2s' } });
    const exit = { ...(await daemon.end()), tookMs: 0 };
    const receipt = expectStopped(daemon, exit, {
      reason: /launched\.cjs fetches updates by itself \(getUpdates in .*launched\.cjs\)/,
      code: 78,
      outcome: 'clean',
    });
    expect(receipt).toMatchObject({
      err: { code: 'FOREIGN_BOT', nextStep: expect.stringContaining('--packages=external') },
    });
    expect(sandbox.callCount('getUpdates')).toBe(0);
  });
});
