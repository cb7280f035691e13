/** Bot programs in which something goes uncaught: what becomes of the run, and what the log says of it. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { expectGoodEnd, launch } from '../support/programs.js';
import { expectStopped, idle, told } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

describe('a program that throws after it has launched', () => {
  it('ends with 70, and what waits is left to the next run', async () => {
    sandbox.say('hello');
    await using daemon = launch(sandbox, 'throws-after-launch.mjs');
    const receipt = expectStopped(daemon, await daemon.stop(null), {
      reason: 'the bot program failed: no configuration',
      code: 70,
      outcome: 'fault',
    });
    expect(receipt).toMatchObject({ level: 'error', err: { message: 'no configuration' } });
    expect(sandbox.report()).toMatchObject({ answeredTwice: 0 });
    expect(sandbox.state().queued).toBe(sandbox.report().unanswered);
  });
});

describe('a program whose launch() is rejected, since its token is refused,', () => {
  it.each([
    ['lets the error through', 'launch-awaited.mjs'],
    ['catches it', 'exits-on-refusal.js'],
  ])('and %s: ends with 78, and that is no fault of its own', async (_, name) => {
    sandbox.addFault({ kind: 'revoked' });
    await using daemon = launch(sandbox, name);
    const exit = await daemon.stop(null);
    const receipt = expectStopped(daemon, exit, {
      reason: 'Telegram has refused the token: 401 Unauthorized',
      code: 78,
      outcome: name === 'exits-on-refusal.js' ? 'cut' : 'clean',
    });
    expect(receipt).toMatchObject({ err: { code: 'TOKEN_REFUSED' } });
    expect(daemon.events()).not.toContain('process.fault');
    expect(daemon.events()).not.toContain('lifecycle.stop-repeated');
  });
});

describe('a program that listens for uncaught exceptions itself', () => {
  it('lives on as it wants: lastcall only logs them', async () => {
    await using daemon = launch(sandbox, 'own-fault-listener.js');
    await sandbox.ask('throw it');
    await daemon.prints(/^lives on: throw it \(uncaughtException\)$/m);
    // Nobody listens for rejections: to Node that makes them exceptions.
    await sandbox.ask('reject it');
    await daemon.prints(/^lives on: reject it \(unhandledRejection\)$/m);
    await sandbox.ask('and on it goes');
    expect(told(daemon, 'process.fault')).toMatchObject([
      { level: 'error', origin: 'uncaughtException', err: { message: 'throw it' } },
      { level: 'error', origin: 'unhandledRejection', err: { message: 'reject it' } },
    ]);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe("the token in Telegraf's own errors", () => {
  // Not what Telegram's tokens look like, and no setting of lastcall's: nothing but the bot itself gives it away.
  const token = newToken('the-key-of-a-bot-of-its-own');

  it.each([
    ['careless', 'unhandledRejection', 70],
    ['careful', 'handler.put-back', 0],
  ])('is masked in the log (%s)', async (text, where, code) => {
    const bot = sandbox.bot(token);
    await using daemon = launch(sandbox, 'careless.js', { env: { BOT_TOKEN: '', THE_BOTS_TOKEN: token } });
    await idle(sandbox, bot);
    sandbox.addFault({ kind: 'invalid-json', method: 'sendMessage' });
    bot.say(text);
    const line = await daemon.waitFor(({ event, origin }) => [event, origin].includes(where));
    expect(line).toMatchObject({ err: { message: expect.stringMatching(/bot\d+:\*{3}\/sendMessage/) } });
    expect(await daemon.stop(code === 0 ? 'SIGTERM' : null)).toMatchObject({ code });
    expect(daemon.output).not.toContain('the-key-of-a-bot');
  });
});
