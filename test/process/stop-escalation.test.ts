/** More than one stop signal, and the other ways to be told: IPC messages, a supervisor that is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { Daemon } from '../support/daemon.js';
import {
  atWork,
  type BotOptions,
  expectStopped,
  expectStoppedAtOnce,
  idle,
  sayInChats,
  startBot,
  steps,
  told,
} from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const roomy = { STOP_TIMEOUT: '20s' };
const stopped = { reason: 'SIGTERM', budgetMs: 20_000 };

/** A bot with the handlers of so many chats at work. */
async function busy(module: string, chats: number, { env, ...options }: BotOptions = {}): Promise<Daemon> {
  sayInChats(sandbox, chats);
  const daemon = startBot(sandbox, module, { ...options, env: { LOG_LEVEL: 'debug', ...roomy, ...env } });
  await atWork(sandbox, daemon, chats);
  return daemon;
}

/** A bot whose stop has come to the hook `slow`. */
async function inHook(module: string, env: BotOptions['env'] = {}): Promise<Daemon> {
  const daemon = startBot(sandbox, module, { env: { ...roomy, ...env } });
  await idle(sandbox);
  daemon.kill('SIGTERM');
  await daemon.waitFor(({ event, hook }) => event === 'hook.stopping' && hook === 'slow');
  return daemon;
}

describe('the second signal', () => {
  it('in the drain: handlers are aborted at once, and named; their updates stay', async () => {
    await using daemon = await busy('heeding.mjs', 2);
    daemon.kill('SIGTERM');
    await daemon.waitFor('drain.started');
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop('SIGINT'), { ...stopped, code: 1 });
    const next = sandbox.state().nextUpdateId;
    expect(told(daemon, 'drain.overdue')).toMatchObject([
      { aborted: [{ updateId: next - 2 }, { updateId: next - 1 }] },
    ]);
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 0, left: 2, mayRepeat: 2 });
  });

  it('in the drain, with Telegram out of reach: each step still ends within a second, under its own name', async () => {
    sayInChats(sandbox, 1, 'echo');
    sandbox.say({ chat: 2, text: 'deaf' });
    await using daemon = startBot(sandbox, 'stubborn.mjs', { env: { LOG_LEVEL: 'debug', ...roomy } });
    await sandbox.waitFor(() => sandbox.report().answered === 1);
    sandbox.addFault({ kind: 'half-open', method: 'getUpdates' });
    daemon.kill('SIGTERM');
    await daemon.waitFor('drain.started');
    const exit = await daemon.stop('SIGINT');
    const receipt = expectStopped(daemon, exit, { ...stopped, code: 1 });
    expect(exit.tookMs).toBeLessThan(1_250);
    expect(daemon.events()).toEqual(expect.arrayContaining(['drain.overdue', 'poll.confirm-failed']));
    expect(daemon.events()).not.toContain('hook.cut');
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 1, left: 1, mayRepeat: 1 });
  });

  it('in a hook: that one and each one behind it gets a second', async () => {
    await using daemon = await inHook('hung-hooks.mjs');
    const exit = await daemon.stop('SIGINT');
    const receipt = expectStopped(daemon, exit, { ...stopped, code: 1 });
    expect(exit.tookMs).toBeGreaterThan(1_900);
    expect(exit.tookMs).toBeLessThan(2_250);
    expect(told(daemon, 'hook.cut')).toMatchObject([{ hook: 'slow' }, { hook: 'slow, too' }]);
    expect(steps(receipt).slice(-3)).toEqual(['stop slow: cut', 'stop slow, too: cut', 'stop bot: done']);
  });

  it('in a hook that ends in that second: nothing is wrong', async () => {
    await using daemon = await inHook('hooks.mjs', { HOOK_STOP_MS: '300' });
    expectStopped(daemon, await daemon.stop('SIGINT'), stopped);
    expect(daemon.events()).toContain('lifecycle.hastened');
  });

  it('counts once with the first when it is the same, within 500 ms', async () => {
    await using daemon = await inHook('hooks.mjs', { HOOK_STOP_MS: '1200' });
    expectStopped(daemon, await daemon.stop('SIGTERM'), stopped);
    expect(daemon.events()).not.toContain('lifecycle.hastened');
  });

  it('is never SIGHUP', async () => {
    await using daemon = await busy('echo.mjs', 2, { env: { HANDLER_MS: '300' } });
    daemon.kill('SIGTERM');
    await daemon.waitFor('drain.started');
    const receipt = expectStopped(daemon, await daemon.stop('SIGHUP'), stopped);
    expect(daemon.events()).not.toContain('lifecycle.hastened');
    expect(receipt['counts']).toMatchObject({ handled: 2, left: 0 });
  });

  it('before the start has got anywhere: the start is left behind', async () => {
    await using daemon = startBot(sandbox, 'deaf-start.mjs', { env: roomy });
    await daemon.waitFor(({ event, hook }) => event === 'hook.starting' && hook === 'deaf');
    daemon.kill('SIGTERM');
    await daemon.waitFor('lifecycle.stopping');
    const exit = await daemon.stop('SIGINT');
    const receipt = expectStopped(daemon, exit, { ...stopped, code: 1 });
    expect(exit.tookMs).toBeLessThan(1_250);
    expect(steps(receipt)).toContain('start deaf: cut');
  });
});

describe('the third signal', () => {
  it.each([
    ['SIGTERM', 'SIGINT', 143],
    ['SIGINT', 'SIGTERM', 130],
  ] as const)('ends the process at once: %s, %s and the first again', async (first, second, code) => {
    await using daemon = await busy('stuck.mjs', 1);
    const from = performance.now();
    daemon.kill(first);
    await daemon.waitFor('drain.started');
    daemon.kill(second);
    await daemon.waitFor(({ event, hook }) => event === 'hook.stopping' && hook === 'hung');
    // The same signal counts again only then.
    await sleep(from + 510 - performance.now());
    const exit = await daemon.stop(first);
    expectStopped(daemon, exit, { reason: first, code });
    expect(exit.tookMs).toBeLessThan(250);
    expect(daemon.receipt).toMatchObject({ outcome: 'cut', counts: { fetched: 1, left: 1, mayRepeat: 1 } });
    expect(steps(daemon.receipt)).toContain('stop drain: failed');
  });
});

describe('a supervisor with an IPC channel', () => {
  const underPm2 = { ipc: true, env: { pm_id: '0' } };

  it('stops it by the message "shutdown"', async () => {
    await using daemon = startBot(sandbox, 'echo.mjs', { ipc: true });
    await idle(sandbox);
    daemon.child.send('hello');
    daemon.child.send('shutdown');
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(null), { reason: /"shutdown"/ });
    expect(receipt).toMatchObject({ reasonKind: 'message', counts: { left: 0 } });
  });

  it('is heard from the first moment on', async () => {
    await using daemon = startBot(sandbox, 'echo.mjs', { ipc: true });
    daemon.child.send('shutdown');
    expectStopped(daemon, await daemon.stop(null), { reason: /"shutdown"/ });
    expect(sandbox.callCount('getUpdates')).toBe(0);
  });

  it('that is pm2, and gone, ends it in order', async () => {
    sayInChats(sandbox, 2);
    await using daemon = startBot(sandbox, 'echo.mjs', {
      ...underPm2,
      env: { ...underPm2.env, HANDLER_MS: '300', LOG_LEVEL: 'debug' },
    });
    await atWork(sandbox, daemon, 2);
    daemon.child.disconnect();
    const receipt = expectStopped(daemon, await daemon.stop(null), { reason: 'supervisor is gone' });
    expect(receipt).toMatchObject({ reasonKind: 'supervisor-gone', counts: { handled: 2, left: 0 } });
  });

  it('that is pm2, and gone before it was up, ends it too', async () => {
    await using daemon = startBot(sandbox, 'echo.mjs', underPm2);
    daemon.child.disconnect();
    expectStopped(daemon, await daemon.stop(null), { reason: 'supervisor is gone' });
  });

  it('that is any other parent may close the channel and change nothing', async () => {
    await using daemon = startBot(sandbox, 'echo.mjs', { ipc: true });
    await idle(sandbox);
    daemon.child.disconnect();
    expect(await sandbox.ask('still there?')).toMatchObject({ answers: [{ text: 'echo still there?' }] });
    expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM' });
  });
});
