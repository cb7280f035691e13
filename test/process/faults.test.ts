/** What nobody caught, and a log that nobody reads: the process still ends in order, with the right exit code. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { Daemon } from '../support/daemon.js';
import {
  atWork,
  type BotOptions,
  expectStopped,
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

describe.each([
  ['throw', 'uncaughtException', 'uncaught exception: nobody catches this, not even for \\d+:\\*\\*\\*'],
  ['reject', 'unhandledRejection', 'unhandled rejection: nobody catches this either'],
  ['nothing', 'unhandledRejection', 'unhandled rejection: undefined'],
])('a handler that lets an error go uncaught (%s)', (text, origin, reason) => {
  it('ends the run with 70, once the other handlers have ended', async () => {
    sayInChats(sandbox, 49);
    sandbox.say({ chat: 50, text });
    await using daemon = startBot(sandbox, 'faulty.mjs', { env: { HANDLER_MS: '400' } });
    const receipt = expectStopped(daemon, await daemon.stop(null), {
      reason: new RegExp(`^${reason}$`),
      code: 70,
      outcome: 'fault',
    });
    expect(told(daemon, 'process.fault')).toMatchObject([{ level: 'error', origin }]);
    expect(told(daemon, 'drain.started')).toMatchObject([{ running: 50, waiting: 0 }]);
    expect(receipt['counts']).toMatchObject({ fetched: 50, handled: 50, left: 0, mayRepeat: 0 });
    expect(sandbox.report()).toMatchObject({ said: 50, answered: 50, answeredTwice: 0 });
    expect(sandbox.state().queued).toBe(0);
  });
});

describe('a fault', () => {
  it('never shows the token, which its message and its stack hold', async () => {
    await using daemon = startBot(sandbox, 'faulty.mjs');
    sandbox.say('throw');
    await daemon.end();
    const [fault] = told(daemon, 'process.fault');
    const masked = `not even for ${sandbox.id}:***`;
    expect(fault).toMatchObject({ err: { message: expect.stringContaining(masked) } });
    expect(fault).toMatchObject({ err: { stack: expect.stringContaining(`${masked}\n    at `) } });
    expect(daemon.output).not.toContain(sandbox.token);
  });

  it('drains for 5 s at most, however much time a stop has', async () => {
    sandbox.say({ chat: 1, text: 'deaf' });
    sandbox.say({ chat: 2, text: 'throw' });
    await using daemon = startBot(sandbox, 'faulty.mjs', { env: { STOP_TIMEOUT: '90s' } });
    await daemon.waitFor('process.fault');
    const exit = await daemon.stop(null);
    const receipt = expectStopped(daemon, exit, {
      reason: /^uncaught exception/,
      code: 70,
      outcome: 'fault',
      budgetMs: 5_000,
    });
    expect(told(daemon, 'drain.overdue')).toMatchObject([{ aborted: [{ updateId: expect.any(Number) }] }]);
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 1, left: 1 });
  });

  it('amid a stop that began well still makes it end with 70', async () => {
    sandbox.say('late');
    await using daemon = startBot(sandbox, 'faulty.mjs', { env: { HANDLER_MS: '400', LOG_LEVEL: 'debug' } });
    await atWork(sandbox, daemon, 1);
    const receipt = expectStopped(daemon, await daemon.stop(), {
      reason: 'SIGTERM',
      code: 70,
      outcome: 'fault',
    });
    expect(receipt['counts']).toMatchObject({ handled: 1, left: 0 });
  });

  it('amid a drain leaves it 5 s, however much more it had', async () => {
    sandbox.say('never answered');
    await using daemon = startBot(sandbox, 'faulty-stop.mjs', {
      env: { STOP_TIMEOUT: '30s', LOG_LEVEL: 'debug' },
    });
    await atWork(sandbox, daemon, 1);
    const end = await daemon.stop();
    expectStopped(daemon, end, { reason: 'SIGTERM', code: 70, outcome: 'fault', budgetMs: 30_000 });
    expect(end.tookMs).toBeGreaterThan(4_900);
    expect(end.tookMs).toBeLessThan(5_000 + 100 + 250);
  });

  it('in a start hook stops what had started', async () => {
    await using daemon = startBot(sandbox, 'faulty-start.mjs');
    const receipt = expectStopped(daemon, await daemon.stop(null), {
      reason: /^uncaught exception: nobody/,
      code: 70,
      outcome: 'fault',
    });
    expect(steps(receipt)).toEqual([
      'start bot: done',
      'start lock: done',
      'start set-up: done',
      'start before: done',
      'start faulty: called-off',
      'stop before: done',
      'stop bot: done',
    ]);
  });
});

describe('a log that nobody reads', () => {
  /** A bot that tells on stderr, too, what it does; it has said `hello` by now. */
  async function outspoken({ env, ...options }: BotOptions = {}): Promise<Daemon> {
    const daemon = startBot(sandbox, 'outspoken.mjs', { ...options, env: { LOG_LEVEL: 'debug', ...env } });
    await idle(sandbox);
    return daemon;
  }
  const saysBack = (text: string) =>
    expect.objectContaining({ answers: [expect.objectContaining({ text })] });

  it('as stdout is closed: the bot goes on, and its stop is in order', async () => {
    await using daemon = await outspoken();
    daemon.child.stdout?.destroy();
    expect(await sandbox.ask('one')).toEqual(saysBack('echo one'));
    expect(await sandbox.ask('two')).toEqual(saysBack('echo two'));
    expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
    expect(daemon.output).toMatch(/echo one\necho two\nstopped last\nstopped first\n$/);
  });

  it('as stderr is closed: the same', async () => {
    await using daemon = await outspoken();
    daemon.child.stderr?.destroy();
    expect(await sandbox.ask('one')).toEqual(saysBack('echo one'));
    expect(await sandbox.ask('two')).toEqual(saysBack('echo two'));
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM' });
    expect(receipt['counts']).toMatchObject({ handled: 2, left: 0 });
  });

  it.each([
    ['stop', 0],
    ['fault', 70],
  ])('as both are closed: a %s ends with %i', async (how, code) => {
    await using daemon = await outspoken();
    daemon.child.stdout?.destroy();
    daemon.child.stderr?.destroy();
    expect(await sandbox.ask('one')).toEqual(saysBack('echo one'));
    if (how === 'fault') sandbox.say('throw');
    const exit = await daemon.stop(how === 'fault' ? null : 'SIGTERM');
    expect(exit).toMatchObject({ code, signal: null });
    expect(exit.tookMs).toBeLessThan(1_000);
    expect(sandbox.report().unanswered).toBe(0);
  });

  it.each([
    ['nothing to wait for', '', 0, 2_000],
    ['nothing left of the budget', 'deaf', 1, 1_000],
  ])('as its reader is stuck: a stop with %s keeps its bound', async (_, text, code, budgetMs) => {
    await using daemon = await outspoken({ env: { STOP_TIMEOUT: `${budgetMs}ms` } });
    daemon.child.stdout?.pause();
    await sandbox.ask('flood');
    if (text) {
      sandbox.say(text);
      await daemon.waitFor('fixture.busy');
    }
    const exit = await daemon.stop();
    expect(exit).toMatchObject({ code, signal: null });
    expect(exit.tookMs).toBeLessThan(budgetMs + 250);
    expect(daemon.output).toMatch(/stopped last\n(hung\n)?stopped first\n/);
  });
});
