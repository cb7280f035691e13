import { describe, expect, it } from '@jest/globals';
import type { Disk } from '../../../src/inbox/log/disk.js';
import { HEARTBEAT_MS, Owner } from '../../../src/inbox/store/owner.js';
import { FakeClock } from '../../support/fake-clock.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/state/inbox';
const FILE = `${folder}/owner.json`;

function rig() {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  const waits: [place: string | undefined, waitMs: number][] = [];
  return {
    disk,
    clock,
    waits,
    owner: (place: string, id: string, on: Disk = disk) =>
      new Owner({ disk: on, folder, clock, place, id, waiting: (...wait) => waits.push(wait) }),
  };
}

describe('acquiring a store', () => {
  it('takes no time where there is no owner, or only a dead one of the same place', async () => {
    const { owner, disk, clock } = rig();
    await owner('here', 'first').acquire();
    await owner('here', 'second').acquire();
    expect(clock.pending).toBe(0);
    expect(JSON.parse(disk.read(FILE).toString())).toMatchObject({ place: 'here', id: 'second' });
  });

  it('waits for a heartbeat where the owner was somewhere else', async () => {
    const { owner, clock, waits } = rig();
    const first = owner('there', 'first');
    await first.acquire();
    expect(waits).toEqual([]);
    const acquired = owner('here', 'second').acquire();
    expect(waits).toEqual([['there', 2 * HEARTBEAT_MS]]);
    await clock.advance(HEARTBEAT_MS);
    first.heartbeat();
    const refused = expect(acquired).rejects.toMatchObject({ code: 'INBOX_IN_USE', exitCode: 75 });
    await clock.advance(HEARTBEAT_MS);
    await refused;
    first.heartbeat();
  });

  it('succeeds when that gives none', async () => {
    const { owner, clock } = rig();
    await owner('there', 'first').acquire();
    const acquired = owner('here', 'second').acquire();
    await clock.advance(2 * HEARTBEAT_MS);
    await clock.advance(500);
    await acquired;
  });

  it('succeeds for one of two that wait side by side', async () => {
    const { owner, clock } = rig();
    await owner('there', 'first').acquire();
    const both = Promise.allSettled([owner('a', 'second').acquire(), owner('b', 'third').acquire()]);
    await clock.advance(2 * HEARTBEAT_MS);
    await clock.advance(500);
    const results = await both;
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'INBOX_IN_USE' },
    });
  });

  it('succeeds for one of two that have both looked before either has written', async () => {
    const { owner, disk, clock } = rig();
    await owner('there', 'first').acquire();
    const before = disk.read(FILE);
    /** Shows a process what was there before the other has written, the first two times. */
    const slow = (): Disk => {
      let reads = 0;
      return new Proxy<Disk>(disk, {
        get: (target, name) =>
          name === 'read' && ++reads <= 2 ? () => before : Reflect.get(target, name).bind(target),
      });
    };
    const both = Promise.allSettled(
      ['a', 'b'].map((place) => owner(place, `process in ${place}`, slow()).acquire()),
    );
    await clock.advance(2 * HEARTBEAT_MS);
    await clock.advance(500);
    const [loser, winner] = await both;
    expect(loser).toMatchObject({ reason: { code: 'INBOX_IN_USE' } });
    expect(winner).toMatchObject({ status: 'fulfilled' });
  });

  it('waits where the file is no heartbeat', async () => {
    const { owner, disk, clock } = rig();
    disk.replace(FILE, '{"pla');
    const acquired = owner('here', 'second').acquire();
    expect(clock.pending).toBe(1);
    await clock.advance(2 * HEARTBEAT_MS);
    await clock.advance(500);
    await acquired;
  });

  it('ends at once when the signal aborts, and takes nothing', async () => {
    const { owner, disk, clock } = rig();
    await owner('there', 'first').acquire();
    const before = disk.read(FILE);
    const stop = new AbortController();
    const acquired = owner('here', 'second').acquire(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(acquired).rejects.toThrow('stopped');
    expect(disk.read(FILE)).toEqual(before);
    expect(clock.pending).toBe(0);
  });
});

describe('owning it', () => {
  it('ends when another process has acquired it, whose heartbeat then stays', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.acquire();
    await owner('here', 'second').acquire();
    const theirs = disk.read(FILE);
    expect(() => first.heartbeat()).toThrow(expect.objectContaining({ code: 'INBOX_IN_USE' }));
    first.release();
    expect(disk.read(FILE)).toEqual(theirs);
  });

  it('goes on without a heartbeat while the disk is full', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.acquire();
    const before = disk.read(FILE).toString();
    for (const code of ['ENOSPC', 'EDQUOT']) {
      disk.fail('replace', code);
      first.heartbeat();
      expect(disk.read(FILE).toString()).toBe(before);
    }
    disk.mend();
    first.heartbeat();
    expect(disk.read(FILE).toString()).not.toBe(before);
    disk.fail('replace', 'EIO');
    expect(() => first.heartbeat()).toThrow('EIO');
  });

  it('cannot begin on a disk that is full', async () => {
    const { owner, disk } = rig();
    disk.fail('replace', 'ENOSPC');
    await expect(owner('here', 'first').acquire()).rejects.toThrow('ENOSPC');
  });

  it('can be released, so that nobody waits', async () => {
    const { owner, disk, clock } = rig();
    const first = owner('there', 'first');
    await first.acquire();
    first.heartbeat();
    first.release();
    expect(disk.paths()).toEqual([]);
    await owner('here', 'second').acquire();
    expect(clock.pending).toBe(0);
  });
});

describe('the heartbeat of an owner', () => {
  it.each([
    ['is removed', 'INBOX_REMOVED', (disk: MemoryDisk) => disk.remove(FILE)],
    [
      'is an old copy of its own',
      'INBOX_REMOVED',
      (disk: MemoryDisk) => disk.replace(FILE, '{"place":"here","id":"first","beats":0}'),
    ],
    [
      'is replaced by that of another process',
      'INBOX_IN_USE',
      (disk: MemoryDisk) => disk.replace(FILE, '{"place":"there","id":"second","beats":1}'),
    ],
  ] as const)('that %s is reported as %s', async (_, code, change) => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.acquire();
    first.check();
    change(disk);
    expect(() => first.check()).toThrow(expect.objectContaining({ code }));
  });

  it('is read again only once the file has changed', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.acquire();
    first.check();
    const { reads } = disk;
    first.check();
    expect(disk.reads).toBe(reads);
    // As a copy of the folder has it, whose permissions were changed since.
    disk.replace(FILE, disk.read(FILE).toString());
    first.check();
    expect(disk.reads).toBe(reads + 2);
    first.check();
    expect(disk.reads).toBe(reads + 2);
  });

  it('that is the same in a copy of the folder, in its place, is reported as INBOX_REMOVED', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.acquire();
    first.check();
    disk.replace(FILE, disk.read(FILE).toString());
    disk.isInPlace = false;
    expect(() => first.check()).toThrow(expect.objectContaining({ code: 'INBOX_REMOVED' }));
  });
});
