/** In a container: the grace, the inbox without a volume, the probe, and npm in between. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fileSystemOf } from '../../src/file-system.js';
import { Daemon, fixture, mainFile } from '../support/daemon.js';
import { openSandbox, type TestBed } from '../support/delivery.js';

jest.setTimeout(30_000);

const file = fixture('modules', 'echo.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastcall-container-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settingsFor = (sandbox: TestBed) => ({
  BOT_TOKEN: sandbox.token,
  TELEGRAM_API_ROOT: sandbox.apiRoot,
  STATE_DIR: folder,
  TMPDIR: folder,
});

function run(sandbox: TestBed, env: Readonly<Record<string, string>>): Daemon {
  return new Daemon({
    args: ['run', file],
    env: { ...settingsFor(sandbox), container: 'docker', ...env },
  });
}

const probe = () =>
  spawnSync(process.execPath, [mainFile, 'probe'], {
    env: { PATH: process.env['PATH'], TMPDIR: folder },
    encoding: 'utf8',
  });

const warnings = ({ lines }: Daemon) => lines.filter(({ event }) => event === 'config.warning');

describe('in a container', () => {
  it('warns of its grace, beats for the probe, and keeps its stop within the grace', async () => {
    await using sandbox = await openSandbox();
    expect(probe()).toMatchObject({ status: 1, stdout: expect.stringMatching(/^no sign of life: /) });
    await using daemon = run(sandbox, {});
    await daemon.waitFor('poll.started');
    expect(await daemon.waitFor('lifecycle.budget')).toMatchObject({
      level: 'warn',
      budgetMs: 9_600,
      msg: expect.stringMatching(/a container is killed 10 s after SIGTERM .*stop_grace_period.*95 s/),
    });
    expect(probe()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^alive: /) });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });

  it('takes the grace that is set', async () => {
    await using sandbox = await openSandbox();
    await using daemon = run(sandbox, { LASTCALL_GRACE: '95s' });
    expect(await daemon.waitFor('lifecycle.budget')).toMatchObject({ level: 'info', budgetMs: 90_000 });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });

  const memory = '/dev/shm';
  const onMemory = existsSync(memory) && fileSystemOf(memory) === 'memory' ? it : it.skip;

  onMemory('without a volume keeps updates at Telegram, and says so', async () => {
    await using sandbox = await openSandbox();
    const STATE_DIR = join(memory, `lastcall-${process.pid}`);
    await using daemon = run(sandbox, { STATE_DIR });
    await daemon.waitFor('poll.started');
    expect(warnings(daemon)).toMatchObject([
      { msg: expect.stringMatching(/goes with the container.*INBOX=memory.*volume/) },
    ]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(daemon.events()).not.toContain('inbox.opened');
    rmSync(STATE_DIR, { recursive: true, force: true });
  });

  onMemory(
    'without a volume keeps the journal that an earlier run has left, so that nothing in it waits for ever',
    async () => {
      await using sandbox = await openSandbox();
      const STATE_DIR = join(memory, `lastcall-${process.pid}`);
      {
        await using before = run(sandbox, { STATE_DIR, INBOX: 'journal' });
        await before.waitFor('inbox.opened');
      }
      await using daemon = run(sandbox, { STATE_DIR });
      await daemon.waitFor('inbox.opened');
      expect(warnings(daemon)).toMatchObject([{ msg: expect.stringMatching(/the updates in the inbox/) }]);
      await daemon.stop();
      rmSync(STATE_DIR, { recursive: true, force: true });
    },
  );

  onMemory('with INBOX=journal and no volume promises nothing for a power cut, and warns', async () => {
    await using sandbox = await openSandbox();
    const STATE_DIR = join(memory, `lastcall-${process.pid}`);
    await using daemon = run(sandbox, { STATE_DIR, INBOX: 'journal' });
    expect(await daemon.waitFor('inbox.opened')).toMatchObject({ survives: 'process' });
    expect(warnings(daemon)).toMatchObject([{ msg: expect.stringMatching(/the updates in the inbox/) }]);
    await daemon.stop();
    rmSync(STATE_DIR, { recursive: true, force: true });
  });

  it('started by a shell warns that the signal does not arrive', async () => {
    await using sandbox = await openSandbox();
    await using daemon = new Daemon({
      args: ['run', file],
      entering: ['sh', '-c', '"$@"; exit', 'sh'],
      detached: true,
      env: { ...settingsFor(sandbox), container: 'docker', INBOX: 'memory' },
    });
    await daemon.waitFor('lifecycle.running');
    expect(warnings(daemon)).toMatchObject([{ msg: expect.stringMatching(/^a shell .*the exec form/) }]);
  });
});

/** Runs `npm start` with lastcall as the script, and becomes npm. */
function npmStart(sandbox: TestBed, env: Readonly<Record<string, string>> = {}): Daemon {
  const start = `${process.execPath} ${mainFile} run ${file}`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, scripts: { start } }));
  return new Daemon({
    entering: ['sh', '-c', 'shift; exec npm start', 'sh'],
    detached: true,
    cwd: folder,
    env: { ...settingsFor(sandbox), ...env },
  });
}

describe('npm start', () => {
  it('is refused in a container, with the command to use', async () => {
    await using sandbox = await openSandbox();
    await using daemon = npmStart(sandbox, { container: 'docker' });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.output).toContain('CMD ["node_modules/.bin/lastcall", "run", "bot.js"]');
  });

  it('elsewhere stops the bot when npm is ended', async () => {
    await using sandbox = await openSandbox();
    await using daemon = npmStart(sandbox);
    await daemon.waitFor('poll.started');
    daemon.kill('SIGTERM');
    expect(await daemon.waitFor('lifecycle.stopped')).toMatchObject({ exitCode: 0 });
  });
});
