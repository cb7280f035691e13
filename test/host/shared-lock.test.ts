import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { HostLock, lockAddress } from '../../src/host/lock.js';
import { ProvenLock } from '../../src/host/proven-lock.js';
import { ExclusiveLock, SharedLock } from '../../src/host/shared-lock.js';
import { Folder } from '../support/folder.js';

const held: { release(): void }[] = [];
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
});

/** Handles to the lock of one bot, as of so many processes. */
function newBot(folder?: string) {
  const key = `test-${randomUUID()}`;
  const proven = () => new ProvenLock({ address: lockAddress(key), folder });
  const kept = <L extends { release(): void }>(lock: L): L => {
    held.push(lock);
    return lock;
  };
  return {
    key,
    shared: () => kept(new SharedLock({ key, folder }, proven())),
    exclusive: () => kept(new ExclusiveLock({ key, folder }, proven())),
  };
}

const never = new AbortController().signal;

it('is held by many that share, or by one that does not', async () => {
  const bot = newBot();
  const [first, second] = [bot.shared(), bot.shared()];
  expect(await first.tryAcquire()).toBe(true);
  expect(await second.tryAcquire()).toBe(true);
  expect(await bot.exclusive().tryAcquire()).toBe(false);
});

it('is had by one alone once the last of many has gone, before further ones that share', async () => {
  const bot = newBot();
  const [first, second, late] = [bot.shared(), bot.shared(), bot.shared()];
  await first.tryAcquire();
  await second.tryAcquire();
  const exclusive = bot.exclusive();
  expect(await exclusive.tryAcquire()).toBe(false);
  const order: string[] = [];
  const alone = exclusive.acquire(never).then(() => order.push('exclusive'));
  expect(await late.tryAcquire()).toBe(false);
  const shared = late.acquire(never).then(() => order.push('shared'));
  first.release();
  expect(await bot.shared().tryAcquire()).toBe(false);
  second.release();
  await alone;
  expect(await late.tryAcquire()).toBe(false);
  exclusive.release();
  await shared;
  expect(order).toEqual(['exclusive', 'shared']);
});

it('goes to one kind at most of two that begin together', async () => {
  for (let round = 0; round < 30; round++) {
    const bot = newBot();
    const [shared, exclusive] = [bot.shared(), bot.exclusive()];
    const both = await Promise.all([shared.tryAcquire(), exclusive.tryAcquire()]);
    expect(both).not.toEqual([true, true]);
  }
});

it('is waited for until the signal aborts, and not held then', async () => {
  const bot = newBot();
  const [shared, exclusive] = [bot.shared(), bot.exclusive()];
  await shared.tryAcquire();
  await expect(exclusive.acquire(AbortSignal.timeout(30))).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await bot.shared().tryAcquire()).toBe(true);
  for (const lock of held.splice(0)) lock.release();
  expect(await exclusive.tryAcquire()).toBe(true);
  await expect(shared.acquire(AbortSignal.timeout(30))).rejects.toMatchObject({ name: 'TimeoutError' });
});

it('is taken, too, where only the part in the folder is held, as from another container', async () => {
  using folder = new Folder();
  const bot = newBot(folder.path);
  expect(await bot.shared().tryAcquire()).toBe(true);
  const inFolder = new HostLock(join(folder.path, 'lock.sock'));
  held.push(inFolder);
  await inFolder.tryAcquire();
  expect(await bot.shared().tryAcquire()).toBe(false);
});

it('is seen by its part in the folder, as from another container', async () => {
  using folder = new Folder();
  const bot = newBot(folder.path);
  expect(await bot.shared().tryAcquire()).toBe(true);
  // Of the same folder, in a network of its own.
  const there = newBot(folder.path);
  expect(await there.exclusive().tryAcquire()).toBe(false);
  expect(await there.shared().tryAcquire()).toBe(false);
  held.pop()?.release();
  held.pop()?.release();
  expect(await there.shared().tryAcquire()).toBe(true);
  const exclusive = bot.exclusive();
  expect(await exclusive.tryAcquire()).toBe(false);
  const alone = exclusive.acquire(never);
  for (const lock of held.splice(0)) if (lock !== exclusive) lock.release();
  await alone;
  exclusive.release();
});

it('is refused where one more would not be seen', async () => {
  const bot = newBot();
  for (let place = 0; place < 32; place++) expect(await bot.shared().tryAcquire()).toBe(true);
  await expect(bot.shared().tryAcquire()).rejects.toThrow('32 processes share it already');
  held.shift()?.release();
  expect(await bot.shared().tryAcquire()).toBe(true);
});
