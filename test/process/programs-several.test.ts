/** Programs with two bots: both are polled and stopped, and what becomes of one when the other cannot be polled. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import type { Daemon } from '../support/daemon.js';
import { expectGoodEnd, launch, slowAnswers } from '../support/programs.js';
import { idle, told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const SECOND_TOKEN = newToken();

let sandbox: Sandbox;
let second: SandboxBot;
beforeEach(async () => {
  sandbox = await startSandbox();
  second = sandbox.bot(SECOND_TOKEN);
});
afterEach(() => sandbox.close());

/** More than twice what the handlers take: they get about half of it. */
const BUDGET_MS = 4_000;

const launchTwo = (name: string, env: Readonly<Record<string, string>> = {}): Daemon =>
  launch(sandbox, name, {
    env: {
      SECOND_BOT_TOKEN: SECOND_TOKEN,
      STOP_TIMEOUT: `${BUDGET_MS}ms`,
      ...(name === 'tenants.js' && { BOT_TOKEN: '', TENANT_TOKENS: `${sandbox.token} ${SECOND_TOKEN}` }),
      ...env,
    },
  });

describe('two bots', () => {
  it.each([
    ['launched together', 'two-bots.js'],
    ['launched one after the other', 'second-launch.js'],
  ])('%s are both polled, drained and stopped', async (_, name) => {
    slowAnswers(sandbox, 800);
    for (let chat = 1; chat <= 10; chat++)
      for (const bot of [sandbox, second]) bot.say({ chat, text: `hello ${chat}` });
    await using daemon = launchTwo(name);
    await sandbox.waitFor(() => [sandbox, second].every((bot) => bot.callCount('sendMessage') === 10));
    const receipt = expectGoodEnd([sandbox, second], daemon, await daemon.stop(), {
      budgetMs: BUDGET_MS,
    });
    expect(receipt['counts']).toMatchObject({ fetched: 20, handled: 20 });
    expect(told(daemon, 'drain.started')).toMatchObject([
      { bot: sandbox.id, running: 10 },
      { bot: second.id, running: 10 },
    ]);
    expect(told(daemon, 'poll.stopped')).toHaveLength(2);
  });

  it('of which one has a token that was revoked, which nobody handles, are both stopped, in order, with 78', async () => {
    slowAnswers(sandbox, 300);
    sandbox.addFault({ kind: 'latency', ms: 60_000, method: 'getMe', bot: second.id });
    await using daemon = launchTwo('two-bots.js');
    sandbox.say('hello');
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 1 && second.callCount('getMe') === 1);
    sandbox.addFault({ kind: 'revoked', bot: second.id });
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(null), {
      code: 78,
      outcome: 'clean',
      reason: /^Telegram has refused the token: 401 Unauthorized/,
    });
    expect(receipt).toMatchObject({ level: 'error', err: { code: 'TOKEN_REFUSED' } });
    // Nobody catches what becomes of launch(), and that is no fault.
    expect(daemon.events()).not.toContain('process.fault');
  });

  it.each([
    ['revoked at the start', 78, 'TOKEN_REFUSED', /^caught Telegram has refused the token/m],
    ['taken by another poller at run time', 75, 'POLL_CONFLICT', /^caught Another program has polled/m],
  ])(
    'of which one has a token that was %s, which the program handles: the other goes on',
    async (when, exitCode, code, words) => {
      const isAtStart = exitCode === 78;
      if (isAtStart) sandbox.addFault({ kind: 'revoked', bot: second.id });
      await using daemon = launchTwo('tenants.js', { CONFLICT_PATIENCE: '0ms' });
      if (!isAtStart) {
        await second.ask('hello');
        sandbox.addFault({
          kind: 'error',
          status: 409,
          description: 'Conflict: terminated by other getUpdates request',
          method: 'getUpdates',
          bot: second.id,
        });
      }
      await daemon.prints(words);
      expect(await daemon.waitFor('bot.failed')).toMatchObject({
        level: 'error',
        bot: second.id,
        err: { code },
      });
      expect((await sandbox.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
      const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(), { budgetMs: BUDGET_MS });
      expect(receipt).toMatchObject({ level: 'warn', failedBots: [{ bot: second.id, code }] });
      expect(when && daemon.events()).not.toContain('process.fault');
    },
  );

  it('of which one has a token that was revoked, in a program that listens for unhandled rejections: the other goes on', async () => {
    sandbox.addFault({ kind: 'revoked', bot: second.id });
    await using daemon = launchTwo('tenants.js', { LISTENS: 'yes' });
    await daemon.prints(/^caught Telegram has refused the token/m);
    expect((await sandbox.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });

  it('that can both not be polled: the second failure ends the run with its code, though it is handled', async () => {
    sandbox.addFault({ kind: 'revoked' });
    await using daemon = launchTwo('tenants.js');
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt).toMatchObject({ level: 'error', err: { code: 'TOKEN_REFUSED' } });
    await daemon.prints(/caught.*\n[\s\S]*caught/);
  });

  it('of which one has a token that was revoked both end, with BOT_FAILURE=stop-all', async () => {
    sandbox.addFault({ kind: 'revoked', bot: second.id });
    await using daemon = launchTwo('tenants.js', { BOT_FAILURE: 'stop-all' });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.events()).not.toContain('bot.failed');
  });

  it('of which another process runs one: the other is polled at once', async () => {
    await using holder = launch(sandbox, 'readme.js');
    await idle(sandbox);
    await using daemon = launchTwo('tenants.js');
    expect(await daemon.waitFor('lock.waiting')).toMatchObject({ bot: sandbox.id });
    expect((await second.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
    await holder.stop();
    expect((await sandbox.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(sandbox.state().conflicts).toBe(0);
  });
});
