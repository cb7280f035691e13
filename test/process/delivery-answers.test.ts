/** Done means answered: handlers that fail for a reason that passes run again, and nobody is told of the failure. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot, runProgram } from '../support/delivery.js';

jest.setTimeout(60_000);

/** Makes Telegram refuse the first sendMessage with 429. */
function refuseOnce(sandbox: Sandbox, retryAfterSeconds: number): void {
  sandbox.addFault({ kind: 'too-many-requests', retryAfterSeconds, method: 'sendMessage', times: 1 });
}

/** Resolves once Telegram has refused a sendMessage. */
async function refused(sandbox: Sandbox): Promise<void> {
  await sandbox.waitFor(() => sandbox.calls({ method: 'sendMessage' }).some(({ fault }) => fault));
}

describe('a call that Telegram answers with 429', () => {
  it.each([
    ['a module', 'modules/echo.mjs'],
    ['an unchanged program', 'bots/catch.js'],
  ])('waits, and is made again, in %s: answered once and late', async (_, file) => {
    await using sandbox = await openSandbox();
    refuseOnce(sandbox, 2);
    await using daemon = runProgram(sandbox, fixture(...file.split('/')));
    const { saidAtMs, answers: given } = await sandbox.ask('hello');
    const waitedMs = (given[0]?.atMs ?? Number.NaN) - saidAtMs;
    expect(waitedMs).toBeGreaterThan(1_950);
    expect(waitedMs).toBeLessThan(5_000);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(daemon.events()).not.toContain('handler.put-back');
    expect(daemon.receipt['counts']).toMatchObject({ fetched: 1, handled: 1, failed: 0 });
  });

  it('has its update put back where HANDLER_TIMEOUT leaves no time to wait', async () => {
    await using sandbox = await openSandbox();
    refuseOnce(sandbox, 2);
    await using daemon = runProgram(sandbox, fixture('bots', 'catch.js'), { env: { HANDLER_TIMEOUT: '2s' } });
    const { saidAtMs, answers: given } = await sandbox.ask('hello');
    expect((given[0]?.atMs ?? Number.NaN) - saidAtMs).toBeGreaterThan(1_950);
    expect(await daemon.waitFor('handler.put-back')).toMatchObject({
      failure: 'rate-limited',
      delayMs: 2_000,
    });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(sandbox.exchanges()).toMatchObject([{ answers: [{ text: 'hello' }] }]);
    expect(daemon.receipt['counts']).toMatchObject({ fetched: 1, handled: 1, failed: 0 });
  });

  it('is waited for by the drain, while that has time', async () => {
    await using sandbox = await openSandbox();
    refuseOnce(sandbox, 2);
    await using daemon = runBot(sandbox, 'echo', { env: { STOP_TIMEOUT: '15s' } });
    sandbox.say('hello');
    await refused(sandbox);
    const exit = await daemon.stop();
    expect(exit.code).toBe(0);
    expect(exit.tookMs).toBeGreaterThan(1_500);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(daemon.receipt['counts']).toMatchObject({ handled: 1, left: 0 });
  });

  it('holds up no stop that has not the time: the next run answers', async () => {
    await using sandbox = await openSandbox();
    refuseOnce(sandbox, 5);
    {
      await using daemon = runBot(sandbox, 'echo', { env: { STOP_TIMEOUT: '6s' } });
      sandbox.say('hello');
      await refused(sandbox);
      const exit = await daemon.stop();
      expect(exit.code).toBe(0);
      expect(exit.tookMs).toBeLessThan(2_000);
      expect(daemon.receipt['counts']).toMatchObject({ handled: 0, failed: 0, left: 1 });
    }
    await using daemon = runBot(sandbox, 'echo');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});

describe('a program with a bot.catch that answers', () => {
  it('hears nothing of an outage: all are answered after it, in order', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, fixture('bots', 'catch.js'));
    await sandbox.ask('before');
    sandbox.addFault({ kind: 'reset', method: 'sendMessage', forMs: 3_000 });
    for (let chat = 1; chat <= 10; chat++) sandbox.say({ chat, text: 'amid{n}', count: 3 });
    await daemon.waitFor('handler.put-back');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(daemon.output).not.toContain('bot.catch:');
    for (const { text, answers: given } of sandbox.exchanges()) expect(given).toMatchObject([{ text }]);
    expect(daemon.receipt['counts']).toMatchObject({ fetched: 31, handled: 31, failed: 0 });
  });

  it('is told of all else, and its update counts as caught', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runProgram(sandbox, fixture('bots', 'catch.js'));
    const [failing] = sandbox.say({ chat: 1, text: 'fail' });
    sandbox.say({ chat: 1, text: 'behind it' });
    await allAnswered(sandbox);
    expect(await daemon.waitFor('handler.failed')).toMatchObject({ updateId: failing, caught: true });
    expect(daemon.output).toContain('bot.catch: it failed');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(sandbox.exchanges()).toMatchObject([
      { answers: [{ text: 'fail: it failed' }] },
      { answers: [{ text: 'behind it' }] },
    ]);
    expect(daemon.receipt['counts']).toMatchObject({ fetched: 2, handled: 1, failed: 0, left: 0 });
  });
});

describe('a handler that asks to be called later', () => {
  it.each(['ask', 'throw'])('is, at its place in its chat, and bot.catch hears nothing: %s', async (text) => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'asks-for-later');
    sandbox.say({ chat: 1, text });
    sandbox.say({ chat: 1, text: 'behind it' });
    sandbox.say({ chat: 2, text: 'beside it' });
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    const [asking, behind, beside] = sandbox.exchanges();
    expect(asking).toMatchObject({ answers: [{ text: `${text} 2` }] });
    expect((asking?.answers[0]?.atMs ?? 0) - (asking?.saidAtMs ?? 0)).toBeGreaterThan(950);
    expect(behind).toMatchObject({ answers: [{}] });
    expect((beside?.answers[0]?.atMs ?? 0) - (beside?.saidAtMs ?? 0)).toBeLessThan(900);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});

describe("a bot's own handlerTimeout", () => {
  it('counts where it is longer than HANDLER_TIMEOUT', async () => {
    await using sandbox = await openSandbox();
    const file = fixture('bots', 'own-time-limit.js');
    await using daemon = runProgram(sandbox, file, { env: { HANDLER_TIMEOUT: '1s' } });
    sandbox.say('hello');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(daemon.events()).not.toContain('handler.timed-out');
    expect(daemon.receipt['counts']).toMatchObject({ handled: 1, timedOut: 0, failed: 0 });
  });
});
