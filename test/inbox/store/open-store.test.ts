import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seq, updateId } from '../../../src/inbox/ids.js';
import type { AppendFile, Disk } from '../../../src/inbox/log/disk.js';
import { encodeFrame } from '../../../src/inbox/log/frame.js';
import { position } from '../../../src/inbox/log/position.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { RecordKind } from '../../../src/inbox/store/records.js';
import { historyWith } from '../../support/history.js';
import { seqs, updateIds } from '../../support/ids.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { bot, contents, folder, letter, NOW, open, stateOf, updates } from './store-rig.js';

/** A disk whose process is killed before the operation of that number. */
function dyingAt(disk: Disk, last: number): Disk {
  let operations = 0;
  const live = <A extends unknown[], R>(work: (...args: A) => R) => {
    return (...args: A): R => {
      if (++operations > last) throw new Error('KILLED');
      return work(...args);
    };
  };
  return {
    ...disk,
    list: (path) => disk.list(path),
    read: (...args) => disk.read(...args),
    load: (path) => disk.load(path),
    freeBytes: (path) => disk.freeBytes(path),
    syncFile: live((path: string) => disk.syncFile(path)),
    makeFolder: live((path: string) => disk.makeFolder(path)),
    remove: live((path: string) => disk.remove(path)),
    rename: live((from: string, to: string) => disk.rename(from, to)),
    replace: live((path: string, text: string) => disk.replace(path, text)),
    syncFolder: live((path: string) => disk.syncFolder(path)),
    create: live((path: string): AppendFile => {
      const file = disk.create(path);
      return {
        append: live((bytes: Uint8Array) => file.append(bytes)),
        sync: live(() => file.sync()),
        syncNow: live(() => file.syncNow()),
        close: () => file.close(),
      };
    }),
  };
}

describe('opening', () => {
  it.each([
    ['makeFolder', 'EACCES', 'INBOX_UNAVAILABLE'],
    ['makeFolder', 'EROFS', 'INBOX_UNAVAILABLE'],
    ['makeFolder', 'ENOSPC', 'INBOX_DISK'],
    ['read', 'EIO', 'INBOX_DISK'],
    ['sync', 'EIO', 'INBOX_DISK'],
  ] as const)('rejects when the disk fails: %s %s', async (operation, code, expected) => {
    const disk = new MemoryDisk();
    (await open({ disk })).append(updates(1), undefined);
    disk.fail(operation, code);
    await expect(open({ disk })).rejects.toMatchObject({ code: expected });
  });

  it('refuses the store of another bot, and leaves it as it is', async () => {
    const disk = new MemoryDisk();
    (await open({ disk })).append(updates(1), undefined);
    const before = disk.paths();
    const other = openStore({ disk, folder, bot: '2-b', survivesPowerCut: true, now: () => NOW });
    await expect(other).rejects.toMatchObject({ code: 'INBOX_FOREIGN' });
    expect(disk.paths()).toEqual(before);
  });

  it.each(['log', 'dead-letters'])(
    'tells damage to the last record of a run that has ended in order: %s',
    async (log) => {
      const damageAfter = async (isInOrder: boolean) => {
        const disk = new MemoryDisk();
        const store = await open({ disk, segmentBytes: 100_000 });
        store.append(updates(1, 2, 3), undefined);
        store.addDeadLetter(letter(2, 2), Buffer.from('"two"'));
        await store.commit();
        const path = `${folder}/${log}/0000000000000000.log`;
        const end = disk.read(path).length;
        if (isInOrder) store.seal();
        store.close();
        disk.damage(path, end - 1);
        return (await open({ disk })).damage.map((damage) => damage.path.includes(`/${log}.damaged-`));
      };
      expect(await damageAfter(true)).toEqual([true]);
      // A kill looks like this, too.
      expect(await damageAfter(false)).toEqual([]);
    },
  );

  it('is not kept from its end by a closing record for which there is no room', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.append(updates(1), undefined);
    await store.commit();
    disk.fail('append', 'ENOSPC', { after: 3 });
    store.seal();
    store.close();
    disk.mend();
    const next = await open({ disk });
    expect([contents(next), next.damage]).toEqual([['1 1 text of 1'], []]);
  });

  it('refuses a newer format, whatever it is like', async () => {
    const disk = new MemoryDisk();
    const header = JSON.stringify({ format: 99, bot, recent: 'in another form' });
    disk
      .create(`${folder}/log/0000000000000000.log`)
      .append(encodeFrame(RecordKind.header, position(0), [Buffer.from(header)]));
    await expect(open({ disk })).rejects.toMatchObject({
      code: 'INBOX_NEWER',
      message: expect.stringContaining('format 99'),
    });
  });

  it('counts a cut for what had begun when a stop had, and the process was killed', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.append(updates(1), undefined);
    store.mark('begun', seq(1));
    store.beginDrain();
    let next = await open({ disk });
    expect(next.ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, cuts: 1 }));
    // The stop of one run says nothing of the next.
    next.mark('begun', seq(1));
    next.write();
    next = await open({ disk });
    expect(next.ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 2, cuts: 1, deaths: 1 }));
  });

  it('keeps what was put back, until when it waits, and that its deaths count anew', async () => {
    const disk = new MemoryDisk();
    let store = await open({ disk });
    store.append(updates(1), undefined);
    store.mark('begun', seq(1));
    store.write();
    store = await open({ disk });
    store.mark('begun', seq(1));
    store.write();
    store.putBack({ seq: seq(1), notBeforeMs: 77, isRetry: true });
    store.write();
    store = await open({ disk });
    const putBack = { attempts: 2, putBacks: 1, retries: 1 };
    expect(store.ledger.historyOf(seq(1))).toEqual(historyWith({ ...putBack, notBeforeMs: 77 }));
    store.mark('begun', seq(1));
    expect(store.ledger.historyOf(seq(1))).toEqual(historyWith({ ...putBack, attempts: 3, begun: true }));
  });

  it('counts a death for what had begun and did not end', async () => {
    const disk = new MemoryDisk();
    let store = await open({ disk });
    store.append(updates(1, 2, 3), undefined);
    for (const one of seqs(1, 2)) store.mark('begun', one);
    store.write();
    store.mark('cut', seq(2));
    store.write();
    store = await open({ disk });
    expect(store.ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    expect(store.ledger.historyOf(seq(2))).toEqual(historyWith({ attempts: 1, cuts: 1 }));
    expect(store.ledger.histories().length).toBe(2);
    store = await open({ disk });
    expect(store.ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    store.mark('begun', seq(1));
    store.write();
    expect((await open({ disk })).ledger.historyOf(seq(1))).toEqual(
      historyWith({ attempts: 2, deaths: 2, begun: false }),
    );
  });
});

describe('damage', () => {
  /** A store of several segments, of which one that is not the last is damaged in the middle. */
  async function damagedStore() {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 30; id++) {
      store.append(updates(id), undefined);
      await store.commit();
    }
    store.mark('begun', seq(2));
    store.mark('settled', seq(1));
    await store.commit();
    store.close();
    const [, segment = ''] = disk.paths().filter((path) => path.startsWith(`${folder}/log/`));
    disk.damage(segment, 400);
    return disk;
  }

  it('is kept elsewhere, and all that can be read is saved', async () => {
    const disk = await damagedStore();
    const names = disk.paths();
    const store = await open({ disk });
    const seqs = store.ledger.batches().flatMap((batch) => batch.seqs);
    expect(seqs.length).toBe(28);
    expect(store.damage[0]?.bytes).toBeGreaterThan(0);
    expect(store.damage[0]?.path).toBe(`${folder}/log.damaged-20231114T221320Z`);
    const copies = disk.paths().filter((path) => path.startsWith(`${store.damage[0]?.path}/`));
    expect(copies.map((path) => path.slice(-20))).toEqual(names.map((path) => path.slice(-20)));
    expect(contents(store)).toHaveLength(28);
    expect(store.ledger.historyOf(seq(2)).deaths).toBe(1);
    store.close();
    const after = await open({ disk });
    expect(after.damage).toEqual([]);
    expect(stateOf(after.ledger)).toEqual(stateOf(store.ledger));
    expect(contents(after)).toEqual(contents(store));
    expect(after.ledger.recent.has(updateId(30))).toBe(true);
  });

  it('of a store in which nothing waits does not make it forget what it has had', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, segmentBytes: 1_000_000 });
    for (let id = 1; id <= 5; id++) {
      store.append(updates(id), undefined);
      store.mark('settled', seq(id));
      await store.commit();
    }
    store.close();
    disk.damage(`${folder}/log/0000000000000000.log`, 150);
    expect((await open({ disk })).damage).toHaveLength(1);
    const after = await open({ disk });
    expect(after.damage).toEqual([]);
    expect(after.ledger.nextSeq).toBe(6);
    expect(updateIds(2, 5).map((id) => after.ledger.recent.has(id))).toEqual([true, true]);
  });

  it('loses nothing more, wherever the process dies during the repair', async () => {
    const whole = await open({ disk: (await damagedStore()).copy() });
    const expected = contents(whole);
    let died = 0;
    for (let last = 0; last < 200; last++) {
      const disk = await damagedStore();
      try {
        await open({ disk: dyingAt(disk, last) });
      } catch {
        died++;
      }
      for (const random of [() => 0, () => 0.6, () => 0.99]) {
        const copy = disk.copy();
        copy.cutPower(random);
        expect(contents(await open({ disk: copy }))).toEqual(expected);
      }
      disk.kill();
      expect(contents(await open({ disk }))).toEqual(expected);
      if (died <= last) break;
    }
    expect(died).toBeGreaterThan(10);
    expect(died).toBeLessThan(200);
  });

  it('of any bit of the log is survived, and repaired at once', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, segmentBytes: 500 });
    for (let id = 1; id <= 40; id++) {
      store.append(updates(id, id + 1_000), undefined);
      if (id % 3 === 0) store.mark('begun', seq(id));
      if (id > 4) store.mark('settled', seq(2 * id - 9));
      if (id % 7 === 0) await store.compact();
      await store.commit();
    }
    for (let round = 0; round < 6; round++) await store.compact();
    await store.commit();
    const logs = disk.paths().filter((path) => path.endsWith('.log'));
    const all = new Set(
      Array.from({ length: 40 }, (_, i) => [`text of ${i + 1}`, `text of ${i + 1_001}`]).flat(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }),
        async (flips) => {
          const copy = disk.copy();
          for (const [which, at] of flips) {
            const path = logs[which % logs.length] ?? '';
            copy.damage(path, at % copy.read(path).length);
          }
          const saved = await open({ disk: copy });
          const found = contents(saved);
          for (const one of found) expect(all).toContain(one.replace(/^\d+ \d+ /, ''));
          expect(found.length).toBe(saved.ledger.size);
          const after = await open({ disk: copy });
          expect(after.damage).toEqual([]);
          expect(contents(after)).toEqual(found);
          expect(after.ledger.size).toBe(found.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('loses nothing more when there is no room to repair it', async () => {
    const disk = await damagedStore();
    const expected = contents(await open({ disk: disk.copy() }));
    disk.fail('append', 'ENOSPC', { after: 50 });
    await expect(open({ disk })).rejects.toMatchObject({ code: 'INBOX_DISK' });
    disk.mend();
    expect(contents(await open({ disk }))).toEqual(expected);
  });
});
