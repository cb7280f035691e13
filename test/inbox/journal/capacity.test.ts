import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { Capacity } from '../../../src/inbox/journal/capacity.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

const MIB = 1024 * 1024;

function rig() {
  const clock = new FakeClock();
  const events: InboxEvent[] = [];
  const level = { updates: 0, bytes: 0 };
  const disk = { free: 1_000 * MIB, asked: 0, fails: false };
  const capacity = new Capacity({
    limits: { updates: 100, bytes: 1_000, freeBytes: 90 * MIB },
    level: () => level,
    freeBytes: () => {
      disk.asked++;
      if (disk.fails) throw new Error('EIO');
      return disk.free;
    },
    clock,
    emit: (event) => events.push(event),
  });
  const waits = async () => {
    let done = false;
    const waiting = capacity.wait().then(() => {
      done = true;
    });
    await settle();
    return { waiting, isOver: () => done };
  };
  return { capacity, clock, events, level, disk, waits };
}

describe('the capacity', () => {
  it('lets all through while there is some', async () => {
    const { level, waits, events } = rig();
    level.updates = 99;
    level.bytes = 999;
    expect((await waits()).isOver()).toBe(true);
    expect(events).toEqual([]);
  });

  it.each([
    ['updates', { updates: 100 }, { updates: 90 }, { updates: 89 }],
    ['bytes', { bytes: 1_000 }, { bytes: 900 }, { bytes: 899 }],
  ] as const)(
    'waits when there is none for %s, until a good part is free again',
    async (because, full, still, free) => {
      const { capacity, level, waits, events, clock } = rig();
      Object.assign(level, full);
      const { waiting, isOver } = await waits();
      expect(events).toEqual([
        {
          event: 'inbox.paused',
          because,
          waiting: level.updates,
          bytes: level.bytes,
          freeBytes: 1_000 * MIB,
        },
      ]);
      await clock.advance(700);
      Object.assign(level, still);
      capacity.check();
      await settle();
      expect(isOver()).toBe(false);
      Object.assign(level, free);
      capacity.check();
      await waiting;
      capacity.check();
      expect(events.slice(1)).toEqual([{ event: 'inbox.resumed', waiting: level.updates, pausedMs: 700 }]);
    },
  );

  it('waits when the disk is about to be full, and asks it once a second', async () => {
    const { capacity, disk, waits, events, clock } = rig();
    await waits();
    disk.free = 89 * MIB;
    expect((await waits()).isOver()).toBe(true);
    expect(disk.asked).toBe(1);
    await clock.advance(1_000);
    const { waiting, isOver } = await waits();
    expect(events).toMatchObject([{ because: 'disk', freeBytes: 89 * MIB }]);
    disk.free = 99 * MIB;
    await clock.advance(1_000);
    capacity.check();
    await settle();
    expect(isOver()).toBe(false);
    disk.free = 101 * MIB;
    await clock.advance(1_000);
    capacity.check();
    await waiting;
  });

  it('rejects and throws what the disk does', async () => {
    const { capacity, level, disk, clock, waits } = rig();
    level.updates = 100;
    void (await waits()).waiting;
    level.updates = 0;
    disk.fails = true;
    await clock.advance(1_000);
    expect(() => capacity.check()).toThrow('EIO');
    await expect(capacity.wait()).rejects.toThrow('EIO');
  });

  it('lets all go when it is closed, and nobody waits any more', async () => {
    const { capacity, level, waits, events } = rig();
    level.updates = 100;
    const { waiting } = await waits();
    capacity.close();
    await waiting;
    expect((await waits()).isOver()).toBe(true);
    expect(events).toHaveLength(1);
  });
});
