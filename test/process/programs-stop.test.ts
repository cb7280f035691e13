/** How bot programs end, and have themselves ended: by signal handlers, process.exit, a chat, or not at all. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { Folder } from '../support/folder.js';
import { expectGoodEnd, launch, linesOf, slowAnswers } from '../support/programs.js';
import { expectStoppedAtOnce, idle, steps } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** Twenty people have written, and their handlers are at work; the answers take their time. */
async function twentyAtWork(): Promise<void> {
  for (let chat = 1; chat <= 20; chat++) sandbox.say({ chat, text: `hello ${chat}` });
  await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 20);
}

describe('a program that, when it is stopped,', () => {
  it('exits at once: all handlers end before it does', async () => {
    slowAnswers(sandbox, 300);
    await using daemon = launch(sandbox, 'exits-on-signal.js');
    await twentyAtWork();
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop('SIGINT'));
    expect(steps(receipt).slice(-3)).toEqual(['stop intake: done', 'stop drain: done', 'stop bot: done']);
  });

  it('exits with a code of its own: that counts, and is named', async () => {
    slowAnswers(sandbox, 300);
    await using daemon = launch(sandbox, 'exits-with-code.js');
    await twentyAtWork();
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(), { code: 1 });
    expect(receipt['phases']).toContainEqual({
      hook: 'bot',
      step: 'stop',
      result: 'failed',
      durationMs: expect.any(Number),
      error: 'the program asked for exit code 3 when it was stopped',
    });
    expect(await daemon.waitFor('hook.failed')).toMatchObject({
      msg: expect.stringContaining('the program asked for exit code 3'),
    });
  });

  it('cleans up behind launch(), and then exits: both come after the handlers', async () => {
    using folder = new Folder();
    const database = folder.file('database.txt');
    slowAnswers(sandbox, 300);
    await using daemon = launch(sandbox, 'code-after-launch.js', { env: { DATABASE: database } });
    await twentyAtWork();
    const exit = daemon.stop();
    await daemon.waitFor('drain.started');
    expect(linesOf(database)).not.toContain('closed');
    expectGoodEnd(sandbox, daemon, await exit);
    expect(linesOf(database)).toHaveLength(21);
    expect(linesOf(database).at(-1)).toBe('closed');
  });

  it('leaves a server open, which would have kept it from ending: that is named, and waited for no longer', async () => {
    await using daemon = launch(sandbox, 'web-server.js');
    await sandbox.ask('hello');
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(receipt).toMatchObject({ outcome: 'clean' });
    expect(await daemon.waitFor('program.left-open')).toMatchObject({
      level: 'warn',
      kinds: ['TCPServerWrap'],
    });
  });

  it.each([
    ['connects-first.mjs', 'gives up connecting'],
    ['exits-while-connecting.mjs', 'exits'],
  ])('still connects at its top level: its own listener has its turn (%s)', async (name, words) => {
    await using daemon = launch(sandbox, name);
    await daemon.prints(/^connecting$/m);
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(), { reason: 'SIGTERM' });
    expect(steps(receipt).at(-1)).toBe('stop bot: done');
    expect(daemon.output).toMatch(new RegExp(`^${words}$`, 'm'));
    expect(sandbox.state().calls).toEqual({});
  });
});

describe('a program that ends its run itself', () => {
  it('by bot.stop() in a handler: in order, and the command does not come again', async () => {
    slowAnswers(sandbox, 300);
    await using daemon = launch(sandbox, 'stop-command.js');
    sandbox.say({ chat: 1, text: 'hello' });
    sandbox.say({ chat: 2, text: '/stop' });
    const exit = await daemon.stop(null);
    const receipt = expectGoodEnd(sandbox, daemon, exit, {
      reason: "bot.stop('asked in a chat') was called",
    });
    expect(receipt).toMatchObject({ reasonKind: 'request', counts: { handled: 2 } });
  });

  it('by process.exit outside its handlers: at once, with its code, and a receipt that says who it was', async () => {
    await using daemon = launch(sandbox, 'exits-amid-run.js');
    await idle(sandbox);
    sandbox.say('hold');
    await daemon.prints(/^holding$/m);
    daemon.kill('SIGUSR2');
    expect(await daemon.end()).toMatchObject({ code: 5, signal: null });
    expect(daemon.receipt).toMatchObject({
      exitCode: 5,
      reason: 'process.exit(5) was called',
      counts: { fetched: 1, handled: 0, left: 1, mayRepeat: 1 },
    });
  });
});

describe('a program that wants a webhook', () => {
  it('is refused with 78, and is told why', async () => {
    await using daemon = launch(sandbox, 'webhook.js');
    expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
    expect(daemon.receipt).toMatchObject({
      level: 'error',
      exitCode: 78,
      reason: expect.stringMatching(/calls bot\.launch\(\{ webhook: … \}\).* by long polling$/),
      err: { code: 'WEBHOOK_LAUNCH', nextStep: expect.stringContaining('bot.launch() without a webhook') },
    });
    expect(sandbox.state().calls).toEqual({});
  });
});
