import { describe, expect, it } from '@jest/globals';
import { updateId } from '../../../src/inbox/ids.js';
import { Capacity } from '../../../src/inbox/journal/capacity.js';
import { Maintenance } from '../../../src/inbox/journal/maintenance.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { Owner } from '../../../src/inbox/store/owner.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/inbox';

async function rig({ survivesPowerCut = false } = {}) {
  const clock = new FakeClock();
  const disk = new MemoryDisk();
  const owner = new Owner({ disk, folder, clock, place: 'here', id: 'a process' });
  await owner.acquire();
  const store = await openStore({
    disk,
    folder,
    bot: '1-a',
    survivesPowerCut,
    now: () => 0,
    segmentBytes: 100,
  });
  const level = { updates: 0, bytes: 0 };
  const capacity = new Capacity({
    limits: { updates: 10 },
    level: () => level,
    freeBytes: () => Number.MAX_SAFE_INTEGER,
    clock,
    emit: () => {},
  });
  const errors: unknown[] = [];
  const asked = { times: 0, fails: false };
  const drops: number[] = [];
  const maintenance = new Maintenance({
    clock,
    now: () => clock.now(),
    owner,
    store,
    capacity,
    answerRequests: async () => {
      asked.times++;
      if (asked.fails) throw new Error('no answer');
    },
    dropDeadLetters: () => {
      if (asked.fails) throw new Error('no drop');
      drops.push(clock.now());
    },
    failed: (error) => errors.push(error),
  });
  const beats = (): unknown => JSON.parse(disk.read(`${folder}/owner.json`).toString()).beats;
  /** The segments of the log, of which all but the last are needed no more. */
  const fill = () => {
    for (let id = 1; id <= 5; id++) {
      const seq = store.append(newUpdates([{ updateId: updateId(id), content: 'text' }]), undefined);
      store.mark('settled', seq);
    }
    store.write();
  };
  const segments = () => disk.paths().filter((path) => path.startsWith(`${folder}/log/`)).length;
  return { clock, disk, maintenance, capacity, level, errors, asked, drops, beats, fill, segments };
}

describe('the maintenance', () => {
  it('has stopped only when what it was removing is removed', async () => {
    const { disk, maintenance, fill, segments } = await rig({ survivesPowerCut: true });
    fill();
    disk.holdSyncs = true;
    maintenance.start();
    let isOver = false;
    const stopped = maintenance.stop().then(() => {
      isOver = true;
    });
    await settle();
    const before = { isOver, segments: segments() };
    disk.releaseSyncs();
    await stopped;
    expect(before.isOver).toBe(false);
    expect(segments()).toBeLessThan(before.segments);
  });

  it('answers requests at once, and every half a second until it is stopped', async () => {
    const { clock, maintenance, asked, errors } = await rig();
    maintenance.start();
    expect(asked.times).toBe(1);
    await clock.advance(499);
    expect(asked.times).toBe(1);
    await clock.advance(1_001);
    expect(asked.times).toBe(4);
    void maintenance.stop();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect([asked.times, errors]).toEqual([4, []]);
  });

  it('gives a sign of life every five seconds', async () => {
    const { clock, maintenance, beats } = await rig();
    maintenance.start();
    await clock.advance(4_999);
    expect(beats()).toBe(1);
    await clock.advance(1);
    expect(beats()).toBe(2);
    await clock.advance(10_000);
    expect(beats()).toBe(4);
  });

  it('drops dead letters half a second after the start, and then every ten seconds', async () => {
    const { clock, maintenance, drops } = await rig();
    const from = clock.now();
    maintenance.start();
    expect(drops).toEqual([]);
    await clock.advance(25_000);
    expect(drops.map((at) => at - from)).toEqual([500, 10_500, 20_500]);
  });

  it('finds out when there is room again', async () => {
    const { clock, maintenance, capacity, level } = await rig();
    level.updates = 10;
    let waits = true;
    void capacity.wait().then(() => {
      waits = false;
    });
    maintenance.start();
    await clock.advance(1_000);
    expect(waits).toBe(true);
    level.updates = 0;
    await clock.advance(500);
    expect(waits).toBe(false);
  });

  it('removes from the log what is not needed any more', async () => {
    const { maintenance, fill, segments } = await rig();
    fill();
    const before = segments();
    maintenance.start();
    await settle();
    expect(segments()).toBeLessThan(before);
  });

  it('tells what has failed, and removes nothing then', async () => {
    const { clock, maintenance, asked, errors, fill, segments } = await rig();
    maintenance.start();
    fill();
    const before = segments();
    asked.fails = true;
    await clock.advance(500);
    await settle();
    expect(errors).toEqual([new Error('no drop'), new Error('no answer')]);
    expect(segments()).toBe(before);
  });

  it('tells that the store was taken by another process', async () => {
    const { clock, disk, maintenance, errors } = await rig();
    maintenance.start();
    disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    await clock.advance(5_000);
    expect(errors).toMatchObject([{ code: 'INBOX_IN_USE' }]);
  });

  it('finds that out before updates are handed out, where the process stood still meanwhile', async () => {
    const { clock, disk, maintenance, errors } = await rig();
    maintenance.start();
    disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    maintenance.catchUp();
    expect(errors).toEqual([]);
    clock.skip(12_000);
    maintenance.catchUp();
    expect(errors).toMatchObject([{ code: 'INBOX_IN_USE' }]);
    void maintenance.stop();
  });
});
