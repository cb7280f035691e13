/** The npm scripts, in a copy of the checkout: they build, which must not happen under other tests' feet. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Folder, repository } from '../support/folder.js';
import { execute } from '../support/npm.js';

jest.setTimeout(180_000);

let copy: Folder;
beforeAll(() => {
  copy = new Folder();
  cpSync(repository, copy.path, {
    recursive: true,
    filter: (path) => !/^(node_modules|dist|coverage|\.git|\.env)(\/|$)/.test(relative(repository, path)),
  });
  copy.linkPackages();
});
afterAll(() => copy[Symbol.dispose]());

describe('npm start', () => {
  it('without a token builds, says how to get one or to try the demo, and exits 78', async () => {
    const { code, stderr } = await execute('npm', ['start'], { cwd: copy.path });
    expect(code).toBe(78);
    expect(existsSync(copy.file('dist', 'main.js'))).toBe(true);
    expect(stderr).toMatch(/^lastcall: there is no bot token: .*@BotFather.*npm run demo/m);
  });
});

describe('npm run demo', () => {
  it('builds, chats for as long as it is told, and closes with what happened', async () => {
    const { code, stdout } = await execute('npm', ['run', 'demo', '--', '--for', '2s'], { cwd: copy.path });
    expect(code).toBe(0);
    expect(stdout).toMatch(/INFO: {2}Stopped cleanly \(SIGINT\), exit code 0; /);
    expect(stdout).toMatch(/^ {2}lost +0\n {2}answered twice +0$/m);
  });

  it('ends in order on Ctrl-C, which npm gets as well', async () => {
    const npm = spawn('npm', ['run', 'demo'], {
      cwd: copy.path,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const group = npm.pid ?? Number.NaN;
    const ended = once(npm, 'close');
    let output = '';
    try {
      for await (const chunk of npm.stdout) {
        const isFirst = !output.includes('INFO:  Polling\n');
        output += chunk;
        if (isFirst && output.includes('INFO:  Polling\n')) process.kill(-group, 'SIGINT');
      }
      await ended;
    } finally {
      if (npm.exitCode === null && npm.signalCode === null) process.kill(-group, 'SIGKILL');
    }
    expect(output).toMatch(/^ {2}lost +0\n {2}answered twice +0\n {2}the stop took .*\n {2}exit code +0\n$/m);
    expect(() => process.kill(-group, 0)).toThrow('ESRCH');
  });
});
