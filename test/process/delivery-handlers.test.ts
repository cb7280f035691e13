/** Handlers that are slow, or fail: they cost nobody but their own chat anything, and polling nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { fixture, median } from '../support/daemon.js';
import {
  allAnswered,
  answers,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
  runProgram,
} from '../support/delivery.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

describe('a slow handler in one chat', () => {
  it('lets 90 updates of 30 other chats pass in under 1 s, while nothing polls for an inbox in memory', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'held', { ipc: true, env: { INBOX: 'memory' } });
    // Telegram gives the second poll of an idle bot one update only: it comes too soon after the first.
    await sandbox.ask('hello');
    const slowChat = 99;
    const slowestMs: number[] = [];
    for (let round = 1; round <= 5; round++) {
      await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
      const { polls } = sandbox.state();
      const answeredBefore = sandbox.callCount('sendMessage');
      sandbox.say({ chat: slowChat, text: `slow${round}` });
      for (let n = 0; n < 90; n++) sandbox.say({ chat: 1 + (n % 30), text: `quick${round}-${n}` });

      await answers(sandbox, answeredBefore + 90);
      const quick = sandbox.exchanges().filter(({ text }) => text.startsWith(`quick${round}-`));
      const latencies = quick.map(({ saidAtMs, answers: [first] }) => (first?.atMs ?? Infinity) - saidAtMs);
      expect(latencies).toHaveLength(90);
      slowestMs.push(Math.max(...latencies));

      // Not a wait for something: the time in which a hot loop would show.
      if (round === 5) await sleep(1_000);
      expect(sandbox.state().polls).toBe(polls);
      expect(sandbox.exchanges(slowChat).at(-1)?.answers).toEqual([]);
      daemon.child.send('go on');
      await allAnswered(sandbox);
    }
    expect(median(slowestMs)).toBeLessThan(1_000);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 456, handled: 456 });
  });
});

describe('a handler of 15 s in one chat', () => {
  it('lets 300 updates of 30 other chats that arrive right behind it pass in under 0.5 s', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'held', { ipc: true });
    await sandbox.ask('hello');
    const slowestMs: number[] = [];
    for (let round = 1; round <= 5; round++) {
      await idle(sandbox);
      const before = sandbox.callCount('sendMessage');
      // It ends when it is told to: whether that is after 15 s or later makes no difference to the others.
      sandbox.say({ chat: 99, text: `slow${round}` });
      for (let n = 0; n < 300; n++) sandbox.say({ chat: 1 + (n % 30), text: `quick${round}-${n}` });
      await answers(sandbox, before + 300);
      const quick = sandbox.exchanges().filter(({ text }) => text.startsWith(`quick${round}-`));
      slowestMs.push(
        Math.max(...quick.map(({ saidAtMs, answers: [first] }) => (first?.atMs ?? Infinity) - saidAtMs)),
      );
      expect(sandbox.exchanges(99).at(-1)?.answers).toEqual([]);
      daemon.child.send('go on');
      await allAnswered(sandbox);
    }
    expect(median(slowestMs)).toBeLessThan(500);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('a handler that never ends', () => {
  it('delays nobody but its own chat, and that for HANDLER_TIMEOUT and 10 s', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ chat: 1, text: 'deaf' });
    sandbox.say({ chat: 1, text: 'behind it in its chat' });
    await using daemon = runBot(sandbox, 'stubborn', { env: { HANDLER_TIMEOUT: '500ms' } });
    await idle(sandbox);
    for (let n = 0; n < 5; n++) {
      const { saidAtMs, answers: given } = await sandbox.ask({ chat: 2, text: `beside it ${n}` });
      expect((given[0]?.atMs ?? Infinity) - saidAtMs).toBeLessThan(500);
    }
    await daemon.waitFor('handler.hung');
    await answers(sandbox, 6);
    const [, behind] = sandbox.exchanges(1);
    const waitedMs = (behind?.answers[0]?.atMs ?? Infinity) - (behind?.saidAtMs ?? 0);
    expect(waitedMs).toBeGreaterThan(10_500);
    expect(waitedMs).toBeLessThan(10_500 + 1_000);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 7, handled: 6, timedOut: 1, left: 0 });
  });
});

describe('a handler that throws, in a batch of 50', () => {
  it('is told by its update, and nothing else fails, stops or comes again', async () => {
    await using sandbox = await openSandbox();
    const sayBatch = () => {
      for (let chat = 1; chat < 50; chat++) sandbox.say({ chat, text: `before${chat}` });
      return sandbox.say({ chat: 50, text: 'fail' })[0];
    };
    const failing = sayBatch();
    sandbox.say({ chat: 50, text: 'behind it in its chat' });
    await using daemon = runBot(sandbox, 'faulty');
    expect(await daemon.waitFor('handler.failed')).toMatchObject({
      level: 'error',
      updateId: failing,
      kind: 'message',
      err: { message: 'this handler fails' },
    });
    await answers(sandbox, 50);
    sandbox.say({ chat: 3, text: 'the next batch' });
    await answers(sandbox, 51);
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    expect(daemon.lines.filter(({ event }) => event === 'handler.failed')).toHaveLength(1);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 52, handled: 51, failed: 1 });
    expect(mishaps(sandbox)).toEqual({ lost: 1, twice: 0, outOfOrder: 0 });
    expect(sandbox.exchanges(50)).toMatchObject([{ text: 'fail', answers: [] }, { answers: [{}] }]);
    expect(sandbox.state().queued).toBe(0);
  });

  it('is answered for by bot.catch, if the bot has one', async () => {
    await using sandbox = await openSandbox();
    for (let chat = 1; chat < 50; chat++) sandbox.say({ chat, text: `fine${chat}` });
    sandbox.say({ chat: 50, text: 'fail' });
    await using daemon = runProgram(sandbox, fixture('bots', 'catch.js'));
    await allAnswered(sandbox);
    sandbox.say('the next batch');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    expect(sandbox.exchanges(50)).toMatchObject([{ answers: [{ text: 'fail: it failed' }] }]);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(await daemon.waitFor('handler.failed')).toMatchObject({ caught: true });
    expect(daemon.receipt['counts']).toMatchObject({ fetched: 51, handled: 50, failed: 0 });
  });
});

describe('a handler that runs for longer than HANDLER_TIMEOUT', () => {
  it('has its signal aborted, and when it heeds that, counts as failed', async () => {
    await using sandbox = await openSandbox();
    const [overdue] = sandbox.say({ chat: 1, text: 'heed' });
    sandbox.say({ chat: 1, text: 'behind it in its chat' });
    await using daemon = runBot(sandbox, 'stubborn', { env: { HANDLER_TIMEOUT: '200ms' } });
    expect(await daemon.waitFor('handler.timed-out')).toMatchObject({ level: 'warn', updateId: overdue });
    expect(await daemon.waitFor('handler.failed')).toMatchObject({ updateId: overdue, kind: 'message' });
    await answers(sandbox, 1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 2, handled: 1, failed: 1, timedOut: 0 });
    expect(sandbox.state().queued).toBe(0);
  });
});
