import { describe, expect, it } from '@jest/globals';
import { BEAT_MS, Owner } from '../../../src/inbox/store/owner.js';
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
    owner: (place: string, id: string) =>
      new Owner({ disk, folder, clock, place, id, waiting: (...wait) => waits.push(wait) }),
  };
}

describe('taking a store', () => {
  it('needs no patience where there is no owner, or only a dead one of the same place', async () => {
    const { owner, disk, clock } = rig();
    await owner('here', 'first').take();
    await owner('here', 'second').take();
    expect(clock.pending).toBe(0);
    expect(JSON.parse(disk.read(FILE).toString())).toMatchObject({ place: 'here', id: 'second' });
  });

  it('waits for a sign of life where the owner was somewhere else', async () => {
    const { owner, clock, waits } = rig();
    const first = owner('there', 'first');
    await first.take();
    expect(waits).toEqual([]);
    const taking = owner('here', 'second').take();
    expect(waits).toEqual([['there', 2 * BEAT_MS]]);
    await clock.advance(BEAT_MS);
    first.beat();
    const refused = expect(taking).rejects.toMatchObject({ code: 'INBOX_IN_USE', exitCode: 75 });
    await clock.advance(BEAT_MS);
    await refused;
    first.beat();
  });

  it('succeeds when that gives none', async () => {
    const { owner, clock } = rig();
    await owner('there', 'first').take();
    const taking = owner('here', 'second').take();
    await clock.advance(2 * BEAT_MS);
    await taking;
  });

  it('waits for whoever has left something that is no sign', async () => {
    const { owner, disk, clock } = rig();
    disk.replace(FILE, '{"pla');
    const taking = owner('here', 'second').take();
    expect(clock.pending).toBe(1);
    await clock.advance(2 * BEAT_MS);
    await taking;
  });

  it('ends at once when the signal aborts, and takes nothing', async () => {
    const { owner, disk, clock } = rig();
    await owner('there', 'first').take();
    const before = disk.read(FILE);
    const stop = new AbortController();
    const taking = owner('here', 'second').take(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(taking).rejects.toThrow('stopped');
    expect(disk.read(FILE)).toEqual(before);
    expect(clock.pending).toBe(0);
  });
});

describe('owning it', () => {
  it('ends when somebody else has taken it, and then leaves theirs alone', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.take();
    await owner('here', 'second').take();
    const theirs = disk.read(FILE);
    expect(() => first.beat()).toThrow(expect.objectContaining({ code: 'INBOX_IN_USE' }));
    first.leave();
    expect(disk.read(FILE)).toEqual(theirs);
  });

  it('goes on without a sign while the disk is full', async () => {
    const { owner, disk } = rig();
    const first = owner('here', 'first');
    await first.take();
    const before = disk.read(FILE).toString();
    disk.fail('replace', 'ENOSPC');
    first.beat();
    expect(disk.read(FILE).toString()).toBe(before);
    disk.mend();
    first.beat();
    expect(disk.read(FILE).toString()).not.toBe(before);
    disk.fail('replace', 'EIO');
    expect(() => first.beat()).toThrow('EIO');
  });

  it('cannot begin on a disk that is full', async () => {
    const { owner, disk } = rig();
    disk.fail('replace', 'ENOSPC');
    await expect(owner('here', 'first').take()).rejects.toThrow('ENOSPC');
  });

  it('can be given back, so that nobody waits', async () => {
    const { owner, disk, clock } = rig();
    const first = owner('there', 'first');
    await first.take();
    first.beat();
    first.leave();
    expect(disk.paths()).toEqual([]);
    await owner('here', 'second').take();
    expect(clock.pending).toBe(0);
  });
});
