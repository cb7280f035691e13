import { describe, expect, it } from '@jest/globals';
import { seq, updateId } from '../../../src/inbox/ids.js';
import { historyWith } from '../../support/history.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { contents, folder, letter, NOW, open, updates } from './store-rig.js';

describe('compaction', () => {
  it('removes what is not needed any more', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 60; id++) store.append(updates(id), undefined);
    for (let number = 1; number <= 55; number++) store.mark('settled', seq(number));
    const before = store.logBytes;
    await store.compact();
    expect(store.logBytes).toBeLessThan(before / 2);
    const after = await open({ disk });
    expect(contents(after)).toEqual(contents(store));
    expect(after.damage).toEqual([]);
  });

  it('rewrites what little is left of an old segment', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 60; id++) store.append(updates(id), undefined);
    store.mark('begun', seq(1));
    for (let number = 2; number <= 60; number++) if (number !== 3) store.mark('settled', seq(number));
    const before = store.logBytes;
    for (let round = 0; round < 10; round++) await store.compact();
    expect(store.logBytes).toBeLessThan(before / 2);
    disk.cutPower(() => 0);
    expect(contents(store)).toEqual(['1 1 text of 1', '3 3 text of 3']);
    const after = await open({ disk });
    expect(contents(after)).toEqual(contents(store));
    expect(after.ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    // What was never begun is not said to have been.
    expect(after.ledger.histories().length).toBe(1);
  });

  describe('once an hour', () => {
    const HOUR_MS = 3_600_000;
    const aged = async () => {
      const disk = new MemoryDisk();
      let nowMs = NOW;
      const store = await open({ disk, segmentBytes: 1_000_000, now: () => nowMs });
      const texts = () =>
        disk
          .paths()
          .map((path) => disk.read(path).toString())
          .join();
      const later = async (ms: number) => {
        nowMs += ms;
        for (let round = 0; round < 3; round++) await store.compact();
      };
      return { disk, store, texts, later };
    };

    it('removes what is settled, in a segment that is not full, and rewrites what waits', async () => {
      const { disk, store, texts, later } = await aged();
      store.append(updates(1, 2, 3, 4, 5), undefined);
      store.append(updates(6), undefined);
      for (let number = 1; number <= 5; number++) store.mark('settled', seq(number));
      await later(HOUR_MS - 1);
      expect(texts()).toContain('text of 3');
      await later(1);
      expect(texts()).not.toContain('text of 3');
      expect(contents(store)).toEqual(['6 6 text of 6']);
      disk.cutPower(() => 0);
      const after = await open({ disk });
      expect(contents(after)).toEqual(['6 6 text of 6']);
      // Telegram may send these again.
      expect(after.ledger.recent.has(updateId(3))).toBe(true);
      expect(after.damage).toEqual([]);
    });

    it('removes what another run has settled', async () => {
      const { disk, store } = await aged();
      store.append(updates(1), undefined);
      store.mark('settled', seq(1));
      await store.commit();
      store.seal();
      store.close();
      let nowMs = NOW;
      const next = await open({ disk, now: () => nowMs });
      nowMs += HOUR_MS;
      await next.compact();
      expect(disk.list(`${folder}/log`)).toHaveLength(1);
      expect(next.ledger.recent.has(updateId(1))).toBe(true);
    });

    it('removes dead letters that are gone', async () => {
      const { store, texts, later } = await aged();
      store.addDeadLetter(letter(2, 2), Buffer.from('"the text of two"'));
      store.removeDeadLetter(seq(2));
      await later(HOUR_MS - 1);
      expect(texts()).toContain('the text of two');
      await later(1);
      expect(texts()).not.toContain('the text of two');
    });

    it('writes nothing on a disk that is nearly full, and catches up when there is room', async () => {
      const { disk, store, texts, later } = await aged();
      store.append(updates(1), undefined);
      store.mark('settled', seq(1));
      store.addDeadLetter(letter(2, 2), Buffer.from('"the text of two"'));
      store.removeDeadLetter(seq(2));
      store.write();
      disk.free = 1_000_000;
      const before = disk.paths();
      await later(HOUR_MS);
      expect(disk.paths()).toEqual(before);
      disk.free = Number.MAX_SAFE_INTEGER;
      await later(1);
      expect(texts()).not.toMatch(/text of (1|two)/);
    });

    it('writes nothing while there is nothing to remove', async () => {
      const { disk, store, later } = await aged();
      store.append(updates(1), undefined);
      store.mark('settled', seq(1));
      store.write();
      await later(HOUR_MS);
      const before = disk.paths();
      await later(HOUR_MS);
      await later(HOUR_MS);
      expect(disk.paths()).toEqual(before);
    });
  });

  it('costs no sync while there is nothing to remove', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 30; id++) store.append(updates(id), undefined);
    await store.commit();
    const { syncs } = disk;
    await store.compact();
    expect(disk.syncs).toBe(syncs);
  });
});
