/**
 * What takes its time by its nature: dead connections, rivals, handlers that never end. Each has processes of its own,
 * and most of the time they wait; so they wait side by side. The bounds are seconds wide.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { type Daemon, median } from '../support/daemon.js';
import {
  allAnswered,
  answers,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
} from '../support/delivery.js';

jest.setTimeout(60_000);

const of = (daemon: Daemon, event: string) => daemon.lines.filter((line) => line.event === event);

describe('what takes its time', () => {
  // The longest comes first: there are more of them than jest runs at a time.
  it.concurrent('more deaf handlers than CONCURRENCY allows: a fault', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ chat: 1, text: 'deaf' });
    sandbox.say({ chat: 2, text: 'deaf' });
    await using daemon = runBot(sandbox, 'stubborn', { env: { HANDLER_TIMEOUT: '200ms', CONCURRENCY: '1' } });
    expect(await daemon.end(40_000)).toMatchObject({ code: 70 });
    expect(of(daemon, 'handler.hung')).toHaveLength(2);
    expect(await daemon.waitFor('dispatch.exhausted')).toMatchObject({ hung: 2, concurrency: 1 });
    expect(daemon.receipt).toMatchObject({
      outcome: 'fault',
      reason: expect.stringMatching(/2 handlers have timed out/),
    });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 2, timedOut: 2 });
    expect(sandbox.state().queued).toBe(0);
  });

  it.concurrent('connections that go silent amid a poll: updates flow again within the poll timeout + 15 s', async () => {
    await using sandbox = await openSandbox();
    const bots = [1, 2, 3, 4, 5].map((n) => sandbox.bot(`${n}:a-token-of-the-delivery-tests`));
    const allPoll = () => bots.every((bot) => bot.state().waitingPolls === 1);
    const silent = sandbox.waitFor(allPoll).then(() => sandbox.addFault({ kind: 'half-open', times: 0 }));
    const deafMs = await Promise.all(
      bots.map(async (bot) => {
        await using daemon = runBot(sandbox, 'echo', { bot, env: { POLL_TIMEOUT: '1s' } });
        await silent;
        const { saidAtMs, answers } = await bot.ask('anybody there?');
        expect(await daemon.waitFor('poll.failed')).toMatchObject({ level: 'warn', class: 'unreachable' });
        const { gapMs } = await daemon.waitFor('poll.recovered');
        expect(gapMs).toBeGreaterThan(10_000);
        expect(gapMs).toBeLessThan(16_000);
        expect(await daemon.stop()).toMatchObject({ code: 0 });
        expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 1, handled: 1 });
        return (answers[0]?.atMs ?? Infinity) - saidAtMs;
      }),
    );
    expect(median(deafMs)).toBeLessThan(16_000);
  });

  it.concurrent('a rival poller for 6 s: one warning, and the bot outlives it', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'echo');
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
    sandbox.addFault({ kind: 'rival', forMs: 6_000 });
    expect(await daemon.waitFor('poll.conflict')).toMatchObject({ level: 'warn', by: 'poller' });
    await sandbox.waitFor(() => sandbox.faults().length === 0);

    for (let chat = 1; chat <= 5; chat++) sandbox.say({ chat, text: `after${chat}-{n}`, count: 20 });
    await allAnswered(sandbox);
    expect((await daemon.waitFor('poll.recovered'))['gapMs']).toBeGreaterThan(5_000);
    expect(of(daemon, 'poll.conflict')).toHaveLength(1);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 100, handled: 100 });
  });

  it.concurrent('a rival poller amid conversations: each update is handled, and once', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'echo');
    const say = Array.from({ length: 20 }, (_, n) => `line${n}`);
    sandbox.addFault({ kind: 'rival', forMs: 6_000 });
    await Promise.all([1, 2, 3].map((chat) => sandbox.converse({ chat, say, pauseMs: 300 })));
    await daemon.waitFor('poll.recovered');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 60, handled: 60 });
  });

  it.concurrent('a rival that stays past CONFLICT_PATIENCE: exit 75, and the receipt says why', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'echo', { env: { CONFLICT_PATIENCE: '2s' } });
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
    sandbox.addFault({ kind: 'rival' });
    expect(await daemon.end()).toMatchObject({ code: 75 });
    expect(of(daemon, 'poll.conflict')).toHaveLength(1);
    expect(daemon.receipt).toMatchObject({
      level: 'error',
      exitCode: 75,
      reason: expect.stringMatching(/another program.*same token.*Conflict: terminated by other getUpdates/i),
    });
  });

  it.concurrent('a deaf handler: warned of, then given up; its chat goes on and no stop waits', async () => {
    await using sandbox = await openSandbox();
    const [deaf] = sandbox.say({ chat: 1, text: 'deaf' });
    sandbox.say({ chat: 1, text: 'behind it in its chat' });
    sandbox.say({ chat: 2, text: 'elsewhere' });
    await using daemon = runBot(sandbox, 'stubborn', { env: { HANDLER_TIMEOUT: '200ms', CONCURRENCY: '1' } });
    expect(await daemon.waitFor('handler.timed-out')).toMatchObject({ level: 'warn', updateId: deaf });
    expect(await daemon.waitFor('handler.hung')).toMatchObject({ level: 'error', updateId: deaf });
    // With one slot only, these show that the slot is free again, as well as the chat.
    await answers(sandbox, 2);
    await sandbox.waitFor(() => sandbox.state().queued === 0);

    const { code } = await daemon.stop();
    expect(code).toBe(0);
    expect(daemon.receipt['stopDurationMs']).toBeLessThan(1_000);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 3, handled: 2, timedOut: 1, left: 0 });
  });
});
