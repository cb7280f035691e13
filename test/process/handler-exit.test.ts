/** Handlers that end their process on purpose: one stop in order follows, and their update does not come again. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture } from '../support/daemon.js';
import { countsOf, mishaps, noMishaps, openSandbox, runBot, runProgram } from '../support/delivery.js';
import { expectGoodEnd } from '../support/programs.js';
import { idle, steps, told } from '../support/stopping.js';

jest.setTimeout(30_000);

const NEIGHBOURS = 20;
const HANDLER_MS = 600;
const program = fixture('bots', 'exits-in-handler.js');
const env = { HANDLER_MS: `${HANDLER_MS}`, LOG_LEVEL: 'debug', STOP_TIMEOUT: '5s' };

/** Resolves once 20 handlers are at work. */
async function neighboursAtWork(sandbox: Sandbox, daemon: Daemon): Promise<void> {
  await idle(sandbox);
  const updates = Array.from({ length: NEIGHBOURS }, (_, n) => ({ chat: 101 + n, text: 'hello' }));
  for (const update of updates) sandbox.say(update);
  let fetched = 0;
  await daemon.waitFor((line) => {
    if (line.event === 'poll.answered') fetched += Number(line['count']);
    return fetched >= NEIGHBOURS;
  });
}

/** What the bot has answered in the chat of whoever asked it to end. */
const answersOf = (sandbox: Sandbox) =>
  sandbox.exchanges(1).flatMap(({ answers }) => answers.map(({ text }) => text));

describe('a handler that calls process.exit', () => {
  it('stops the run in order, once: its neighbours end, and a supervisor starts it once more', async () => {
    await using sandbox = await openSandbox();
    {
      await using daemon = runProgram(sandbox, program, { env });
      await neighboursAtWork(sandbox, daemon);
      sandbox.say({ chat: 1, text: '/restart' });
      const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(null), {
        reason: 'process.exit(0) was called',
        budgetMs: 5_000,
      });
      expect(receipt).toMatchObject({ reasonKind: 'request', counts: { handled: NEIGHBOURS + 1 } });
      expect(steps(receipt).slice(-3)).toEqual(['stop intake: done', 'stop drain: done', 'stop bot: done']);
      expect(daemon.output).toContain('listener');
      expect(daemon.output).not.toContain('reached');
    }
    await using next = runProgram(sandbox, program, { env });
    expect((await sandbox.ask({ chat: 1, text: 'hello' })).answers).toMatchObject([{ text: 'echo hello' }]);
    expect(await next.stop()).toMatchObject({ code: 0 });
    expect(told(next, 'inbox.recovered')).toEqual([]);
    expect(answersOf(sandbox)).toEqual(['bye', 'echo hello']);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('gives the process its exit code, and nothing behind the call has an effect', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, program, { env });
    await neighboursAtWork(sandbox, daemon);
    sandbox.say({ chat: 1, text: '/fail' });
    expect(await daemon.end()).toMatchObject({ code: 5, signal: null });
    expect(daemon.receipt).toMatchObject({
      outcome: 'clean',
      exitCode: 5,
      reason: 'process.exit(5) was called',
    });
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: NEIGHBOURS + 1, left: 0, mayRepeat: 0 });
    expect(answersOf(sandbox)).toEqual([]);
    expect(daemon.output).not.toContain('reached');
    expect(told(daemon, 'process.fault')).toEqual([]);
  });

  // Older versions of Node cannot tell whose timer it is at a bearable price.
  const sinceNode24 = Number.parseInt(process.versions.node, 10) >= 24 ? it : it.skip;
  sinceNode24('from a timer that it has left behind stops in order, too', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, program, { env });
    await neighboursAtWork(sandbox, daemon);
    sandbox.say({ chat: 1, text: '/later' });
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(null), {
      reason: 'process.exit(0) was called',
      budgetMs: 5_000,
    });
    expect(countsOf(receipt)).toMatchObject({ handled: NEIGHBOURS + 1 });
    expect(told(daemon, 'process.fault')).toEqual([]);
  });

  it('during the drain ends only its own run', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, program, { env });
    await neighboursAtWork(sandbox, daemon);
    sandbox.say({ chat: 1, text: '/slow' });
    await daemon.waitFor((line) => line.event === 'poll.answered' && line['count'] === 1);
    await idle(sandbox);
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(), { budgetMs: 5_000 });
    expect(countsOf(receipt)).toMatchObject({ handled: NEIGHBOURS + 1 });
    expect(daemon.output).toContain('listener');
    expect(answersOf(sandbox)).toEqual(['bye']);
  });

  it('stops in order in a module, too', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'deadly', { env });
    await neighboursAtWork(sandbox, daemon);
    sandbox.say({ chat: 1, text: 'exit' });
    expect(await daemon.end()).toMatchObject({ code: 3 });
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: NEIGHBOURS + 1, left: 0 });
  });
});

describe('a handler that sends SIGTERM to its own process', () => {
  it('stops the run in order, and goes on to its end', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, program, { env });
    await neighboursAtWork(sandbox, daemon);
    sandbox.say({ chat: 1, text: '/signal' });
    const receipt = expectGoodEnd(sandbox, daemon, await daemon.stop(null), { budgetMs: 5_000 });
    expect(countsOf(receipt)).toMatchObject({ handled: NEIGHBOURS + 1 });
    expect(answersOf(sandbox)).toEqual(['bye']);
    expect(daemon.output).toContain('listener');
  });
});

describe('process.exit outside handlers', () => {
  it("in a program's own listener for errors ends the run as a fault, in order", async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, program, { env });
    await idle(sandbox);
    sandbox.say({ chat: 1, text: '/fault' });
    expect(await daemon.end()).toMatchObject({ code: 70, signal: null });
    expect(daemon.output).toContain('in a callback');
    expect(daemon.receipt).toMatchObject({ outcome: 'fault', reason: 'uncaught exception: in a callback' });
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: 1, left: 0, mayRepeat: 0 });
  });
});
