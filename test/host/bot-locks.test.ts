import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { LastcallError } from '../../src/errors.js';
import { type BotIdentity, botKey, formerKey } from '../../src/host/bot-key.js';
import { BotLocks, type BotLocksOptions } from '../../src/host/bot-locks.js';
import { HostLock, lockAddress } from '../../src/host/lock.js';
import { Folder } from '../support/folder.js';
import { newBotId } from '../support/token.js';

/** A bot that no process on this machine runs. */
const newBot = (): BotIdentity => ({
  apiRoot: 'https://api.telegram.org',
  testEnv: false,
  botId: newBotId(),
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
    acquired: ({ botId }) => void told.push(`acquired ${botId}`),
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

/** Takes the bot's lock as another process would. */
async function holdElsewhere(bot: BotIdentity): Promise<HostLock> {
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
  it('are taken at once if they are free, and released', async () => {
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

  it('are shared by `reserve` and a later `claim` of the same bot', async () => {
    const bot = newBot();
    const { locks } = newRun();
    await locks.reserve(bot);
    await locks.claim({ ...bot });
  });

  it('are refused for the same bot in one run, and in another run of this process', async () => {
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

  it('are refused to a second run while the first stands by', async () => {
    const bot = newBot();
    await holdElsewhere(bot);
    void newRun().locks.claim(bot);
    expect(() => newRun().locks.claim(bot)).toThrow(expect.objectContaining({ code: 'BOT_ALREADY_POLLED' }));
  });

  it('are waited for while another process holds them', async () => {
    const bot = newBot();
    const holder = await holdElsewhere(bot);
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

  it('are not waited for if the settings say so', async () => {
    const bot = newBot();
    await holdElsewhere(bot);
    const { locks, told, end } = newRun({ onLocked: 'exit' });
    expect(await codeOf(locks.reserve(bot))).toBe('LOCKED');
    end();
    expect(told).toEqual([]);
  });

  it('are not waited for once the run stops, and stay with their holder', async () => {
    const bot = newBot();
    const holder = await holdElsewhere(bot);
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

  it('are taken in the order of their keys if they are requested in the same tick', async () => {
    const bots = Array.from({ length: 5 }, newBot);
    const inOrder = bots.map(botKey).sort();
    for (const given of [bots, [...bots].reverse()]) {
      const order: string[] = [];
      const { locks, end } = newRun({ acquired: (_, key) => void order.push(key) });
      await Promise.all(given.map((bot) => locks.claim(bot)));
      expect(order).toEqual(inOrder);
      end();
    }
  });

  it('are taken though the run stands by for another one, after a head start for its holder', async () => {
    const [a, b, c] = [newBot(), newBot(), newBot()].sort((one, other) =>
      botKey(one) < botKey(other) ? -1 : 1,
    );
    if (!a || !b || !c) throw new Error('three bots were made');
    const holder = await holdElsewhere(a);
    const { locks, told } = newRun();
    const waiting = locks.claim(a);
    const begunAt = performance.now();
    await Promise.all([locks.claim(c), locks.claim(b)]);
    expect(performance.now() - begunAt).toBeGreaterThan(100);
    expect(told.filter((event) => event.startsWith('acquired'))).toEqual([
      `acquired ${b.botId}`,
      `acquired ${c.botId}`,
    ]);
    holder.release();
    await waiting;
  });

  it('are released one by one, whether they are held or waited for, and may be taken again', async () => {
    const [own, foreign] = [newBot(), newBot()];
    const holder = await holdElsewhere(foreign);
    const released: string[] = [];
    const { locks, told } = newRun({ released: (key) => released.push(key) });
    await locks.claim(own);
    const waiting = locks.claim(foreign);
    locks.releaseOne(own);
    locks.releaseOne(foreign);
    expect(await codeOf(waiting)).toBe(`Error: bot ${foreign.botId} is stopped`);
    expect(released).toEqual([botKey(own)]);
    expect(told).toContain(`lock.released ${own.botId}`);
    (await holdElsewhere(own)).release();
    await locks.claim(own);
    holder.release();
    await locks.claim(foreign);
  });

  it('are waited for while a former version runs the bot, and keep such a version out then', async () => {
    const bot = newBot();
    using state = new Folder();
    const key = formerKey(bot.botId, 'http://another-spelling.test');
    mkdirSync(state.file(key));
    const former = new HostLock(lockAddress(key));
    expect(await former.tryAcquire()).toBe(true);
    const refusing = newRun({
      stateDir: state.path,
      onLocked: 'exit',
      holderOf: (of) => (of === key ? 7 : 8),
    });
    await expect(refusing.locks.reserve(bot)).rejects.toThrow(/process 7 /);
    refusing.end();

    const { locks, told, end } = newRun({ stateDir: state.path });
    const held = locks.reserve(bot);
    while (told.length === 0) await new Promise(setImmediate);
    expect(told).toEqual([`lock.waiting ${bot.botId}`]);
    former.release();
    await held;
    expect(await former.tryAcquire()).toBe(false);
    end();
    expect(await former.tryAcquire()).toBe(true);
    former.release();
  });

  it('keep a former version out that has its folder elsewhere, and are waited for while it runs; no folder is made', async () => {
    const bot = { ...newBot(), apiRoot: 'http://127.0.0.1:8081' };
    using state = new Folder();
    for (const root of [bot.apiRoot, 'https://api.telegram.org']) {
      const former = new HostLock(lockAddress(formerKey(bot.botId, root)));
      expect(await former.tryAcquire()).toBe(true);
      for (const stateDir of [state.path, undefined]) {
        const refusing = newRun({ stateDir, onLocked: 'exit' });
        expect(await codeOf(refusing.locks.reserve(bot))).toBe('LOCKED');
        refusing.end();
      }
      const { locks, told, end } = newRun({ stateDir: state.path });
      const held = locks.reserve(bot);
      while (told.length === 0) await new Promise(setImmediate);
      expect(told).toEqual([`lock.waiting ${bot.botId}`]);
      former.release();
      await held;
      expect(await former.tryAcquire()).toBe(false);
      end();
      expect(await former.tryAcquire()).toBe(true);
      former.release();
    }
    expect(readdirSync(state.path)).toEqual([`${bot.botId}`]);
  });

  it('tell which folders of former versions are held with them, and which are not of this user', async () => {
    const bot = newBot();
    using state = new Folder();
    const [linked, other] = ['https://api.telegram.org', 'http://b.test'].map((root) =>
      formerKey(bot.botId, root),
    );
    mkdirSync(state.file(`${other}`));
    symlinkSync(state.file(`${other}`), state.file(`${linked}`));
    const told: unknown[] = [];
    const { locks } = newRun({
      stateDir: state.path,
      acquired: (_, __, ___, former) => void told.push(former.map(({ key, folder }) => ({ key, folder }))),
    });
    await locks.reserve(bot);
    expect(told).toEqual([
      [
        { key: linked, folder: undefined },
        { key: other, folder: state.file(`${other}`) },
      ],
    ]);
  });

  it('are held while `acquired` works, and given back if the run stops meanwhile', async () => {
    const bot = newBot();
    let goOn = () => {};
    let begun = () => {};
    const atWork = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { locks, end } = newRun({
      acquired() {
        begun();
        return new Promise((resolve) => {
          goOn = resolve;
        });
      },
    });
    const held = locks.reserve(bot);
    await atWork;
    expect(await new HostLock(lockAddress(botKey(bot))).tryAcquire()).toBe(false);
    end();
    goOn();
    expect(await codeOf(held)).toBe('stopped');
    await holdElsewhere(bot);
  });

  it('are released at once if `acquired` throws, and the error is reported', async () => {
    const bot = newBot();
    const { locks } = newRun({
      acquired() {
        throw new Error('no more files');
      },
    });
    expect(await codeOf(locks.reserve(bot))).toBe('LOCK_UNAVAILABLE');
    await holdElsewhere(bot);
  });
});
