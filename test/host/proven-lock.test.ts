import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HostLock, lockAddress } from '../../src/host/lock.js';
import { ProvenLock } from '../../src/host/proven-lock.js';
import type { SocketHolder } from '../../src/host/socket-holder.js';
import { Folder } from '../support/folder.js';

const foreign: SocketHolder = { kind: 'foreign', pid: 7, uid: 8 };
/** It exists, and takes neither files nor sockets, whoever asks. */
const WITHOUT_SOCKETS = '/proc/self/task';

const held: { release(): void }[] = [];
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
});

const newAddress = () => lockAddress(`test-${randomUUID()}`);

function provenLock(address: string, folder: string | undefined, holder?: SocketHolder) {
  const usurped: SocketHolder[] = [];
  const lock = new ProvenLock({
    address,
    folder,
    ...(holder && { findHolder: () => holder }),
    usurped: (from) => usurped.push(from),
  });
  held.push(lock);
  return { lock, usurped };
}

/** An address whose public name somebody holds. */
async function takenAddress(): Promise<string> {
  const address = newAddress();
  const other = new HostLock(address);
  held.push(other);
  expect(await other.tryAcquire()).toBe(true);
  return address;
}

describe('a lock in two parts', () => {
  it('is held by one of two, whose folders are the same or not', async () => {
    using folder = new Folder();
    const address = newAddress();
    expect(await provenLock(address, join(folder.path, 'a')).lock.tryAcquire()).toBe(true);
    expect(await provenLock(address, join(folder.path, 'a')).lock.tryAcquire()).toBe(false);
    expect(await provenLock(address, join(folder.path, 'b')).lock.tryAcquire()).toBe(false);
    // As in two network namespaces that share a folder.
    expect(await provenLock(newAddress(), join(folder.path, 'a')).lock.tryAcquire()).toBe(false);
  });

  it('is free again once it is released', async () => {
    using folder = new Folder();
    const address = newAddress();
    const { lock } = provenLock(address, folder.path);
    await lock.tryAcquire();
    lock.release();
    expect(await provenLock(address, folder.path).lock.tryAcquire()).toBe(true);
  });

  it('is taken by its folder where a stranger holds the public name, by one process only', async () => {
    using folder = new Folder();
    const address = await takenAddress();
    const { lock, usurped } = provenLock(address, folder.path, foreign);
    expect(await lock.tryAcquire()).toBe(true);
    expect(usurped).toEqual([foreign]);
    expect(await provenLock(address, folder.path, foreign).lock.tryAcquire()).toBe(false);
  });

  it.each([
    ['a process of this user', 'ours'],
    ['somebody of whom nothing is known', 'unknown'],
  ] as const)('is waited for where %s holds the public name', async (_, kind) => {
    using folder = new Folder();
    const { lock, usurped } = provenLock(await takenAddress(), folder.path, { kind });
    expect(await lock.tryAcquire()).toBe(false);
    expect(usurped).toEqual([]);
  });

  it('is waited for where a stranger holds the public name and there is no folder to prove anything by', async () => {
    for (const folder of [undefined, WITHOUT_SOCKETS, '/dev/null/folder'])
      expect(await provenLock(await takenAddress(), folder, foreign).lock.tryAcquire()).toBe(false);
  });

  it('is passed over where a stranger holds the public name, without a folder, if that may be', async () => {
    const usurped: SocketHolder[] = [];
    const passed = async (holder: SocketHolder) =>
      new ProvenLock({
        address: await takenAddress(),
        folder: undefined,
        yieldsWithoutFolder: true,
        findHolder: () => holder,
        usurped: (from) => usurped.push(from),
      }).tryAcquire();
    expect(await passed(foreign)).toBe(true);
    expect(usurped).toEqual([foreign]);
    expect(await passed({ kind: 'ours' })).toBe(false);
  });

  it('is taken by its public name alone where the folder takes no sockets', async () => {
    const address = newAddress();
    expect(await provenLock(address, WITHOUT_SOCKETS).lock.tryAcquire()).toBe(true);
    expect(await provenLock(address, WITHOUT_SOCKETS).lock.tryAcquire()).toBe(false);
  });
});
