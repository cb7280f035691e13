import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, utimesSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Clock, systemClock } from '../../src/clock.js';
import { HostLock, lockAddress } from '../../src/host/lock.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { Folder } from '../support/folder.js';

const never = new AbortController().signal;
const hurried = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal),
};
const locks: HostLock[] = [];
let names = 0;

const newName = (): string => lockAddress(`test-${process.pid}-${++names}`);
function lock(address: string, clock: Clock = hurried): HostLock {
  const made = new HostLock(address, clock);
  locks.push(made);
  return made;
}

/** A socket file that a dead process has left. */
function leaveSocketFile(path: string): void {
  const program = `net.createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', program]);
  } catch {
    // The program has killed itself.
  }
}

/** Makes a socket file so old that it counts as stale. */
function makeOld(path: string): void {
  if (!path.startsWith('\0')) utimesSync(path, 0, 0);
}

/** Returns a function that collects garbage and returns the size of the heap, in bytes. */
function measuredHeap(): () => number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  return () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
}

afterEach(() => {
  for (const held of locks.splice(0)) held.release();
});

describe('the address of a lock', () => {
  it('is a name without a file on Linux, and a file elsewhere', () => {
    expect(lockAddress('7-ab', 'linux')).toBe('\0lastcall-7-ab');
    expect(lockAddress('7-ab', 'darwin')).toMatch(/^\/.*\/lastcall-7-ab\.sock$/);
  });
});

describe.each(['an abstract address', 'a socket file'])('a lock by %s', (kind) => {
  let folder: Folder;
  beforeAll(() => {
    folder = new Folder();
  });
  afterAll(() => folder[Symbol.dispose]());
  const address = (): string => (kind === 'a socket file' ? folder.file(`${++names}.sock`) : newName());

  it('has one holder at a time', async () => {
    const name = address();
    const [first, second] = [lock(name), lock(name)];
    expect(await first.tryAcquire()).toBe(true);
    expect(await second.tryAcquire()).toBe(false);
    expect(await first.tryAcquire()).toBe(true);
    first.release();
    expect(await second.tryAcquire()).toBe(true);
    expect(await first.tryAcquire()).toBe(false);
  });

  it('goes to one waiter as soon as it is released', async () => {
    const name = address();
    const [holder, ...waiters] = [lock(name), lock(name), lock(name), lock(name)];
    await holder?.tryAcquire();
    const order: number[] = [];
    const all = waiters.map((waiter, index) =>
      waiter.acquire(never).then(() => {
        order.push(index);
        return waiter;
      }),
    );
    for (let count = 0; count < waiters.length; count++) {
      if (count === 0) holder?.release();
      const next = await Promise.race(all.filter((_, index) => !order.slice(0, count).includes(index)));
      expect(order).toHaveLength(count + 1);
      next.release();
    }
    await Promise.all(all);
  });

  it('is taken by a connected waiter as soon as it is released, without any time passing', async () => {
    const name = address();
    const clock = new FakeClock();
    const [holder, waiter] = [lock(name), lock(name, clock)];
    await holder.tryAcquire();
    const acquired = waiter.acquire(never);
    // The waiter tries, sleeps 20 ms, connects, and sleeps again.
    while (clock.pending === 0) await settle();
    await clock.advance(20);
    while (clock.pending === 0) await settle();
    const before = clock.now();
    holder.release();
    await acquired;
    expect(clock.now()).toBe(before);
  });

  it('rejects with the reason of the signal, and leaves no timer', async () => {
    const name = address();
    const clock = new FakeClock();
    const [holder, waiter] = [lock(name), lock(name, clock)];
    await holder.tryAcquire();
    const stop = new AbortController();
    const waiting = waiter.acquire(stop.signal);
    await clock.advance(2_000);
    stop.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    expect(clock.pending).toBe(0);
    await expect(waiter.acquire(AbortSignal.abort('before'))).rejects.toBe('before');
    holder.release();
    expect(await holder.tryAcquire()).toBe(true);
  });

  it('is free again when its holder is killed', async () => {
    const name = address();
    const program = `
      net.createServer((peer) => peer.on('error', () => {}).resume())
        .listen({ path: ${JSON.stringify(name)}, exclusive: true }, () => console.log('held'));`;
    const holder = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    const waiter = lock(name, systemClock);
    expect(await waiter.tryAcquire()).toBe(false);
    makeOld(name);
    const acquired = waiter.acquire(never);
    const from = performance.now();
    holder.kill('SIGKILL');
    await acquired;
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  it('is held by one at a time under any sequence of calls', async () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 3 }),
      what: fc.constantFrom('acquire', 'try', 'release', 'abort'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const name = address();
        const parties = Array.from({ length: 4 }, () => ({
          lock: lock(name),
          holds: false,
          abort: new AbortController(),
          waiting: undefined as Promise<void> | undefined,
        }));
        let overlaps = 0;
        for (const { who, what } of steps) {
          const party = parties[who];
          if (!party) continue;
          const take = () => {
            if (parties.some((other) => other !== party && other.holds)) overlaps++;
            party.holds = true;
          };
          if (what === 'acquire' && !party.holds && !party.waiting) {
            party.abort = new AbortController();
            party.waiting = party.lock
              .acquire(party.abort.signal)
              .then(take, () => {})
              .finally(() => {
                party.waiting = undefined;
              });
          }
          if (what === 'try' && !party.waiting && (await party.lock.tryAcquire())) take();
          if (what === 'release' && party.holds) {
            party.holds = false;
            party.lock.release();
          }
          if (what === 'abort') party.abort.abort('abort');
        }
        // Each remaining waiter gets the lock once the holder before has released it.
        for (let turn = 0; turn < 10 && parties.some(({ waiting }) => waiting); turn++) {
          for (const party of parties.filter(({ holds }) => holds)) {
            party.holds = false;
            party.lock.release();
          }
          await Promise.race(parties.flatMap(({ waiting }) => waiting ?? []));
        }
        expect(parties.every(({ waiting }) => waiting === undefined)).toBe(true);
        expect(overlaps).toBe(0);
        for (const { lock: each } of parties) each.release();
      }),
      { numRuns: 40 },
    );
  });
});

describe('standing by for a lock', () => {
  it('does not grow the heap, however many times the lock is tried', async () => {
    const heapSize = measuredHeap();
    const name = newName();
    await lock(name).tryAcquire();
    const stop = new AbortController();
    const sizes: number[] = [];
    let sleeps = 0;
    const clock: Clock = {
      ...systemClock,
      async sleep(_ms, signal) {
        await turn(undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
        // Each round sleeps twice; the first thousand warm up.
        if (++sleeps === 2_000 || sleeps === 22_000) sizes.push(heapSize());
        if (sleeps === 22_000) stop.abort('enough');
      },
    };
    await expect(lock(name, clock).acquire(stop.signal)).rejects.toBe('enough');
    // A signal that is kept is about 60 bytes a round: 600 kB.
    const [before = 0, after = 0] = sizes;
    expect(after - before).toBeLessThan(300_000);
    // The rounds are real turns of the event loop: they take 2 to 4 s, and more beside other tests.
  }, 60_000);
});

describe('a lock with foreign connections', () => {
  it('stays held, whoever connects and sends data', async () => {
    const name = newName();
    const holder = lock(name);
    await holder.tryAcquire();
    const strangers = Array.from({ length: 100 }, () => connect(name).on('error', () => {}));
    await Promise.all(strangers.map((stranger) => once(stranger.resume(), 'connect')));
    const [talker, ...others] = strangers;
    talker?.write('give it to me');
    if (talker) await once(talker, 'close');
    expect(await lock(name).tryAcquire()).toBe(false);
    for (const other of others) other.destroy();
  });

  it('is tried for at most every 20 ms if its holder closes each connection at once', async () => {
    const name = newName();
    let calls = 0;
    const holder: Server = createServer((peer) => {
      calls++;
      peer.destroy();
    });
    holder.listen({ path: name });
    await once(holder, 'listening');
    const clock = new FakeClock();
    const stop = new AbortController();
    const waiting = lock(name, clock).acquire(stop.signal);
    for (let round = 0; round < 10; round++) {
      await clock.advance(19);
      await clock.advance(1);
    }
    expect(calls).toBeLessThanOrEqual(10);
    stop.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    holder.close();
  });

  it('is taken within 500 ms by a waiter whose connection stays open', async () => {
    const name = newName();
    const holder = createServer().listen({ path: name });
    await once(holder, 'listening');
    const clock = new FakeClock();
    const waiter = lock(name, clock);
    const acquired = waiter.acquire(never);
    const connection = once(holder, 'connection');
    await settle();
    await clock.advance(20);
    const [peer] = await connection;
    // Closes the listener, and keeps the connection.
    holder.close();
    await clock.advance(500);
    await acquired;
    peer.destroy();
  });
});

describe('a socket file', () => {
  it('of a dead process does not keep others from the lock', async () => {
    using folder = new Folder();
    const path = folder.file('lock.sock');
    leaveSocketFile(path);
    expect(existsSync(path)).toBe(true);
    // A young file may belong to a process that is about to listen.
    expect(await lock(path).tryAcquire()).toBe(false);
    makeOld(path);
    expect(await lock(path).tryAcquire()).toBe(true);
    expect(await lock(path).tryAcquire()).toBe(false);
  });

  it('in a missing folder is an error', async () => {
    await expect(lock('/nowhere/at/all.sock').tryAcquire()).rejects.toThrow(/EACCES|ENOENT/);
  });
});
