import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { LastcallError } from '../../src/errors.js';
import { type BotIdentity, botKey } from '../../src/host/bot-key.js';
import { BotLocks, type BotLocksOptions } from '../../src/host/bot-locks.js';
import { HostLock, lockAddress } from '../../src/host/lock.js';

let made = 0;
/** A bot that nobody on this machine runs. */
const newBot = (): BotIdentity => ({
  apiRoot: `http://test-${process.pid}.invalid`,
  testEnv: false,
  botId: 1_000 + ++made,
});

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanUp.splice(0)) undo();
});

function newRun(options: Partial<BotLocksOptions> = {}) {
  const told: string[] = [];
  const stopping = new AbortController();
  const locks = new BotLocks({
    onLocked: 'wait',
    signal: stopping.signal,
    clock: systemClock,
    acquired: ({ botId }) => told.push(`acquired ${botId}`),
    emit: (event) => told.push(`${event.event} ${event.bot}`),
    ...options,
  });
  const end = () => {
    stopping.abort('stopped');
    locks.release();
  };
  cleanUp.push(end);
  return { locks, told, stopping, end };
}

/** Another process that runs the bot, as far as this one can tell. */
async function heldElsewhere(bot: BotIdentity): Promise<HostLock> {
  const lock = new HostLock(lockAddress(botKey(bot)));
  cleanUp.push(() => lock.release());
  expect(await lock.tryAcquire()).toBe(true);
  return lock;
}

const codeOf = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof LastcallError ? error.code : String(error)),
  );

describe('the locks of a run', () => {
  it('are taken at once where nobody has them, and given back', async () => {
    const bot = newBot();
    const { locks, told, end } = newRun();
    await locks.reserve(bot);
    expect(told).toEqual([`lock.acquired ${bot.botId}`, `acquired ${bot.botId}`]);
    const other = new HostLock(lockAddress(botKey(bot)));
    expect(await other.tryAcquire()).toBe(false);
    end();
    expect(told.at(-1)).toBe(`lock.released ${bot.botId}`);
    expect(await other.tryAcquire()).toBe(true);
    other.release();
  });

  it('are shared by the bot that was known before it was loaded and the one that is launched', async () => {
    const bot = newBot();
    const { locks } = newRun();
    await locks.reserve(bot);
    await locks.claim({ ...bot });
  });

  it('refuse the same bot a second time in one run, and in another run of this process', async () => {
    const bot = newBot();
    const first = newRun();
    await first.locks.claim(bot);
    expect(() => first.locks.claim(bot)).toThrow(expect.objectContaining({ code: 'BOT_ALREADY_POLLED' }));
    const second = newRun();
    expect(() => second.locks.claim(bot)).toThrow(expect.objectContaining({ code: 'BOT_ALREADY_POLLED' }));
    expect(await codeOf(second.locks.reserve(bot))).toBe('BOT_ALREADY_POLLED');
    expect(second.told).toEqual([]);
    second.end();
    first.end();
    await newRun().locks.claim(bot);
  });

  it('refuse it as well while the first of them stands by', async () => {
    const bot = newBot();
    await heldElsewhere(bot);
    void newRun().locks.claim(bot);
    expect(() => newRun().locks.claim(bot)).toThrow(expect.objectContaining({ code: 'BOT_ALREADY_POLLED' }));
  });

  it('are waited for while another process has them', async () => {
    const bot = newBot();
    const holder = await heldElsewhere(bot);
    let waiting = () => {};
    const stoodBy = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    const events: unknown[] = [];
    const { locks } = newRun({
      holderOf: (key) => (key === botKey(bot) ? 4711 : undefined),
      emit(event) {
        events.push(event);
        if (event.event === 'lock.waiting') waiting();
      },
    });
    const held = locks.reserve(bot);
    await stoodBy;
    holder.release();
    await held;
    expect(events).toEqual([
      { event: 'lock.waiting', bot: bot.botId, holder: 4711 },
      { event: 'lock.acquired', bot: bot.botId, waitedMs: expect.any(Number) },
    ]);
  });

  it('are not waited for where the settings say so', async () => {
    const bot = newBot();
    await heldElsewhere(bot);
    const { locks, told, end } = newRun({ onLocked: 'exit' });
    expect(await codeOf(locks.reserve(bot))).toBe('LOCKED');
    end();
    expect(told).toEqual([]);
  });

  it('are given up when the stop comes, and stay with whoever has them', async () => {
    const bot = newBot();
    const holder = await heldElsewhere(bot);
    const { locks, told, end } = newRun();
    const held = locks.reserve(bot);
    const launched = locks.claim(newBot());
    end();
    expect(await codeOf(held)).toBe('stopped');
    expect(await codeOf(launched)).toBe('stopped');
    expect(told.filter((event) => event.startsWith('acquired'))).toEqual([]);
    holder.release();
    await newRun().locks.reserve(bot);
  });

  it('are taken in the order of their keys where they are asked for in one go', async () => {
    const bots = Array.from({ length: 5 }, newBot);
    const inOrder = bots.map(botKey).sort();
    for (const given of [bots, [...bots].reverse()]) {
      const order: string[] = [];
      const { locks, end } = newRun({ acquired: (_, key) => order.push(key) });
      await Promise.all(given.map((bot) => locks.claim(bot)));
      expect(order).toEqual(inOrder);
      end();
    }
  });

  it('are never held in part by two processes that want the same ones', async () => {
    const [a, b] = [newBot(), newBot()].sort((one, other) => (botKey(one) < botKey(other) ? -1 : 1));
    if (!a || !b) throw new Error('two bots were made');
    const holder = await heldElsewhere(a);
    const { locks, told } = newRun();
    const both = [locks.claim(b), locks.claim(a)];
    const wanted = new HostLock(lockAddress(botKey(b)));
    // It stands by for the first, and leaves the second to whoever has that.
    expect(await wanted.tryAcquire()).toBe(true);
    wanted.release();
    expect(told.filter((event) => event.startsWith('acquired'))).toEqual([]);
    holder.release();
    await Promise.all(both);
  });

  it('are given back at once where something goes wrong, which is said', async () => {
    const bot = newBot();
    const { locks } = newRun({
      acquired() {
        throw new Error('no more files');
      },
    });
    expect(await codeOf(locks.reserve(bot))).toBe('LOCK_UNAVAILABLE');
    await heldElsewhere(bot);
  });
});
