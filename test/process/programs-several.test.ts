/** Programs with two bots: both are polled, both are stopped, and neither lives on without the other. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import type { Daemon } from '../support/daemon.js';
import { expectGoodEnd, launch, slowAnswers } from '../support/programs.js';
import { told } from '../support/stopping.js';

jest.setTimeout(30_000);

const SECOND_TOKEN = '7000000002:THE-SECOND-BOT-OF-A-PROGRAM-NOT-SECRET';

let sandbox: Sandbox;
let second: SandboxBot;
beforeEach(async () => {
  sandbox = await startSandbox();
  second = sandbox.bot(SECOND_TOKEN);
});
afterEach(() => sandbox.close());

/** More than twice what the handlers take: they get about half of it. */
const BUDGET_MS = 4_000;

const launchTwo = (name: string): Daemon =>
  launch(sandbox, name, { env: { SECOND_BOT_TOKEN: SECOND_TOKEN, STOP_TIMEOUT: `${BUDGET_MS}ms` } });

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

  it('of which one has a token that was revoked are both stopped, in order, with 78', async () => {
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
});
