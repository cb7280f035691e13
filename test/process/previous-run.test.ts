/** What a start says of the run before it, by what that has left on disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from '../support/daemon.js';
import { allAnswered, openSandbox, runProgram } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { atWork, idle, startBot, told } from '../support/stopping.js';

/** All that is in the folder, as one text. */
function contents(folder: Folder): string {
  const entries = readdirSync(folder.path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8'))
    .join('');
}

async function expectNothingToldOf(sandbox: Sandbox, { path }: Folder): Promise<void> {
  await using next = startBot(sandbox, 'echo.mjs', { env: { STATE_DIR: path } });
  await next.waitFor('lifecycle.running');
  expect((await next.stop()).code).toBe(0);
  expect(told(next, 'previous-run.killed')).toEqual([]);
}

jest.setTimeout(30_000);

describe('the run before this one', () => {
  it('that was killed in its drain is named, with the phase and what to change', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const env = { STATE_DIR: folder.path, STOP_TIMEOUT: '30s', LOG_LEVEL: 'debug' };
    sandbox.say('hello');
    await using first = startBot(sandbox, 'deaf.mjs', { env });
    await atWork(sandbox, first, 1);
    first.kill('SIGTERM');
    await first.waitFor('drain.started');
    await first.stop('SIGKILL');
    expect(contents(folder)).toContain('"phase":"draining"');
    expect(contents(folder)).not.toContain(sandbox.token.split(':')[1]);

    await using second = startBot(sandbox, 'echo.mjs', { env });
    const line = await second.waitFor('previous-run.killed');
    expect(line).toMatchObject({
      level: 'warn',
      phase: 'draining',
      pid: first.child.pid,
      bound: 'at most',
      machineRestarted: false,
      msg: expect.stringMatching(
        /^The previous run \(process \d+\) was killed at most .* into the drain: wait for at least 35 s before killing it/,
      ),
    });
    await idle(sandbox);
    expect(told(second, 'previous-run.killed')).toHaveLength(1);
    expect((await second.stop()).code).toBe(0);

    // That one ended by itself.
    await expectNothingToldOf(sandbox, folder);
  });

  it('that was killed in a hook, or while it ran, is named too', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const env = { STATE_DIR: folder.path, HOOK_STOP_MS: '20000', STOP_TIMEOUT: '30s' };
    await using first = startBot(sandbox, 'hooks.mjs', { env });
    await idle(sandbox);
    first.kill('SIGTERM');
    await first.waitFor(({ event, hook }) => event === 'hook.stopping' && hook === 'slow');
    await first.stop('SIGKILL');

    await using second = startBot(sandbox, 'hooks.mjs', { env });
    expect(await second.waitFor('previous-run.killed')).toMatchObject({ phase: 'stopping', hook: 'slow' });
    await second.waitFor('lifecycle.running');
    await second.stop('SIGKILL');

    await using third = startBot(sandbox, 'echo.mjs', { env });
    expect(await third.waitFor('previous-run.killed')).toMatchObject({
      phase: 'running',
      msg: expect.stringMatching(/killed after running for at most .*: by kill -9/),
    });
    await third.stop();
  });

  it('that was ended by a third signal has ended by itself', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const env = { STATE_DIR: folder.path, STOP_TIMEOUT: '30s' };
    await using first = startBot(sandbox, 'hung-hooks.mjs', { env });
    await idle(sandbox);
    first.kill('SIGTERM');
    await first.waitFor('lifecycle.stopping');
    first.kill('SIGINT');
    await first.waitFor('lifecycle.hastened');
    // The same signal within 500 ms counts once.
    await sleep(550);
    expect((await first.stop('SIGTERM')).code).toBe(143);
    expect(contents(folder)).toContain('"exitCode":143');
    await expectNothingToldOf(sandbox, folder);
  });

  it('that was ended by its own process.exit has ended by itself', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    await using first = runProgram(sandbox, fixture('bots', 'exits-amid-run.js'), {
      env: { STATE_DIR: folder.path },
    });
    await idle(sandbox);
    first.kill('SIGUSR2');
    expect((await first.end()).code).toBe(5);
    expect(contents(folder)).toContain('"exitCode":5');
    await expectNothingToldOf(sandbox, folder);
  });

  it('that had lost the reader of its log is told of, with its receipt', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const env = { STATE_DIR: folder.path };
    await using first = startBot(sandbox, 'echo.mjs', { env });
    await idle(sandbox);
    sandbox.say('hello');
    await allAnswered(sandbox);
    await idle(sandbox);
    first.child.stdout?.destroy();
    expect((await first.stop('SIGHUP')).code).toBe(0);
    expect(contents(folder)).not.toContain(sandbox.token.split(':')[1]);

    await using second = startBot(sandbox, 'echo.mjs', { env });
    expect(await second.waitFor('previous-run.receipt')).toMatchObject({
      level: 'info',
      pid: first.child.pid,
      reason: 'SIGHUP',
      outcome: 'clean',
      exitCode: 0,
      counts: { fetched: 1, handled: 1, left: 0 },
    });
    await idle(sandbox);
    expect((await second.stop()).code).toBe(0);
  });

  it('is unknown where there is no place for its state, and that is no failure without a journal', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder({ 'no-folder': '' });
    const env = { STATE_DIR: folder.file('no-folder'), INBOX: 'memory', LOG_LEVEL: 'debug' };
    await using daemon = startBot(sandbox, 'echo.mjs', { env });
    await daemon.waitFor('poll.started');
    expect((await daemon.stop()).code).toBe(0);
    expect(told(daemon, 'run-record.failed')).toMatchObject([{ level: 'debug' }]);
  });
});
