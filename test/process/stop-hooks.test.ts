/** Stops that take their time: hooks and handlers that end late, never, or badly, within the budget. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { Daemon } from '../support/daemon.js';
import { atWork, expectStopped, idle, sayInChats, startBot, steps, told } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

async function hooks(stopMs: string, stopTimeout: string): Promise<Daemon> {
  const daemon = startBot(sandbox, 'hooks.mjs', { env: { HOOK_STOP_MS: stopMs, STOP_TIMEOUT: stopTimeout } });
  await idle(sandbox);
  return daemon;
}

/** A bot with so many handlers at work. */
async function busy(module: string, chats: number, stopTimeout: string): Promise<Daemon> {
  sayInChats(sandbox, chats);
  const daemon = startBot(sandbox, module, { env: { LOG_LEVEL: 'debug', STOP_TIMEOUT: stopTimeout } });
  await atWork(sandbox, daemon, chats);
  return daemon;
}

describe('a hook', () => {
  it('that takes most of a budget that allows it is awaited whole', async () => {
    await using daemon = await hooks('1500', '6s');
    const exit = await daemon.stop();
    expectStopped(daemon, exit, { reason: 'SIGTERM', budgetMs: 6_000 });
    expect(exit.tookMs).toBeGreaterThan(1_490);
    expect(exit.tookMs).toBeLessThan(1_750);
  });

  it('that takes longer than the budget is cut off by name, and those behind it still stop', async () => {
    await using daemon = await hooks('60000', '1200ms');
    const exit = await daemon.stop();
    const receipt = expectStopped(daemon, exit, { reason: 'SIGTERM', code: 1, budgetMs: 1_200 });
    expect(told(daemon, 'hook.cut')).toMatchObject([{ hook: 'slow', step: 'stop' }]);
    expect(steps(receipt).slice(-4)).toEqual([
      'stop last: done',
      'stop slow: cut',
      'stop first: done',
      'stop bot: done',
    ]);
  });

  it('that throws is named, and those behind it still stop', async () => {
    await using daemon = await hooks('throws', '2s');
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM', code: 1 });
    expect(told(daemon, 'hook.failed')).toMatchObject([{ hook: 'slow', err: { message: /no disk/ } }]);
    expect(steps(receipt).slice(-3)).toEqual(['stop slow: failed', 'stop first: done', 'stop bot: done']);
  });

  it('whose start does not listen is left behind, and what had started is stopped', async () => {
    await using daemon = startBot(sandbox, 'deaf-start.mjs');
    await daemon.waitFor(({ event, hook }) => event === 'hook.starting' && hook === 'deaf');
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM', code: 1 });
    expect(told(daemon, 'hook.cut')).toMatchObject([{ hook: 'deaf', step: 'start' }]);
    expect(steps(receipt)).toEqual([
      'start bot: done',
      'start lock: done',
      'start set-up: done',
      'start before: done',
      'start deaf: cut',
      'stop before: done',
      'stop bot: done',
    ]);
  });
});

describe('handlers that never end', () => {
  it('are named and left to the next run, within the budget', async () => {
    await using daemon = await busy('deaf.mjs', 3, '3s');
    const receipt = expectStopped(daemon, await daemon.stop(), {
      reason: 'SIGTERM',
      code: 1,
      budgetMs: 3_000,
    });
    const next = sandbox.state().nextUpdateId;
    expect(told(daemon, 'drain.overdue')).toMatchObject([
      { aborted: [{ updateId: next - 3 }, { updateId: next - 2 }, { updateId: next - 1 }] },
    ]);
    expect(receipt['counts']).toMatchObject({ fetched: 3, handled: 0, left: 3, mayRepeat: 3 });
  });

  it.each([
    ['1400ms', 1_400],
    ['5s', 5_000],
  ])('and a hook that never ends share a budget of %s: each is cut, each by name', async (text, budgetMs) => {
    await using daemon = await busy('stuck.mjs', 2, text);
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM', code: 1, budgetMs });
    expect(told(daemon, 'drain.overdue')).toMatchObject([{ aborted: [{}, {}] }]);
    expect(told(daemon, 'hook.cut')).toMatchObject([{ hook: 'hung', step: 'stop' }]);
    expect(steps(receipt).slice(-5)).toEqual([
      'stop intake: done',
      'stop drain: failed',
      'stop hung: cut',
      'stop orderly: done',
      'stop bot: done',
    ]);
  });

  it('and a Telegram that is out of reach: the confirm that comes to nothing is named, too', async () => {
    sandbox.say({ chat: 1, text: 'hello' });
    sandbox.say({ chat: 2, text: 'deaf' });
    await using daemon = startBot(sandbox, 'stubborn.mjs', { env: { STOP_TIMEOUT: '1400ms' } });
    await sandbox.waitFor(() => sandbox.report().answered === 1);
    sandbox.addFault({ kind: 'half-open', method: 'getUpdates' });
    const receipt = expectStopped(daemon, await daemon.stop(), {
      reason: 'SIGTERM',
      code: 1,
      budgetMs: 1_400,
    });
    expect(daemon.events()).toEqual(expect.arrayContaining(['drain.overdue', 'poll.confirm-failed']));
    expect(daemon.events()).not.toContain('hook.cut');
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 1, left: 1, mayRepeat: 1 });
  });
});

describe('--stop-after', () => {
  it('ends the run by itself, in order', async () => {
    await using daemon = startBot(sandbox, 'echo.mjs', { args: ['--stop-after', '1s'] });
    await daemon.waitFor('lifecycle.running');
    const receipt = expectStopped(daemon, await daemon.stop(null), { reason: '1000 ms' });
    expect(receipt['reasonKind']).toBe('stop-after');
    expect(receipt['durationMs']).toBeGreaterThan(990);
    expect(receipt['durationMs']).toBeLessThan(1_500);
  });
});
