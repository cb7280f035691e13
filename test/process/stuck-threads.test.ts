/** A stop while threads of Node's pool are stuck in files: the process ends all the same. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { Container, describeInContainers } from '../support/container.js';
import {
  type Daemon,
  type DaemonOptions,
  type Exit,
  fixture,
  median,
  spawnDaemon,
} from '../support/daemon.js';
import { MARGIN_MS } from '../support/stopping.js';

jest.setTimeout(30_000);

const RUNS = 5;

let sandbox: Sandbox;
let folder: string;
beforeEach(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), 'lastcall-'));
});
afterEach(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** Older versions of Node can only be ended by a signal, with SIGTERM for a clean end. */
const hasExecve = 'execve' in process;
const without = hasExecve ? '' : ' (skipped: Node can do that since 22.15)';
const ends = (code: number) =>
  hasExecve ? { code, signal: null } : { code: null, signal: code === 0 ? 'SIGTERM' : 'SIGKILL' };

/** A bot with so many threads of the four stuck. */
async function stuckBot(file: string, threads: number, env: DaemonOptions['env'] = {}): Promise<Daemon> {
  const pipes = Array.from({ length: threads }, () => join(folder, randomUUID()));
  execFileSync('mkfifo', pipes);
  const { apiRoot, token } = sandbox;
  const daemon = spawnDaemon({
    args: ['run', file],
    env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, PIPES: pipes.join(':'), ...env },
  });
  const before = sandbox.callCount('sendMessage');
  sandbox.say({ chat: 1, text: 'open' });
  await sandbox.waitFor(() => sandbox.callCount('sendMessage') > before);
  return daemon;
}

const module = fixture('modules', 'opens-pipes.mjs');

function expectCut(end: Exit, { receipt }: Daemon): void {
  expect(end).toMatchObject(ends(1));
  expect(receipt).toMatchObject({ outcome: 'cut', exitCode: 1 });
}

describe('a stop ends the process', () => {
  it('with a thread stuck in a file, within its budget', async () => {
    await using daemon = await stuckBot(module, 1, { STOP_TIMEOUT: '1s' });
    expectCut(await daemon.stop(), daemon);
  });

  it('with a thread stuck in a file that is read whole, which Node 26 does not list', async () => {
    await using daemon = await stuckBot(module, 1, { STOP_TIMEOUT: '1s', READ_WHOLE: 'yes' });
    const end = await daemon.stop();
    expect(end.tookMs).toBeLessThan(1_000 + MARGIN_MS);
    expect(end).toMatchObject(ends(Number(daemon.receipt['exitCode'])));
  });

  it('with all threads stuck, so that the inbox cannot be closed, within its budget', async () => {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await using daemon = await stuckBot(module, 4, { STOP_TIMEOUT: '1s' });
      const end = await daemon.stop();
      expectCut(end, daemon);
      times.push(end.tookMs);
    }
    expect(median(times)).toBeLessThan(1_000 + MARGIN_MS);
  });

  it('also by a third signal', async () => {
    await using daemon = await stuckBot(module, 4);
    daemon.kill('SIGTERM');
    await daemon.waitFor('lifecycle.stopping');
    daemon.kill('SIGINT');
    // The same signal counts again after half a second.
    await sleep(510);
    const end = await daemon.stop('SIGTERM');
    expect(end).toMatchObject(ends(143));
    expect(end.tookMs).toBeLessThan(MARGIN_MS);
  });

  (hasExecve ? it : it.skip)(`also where the program ends it by process.exit${without}`, async () => {
    await using daemon = await stuckBot(fixture('bots', 'opens-pipes.js'), 1);
    const end = await daemon.stop();
    // Any code but 0 counts as a failure of the stop.
    expect(end).toMatchObject(ends(1));
    expect(end.tookMs).toBeLessThan(1_000);
  });
});

describeInContainers('a stop as PID 1, to which its own signals do nothing,', () => {
  (hasExecve ? it : it.skip)(`has its exit code with a thread stuck${without}`, async () => {
    const { token, apiRoot } = sandbox;
    await using container = new Container({
      command: ['node_modules/.bin/lastcall', 'run', 'bot.mjs'],
      build: ['mkfifo pipe', 'ln -s node_modules/lastcall/test/fixtures/modules/opens-pipes.mjs bot.mjs'],
      env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, PIPES: '/app/pipe', STOP_TIMEOUT: '1s' },
    });
    await sandbox.ask({ chat: 1, text: 'open' });
    const end = await container.stop();
    expect(end).toMatchObject(ends(1));
    expect(end.tookMs).toBeLessThan(1_500 + MARGIN_MS);
    expect(container.daemon.receipt).toMatchObject({ pid: 1, outcome: 'cut', exitCode: 1 });
  });
});
