import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Disk, GrowingFile } from '../../../src/inbox/log/disk.js';
import { encodeFrame } from '../../../src/inbox/log/frame.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import { readLog } from '../../../src/inbox/store/read-log.js';
import { RecordKind } from '../../../src/inbox/store/records.js';
import { Store } from '../../../src/inbox/store/store.js';
import { type NewRow, newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/state/inbox';
const bot = '1-a';
const NOW = 1_700_000_000_000;

interface Rig {
  readonly disk?: Disk;
  readonly survivesPowerCut?: boolean;
  readonly segmentBytes?: number;
}

const open = ({ disk = new MemoryDisk(), survivesPowerCut = true, segmentBytes = 1_000 }: Rig = {}) =>
  Store.open({ disk, folder, bot, survivesPowerCut, now: () => NOW, segmentBytes });

const update = (id: number, content = `text of ${id}`): NewRow => ({ updateId: id, content });
const letter = (seq: number, updateId: number) =>
  ({
    seq,
    updateId,
    key: 'chat',
    kind: 'message',
    why: 'failed',
    attempts: 1,
    atMs: NOW,
    error: '',
  }) as const;
const updates = (...ids: number[]) => newUpdates(ids.map((id) => update(id)));

/** All that is not settled, as it can be read. */
function contents(store: Store): string[] {
  return store.ledger
    .batches()
    .flatMap((batch) => store.read(batch, batch.seqs))
    .map(({ seq, updateId, content }) => `${seq} ${updateId} ${content}`);
}

/** What the log says, apart from where things are. */
function stateOf(ledger: Ledger) {
  return {
    seqs: ledger.batches().flatMap(({ seqs }) => seqs),
    size: ledger.size,
    histories: [...ledger.histories()].sort(([one], [other]) => one - other),
    nextSeq: ledger.nextSeq,
  };
}

function replayed(disk: Disk): Ledger {
  const ledger = new Ledger();
  readLog(disk, folder, ledger);
  return ledger;
}

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
    freeBytes: (path) => disk.freeBytes(path),
    syncFile: live((path: string) => disk.syncFile(path)),
    makeFolder: live((path: string) => disk.makeFolder(path)),
    remove: live((path: string) => disk.remove(path)),
    rename: live((from: string, to: string) => disk.rename(from, to)),
    replace: live((path: string, text: string) => disk.replace(path, text)),
    syncFolder: live((path: string) => disk.syncFolder(path)),
    create: live((path: string): GrowingFile => {
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

describe('writing', () => {
  it('numbers updates in their order, and finds them as they were written', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    expect(store.append(updates(7, 8), undefined)).toBe(1);
    expect(store.append(updates(3), 9)).toBe(3);
    const written = contents(store);
    expect(written).toEqual(['1 7 text of 7', '2 8 text of 8', '3 3 text of 3']);
    expect(contents(await open({ disk }))).toEqual(written);
  });

  it('reads no more than is wanted and not settled', async () => {
    const store = await open();
    store.append(updates(1, 2, 3), undefined);
    store.mark('settled', 2);
    const [batch] = store.ledger.batches();
    if (!batch) throw new Error('no batch');
    expect(store.read(batch, [2, 3, 4]).map(({ seq }) => seq)).toEqual([3]);
  });

  it('keeps records that it has read for a while, unless they are large', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    const readsOf = (text: string) => {
      const seq = store.append(newUpdates([update(1, text)]), undefined);
      const batch = store.ledger.batchOf(seq);
      const before = disk.reads;
      for (let time = 0; time < 3; time++) if (batch) store.read(batch, batch.seqs);
      return disk.reads - before;
    };
    expect(readsOf('small')).toBe(1);
    expect(readsOf('x'.repeat(200_000))).toBe(3);
    for (let i = 0; i < 40; i++) readsOf('small');
    const [first] = store.ledger.batches();
    const before = disk.reads;
    if (first) store.read(first, first.seqs);
    expect(disk.reads).toBe(before + 1);
  });

  it('writes marks before whatever comes after them', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.append(updates(1, 2), undefined);
    store.mark('begun', 1);
    store.mark('settled', 2);
    expect(replayed(disk).size).toBe(2);
    store.append(updates(3), undefined);
    expect(stateOf(replayed(disk))).toEqual(stateOf(store.ledger));
  });

  it('remembers which ids Telegram may send again, through starts, cleaning and salvage', async () => {
    const disk = new MemoryDisk();
    let store = await open({ disk });
    store.append(updates(41, 42), undefined);
    for (const seq of [1, 2]) store.mark('settled', seq);
    await store.commit();
    for (let round = 0; round < 3; round++) {
      store = await open({ disk });
      store.mark('begun', 99);
      await store.commit();
      await store.clean();
    }
    expect(disk.paths().filter((path) => path.endsWith('.log'))).toHaveLength(1);
    expect(replayed(disk).recent.arrivals).toEqual([{ atMs: NOW, ids: [41, 42] }]);
    expect([41, 42, 43].map((id) => replayed(disk).recent.has(id))).toEqual([true, true, false]);
    expect(replayed(disk).nextSeq).toBe(3);
  });

  it('takes no more room for that with each start', async () => {
    const disk = new MemoryDisk();
    for (let round = 0; round < 12; round++) {
      const store = await open({ disk });
      store.append(updates(1_000 + round), undefined);
      await store.commit();
    }
    const last = disk.paths().findLast((path) => path.endsWith('.log'));
    expect(disk.read(last ?? '').length).toBeLessThan(1_000);
  });

  it('commits what was written, the dead letters with it', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.append(updates(1), undefined);
    store.bury(letter(1, 1), Buffer.from('text of 1'));
    store.mark('settled', 1);
    await store.commit();
    disk.cutPower(() => 0);
    const after = await open({ disk });
    expect(after.ledger.size).toBe(0);
    expect(after.deadLetters.list()).toMatchObject([{ seq: 1, why: 'failed' }]);
    expect(after.append(updates(2), undefined)).toBe(2);
  });

  it('lets a dead letter go only once the update that is tried again is safe', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.bury(letter(41, 7), Buffer.from('{}'));
    store.append(updates(1), undefined);
    await store.commit();
    const letters = disk.read(`${folder}/dead-letters.log`);
    store.reappend(updates(7));
    store.exhume(41);
    // Not even written: nobody knows what of it a disk keeps that loses its power.
    expect(disk.read(`${folder}/dead-letters.log`)).toEqual(letters);
    expect(store.letterOf(41)).toBeUndefined();
    disk.fail('sync', 'EIO', { at: '/log/' });
    await expect(store.commit()).rejects.toMatchObject({ code: 'INBOX_DISK' });
    disk.cutPower(() => 0);
    disk.mend();
    const after = await open({ disk });
    expect(after.deadLetters.list().length + after.ledger.size).toBe(2);
    after.exhume(41);
    await after.commit();
    disk.cutPower(() => 0.6);
    expect((await open({ disk })).deadLetters.list()).toEqual([]);
  });

  it('gives no number twice, also where only the dead letters still know it', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.bury(letter(41, 7), Buffer.from('{}'));
    const after = await open({ disk });
    expect(after.append(updates(8), undefined)).toBe(42);
  });

  it('syncs nothing where only the process has to be survived', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, survivesPowerCut: false });
    store.append(updates(1), undefined);
    store.mark('begun', 1);
    await store.commit();
    expect(disk.syncs).toBe(0);
    expect(replayed(disk).histories().length).toBe(1);
  });

  it.each([
    ['append', 'ENOSPC', 'INBOX_DISK'],
    ['append', 'EROFS', 'INBOX_DISK'],
    ['create', 'EACCES', 'INBOX_DISK'],
  ] as const)('names an error of the disk: %s %s', async (operation, code, expected) => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    disk.fail(operation, code);
    expect(() => store.append(updates(1), undefined)).toThrow(
      expect.objectContaining({ code: expected, culprit: folder, message: expect.stringContaining(code) }),
    );
  });
});

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
    const other = Store.open({ disk, folder, bot: '2-b', survivesPowerCut: true, now: () => NOW });
    await expect(other).rejects.toMatchObject({ code: 'INBOX_FOREIGN' });
    expect(disk.paths()).toEqual(before);
  });

  it('refuses a newer format, whatever it is like', async () => {
    const disk = new MemoryDisk();
    const head = JSON.stringify({ format: 99, bot, recent: 'in another form' });
    disk
      .create(`${folder}/log/0000000000000000.log`)
      .append(encodeFrame(RecordKind.head, 0, [Buffer.from(head)]));
    await expect(open({ disk })).rejects.toMatchObject({
      code: 'INBOX_NEWER',
      message: expect.stringContaining('format 99'),
    });
  });

  it('counts a death for what had begun and did not end', async () => {
    const disk = new MemoryDisk();
    let store = await open({ disk });
    store.append(updates(1, 2, 3), undefined);
    for (const seq of [1, 2]) store.mark('begun', seq);
    store.mark('cut', 2);
    store.write();
    store = await open({ disk });
    expect(store.ledger.historyOf(1)).toEqual({ runs: 1, deaths: 1, begun: false });
    expect(store.ledger.historyOf(2)).toEqual({ runs: 1, deaths: 0, begun: false });
    expect(store.ledger.histories().length).toBe(2);
    store = await open({ disk });
    expect(store.ledger.historyOf(1)).toEqual({ runs: 1, deaths: 1, begun: false });
    store.mark('begun', 1);
    store.write();
    expect((await open({ disk })).ledger.historyOf(1)).toEqual({ runs: 2, deaths: 2, begun: false });
  });
});

describe('cleaning', () => {
  it('removes what is not needed any more', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 60; id++) store.append(updates(id), undefined);
    for (let seq = 1; seq <= 55; seq++) store.mark('settled', seq);
    const before = store.size;
    await store.clean();
    expect(store.size).toBeLessThan(before / 2);
    const after = await open({ disk });
    expect(contents(after)).toEqual(contents(store));
    expect(after.damage).toEqual([]);
  });

  it('writes anew what little is left of an old segment', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 60; id++) store.append(updates(id), undefined);
    store.mark('begun', 1);
    for (let seq = 2; seq <= 60; seq++) if (seq !== 3) store.mark('settled', seq);
    const before = store.size;
    for (let round = 0; round < 10; round++) await store.clean();
    expect(store.size).toBeLessThan(before / 2);
    disk.cutPower(() => 0);
    expect(contents(store)).toEqual(['1 1 text of 1', '3 3 text of 3']);
    const after = await open({ disk });
    expect(contents(after)).toEqual(contents(store));
    expect(after.ledger.historyOf(1)).toEqual({ runs: 1, deaths: 1, begun: false });
    // What was never begun is not said to have been.
    expect(after.ledger.histories().length).toBe(1);
  });

  it('costs no sync while there is nothing to remove', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    for (let id = 1; id <= 30; id++) store.append(updates(id), undefined);
    await store.commit();
    const { syncs } = disk;
    await store.clean();
    expect(disk.syncs).toBe(syncs);
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
    store.mark('begun', 2);
    store.mark('settled', 1);
    await store.commit();
    store.close();
    const [, segment = ''] = disk.paths().filter((path) => path.startsWith(`${folder}/log/`));
    disk.damage(segment, 400);
    return disk;
  }

  it('is set aside, and all that can be read is saved', async () => {
    const disk = await damagedStore();
    const names = disk.paths();
    const store = await open({ disk });
    const seqs = store.ledger.batches().flatMap((batch) => batch.seqs);
    expect(seqs.length).toBe(28);
    expect(store.damage[0]?.bytes).toBeGreaterThan(0);
    expect(store.damage[0]?.path).toBe(`${folder}/log.damaged-20231114T221320Z`);
    const aside = disk.paths().filter((path) => path.startsWith(`${store.damage[0]?.path}/`));
    expect(aside.map((path) => path.slice(-20))).toEqual(names.map((path) => path.slice(-20)));
    expect(contents(store)).toHaveLength(28);
    expect(store.ledger.historyOf(2).deaths).toBe(1);
    store.close();
    const after = await open({ disk });
    expect(after.damage).toEqual([]);
    expect(stateOf(after.ledger)).toEqual(stateOf(store.ledger));
    expect(contents(after)).toEqual(contents(store));
    expect(after.ledger.recent.has(30)).toBe(true);
  });

  it('of a store in which nothing waits does not make it forget what it has had', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, segmentBytes: 1_000_000 });
    for (let id = 1; id <= 5; id++) {
      store.append(updates(id), undefined);
      store.mark('settled', id);
      await store.commit();
    }
    store.close();
    disk.damage(`${folder}/log/0000000000000000.log`, 150);
    expect((await open({ disk })).damage).toHaveLength(1);
    const after = await open({ disk });
    expect(after.damage).toEqual([]);
    expect(after.ledger.nextSeq).toBe(6);
    expect([2, 5].map((id) => after.ledger.recent.has(id))).toEqual([true, true]);
  });

  it('loses nothing more, wherever the process dies while it is mended', async () => {
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

  it('of any bit of the log is survived, and mended at once', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, segmentBytes: 500 });
    for (let id = 1; id <= 40; id++) {
      store.append(updates(id, id + 1_000), undefined);
      if (id % 3 === 0) store.mark('begun', id);
      if (id > 4) store.mark('settled', 2 * id - 9);
      if (id % 7 === 0) await store.clean();
      await store.commit();
    }
    for (let round = 0; round < 6; round++) await store.clean();
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

  it('loses nothing more when there is no room to mend it', async () => {
    const disk = await damagedStore();
    const expected = contents(await open({ disk: disk.copy() }));
    disk.fail('append', 'ENOSPC', { after: 50 });
    await expect(open({ disk })).rejects.toMatchObject({ code: 'INBOX_DISK' });
    disk.mend();
    expect(contents(await open({ disk }))).toEqual(expected);
  });
});

describe('what is replayed', () => {
  const command = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('append' as const), count: fc.integer({ min: 1, max: 6 }) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constantFrom('begun' as const, 'settled' as const, 'settled' as const),
        which: fc.nat(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('cut' as const), which: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('clean' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('restart' as const, 'cut power' as const) }) },
  );

  it('is what is live, whatever was cleaned and written anew, and however often it started', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const disk = new MemoryDisk();
        let store = await open({ disk, segmentBytes: 400 });
        let nextId = 1;
        const begun = new Set<number>();
        for (const command of commands) {
          const { seqs } = stateOf(store.ledger);
          switch (command.does) {
            case 'append':
              store.append(updates(...Array.from({ length: command.count }, () => nextId++)), undefined);
              break;
            case 'begun':
            case 'settled':
            case 'cut': {
              const seq = seqs[command.which % Math.max(1, seqs.length)];
              if (seq === undefined || (command.does === 'cut' && !begun.has(seq))) break;
              if (command.does === 'begun') {
                if (begun.has(seq)) break;
                begun.add(seq);
              }
              store.mark(command.does, seq);
              break;
            }
            case 'clean':
              await store.clean();
              break;
            case 'commit':
              await store.commit();
              break;
            case 'restart':
            case 'cut power': {
              await store.commit();
              store.ledger.endRun();
              const expected = { state: stateOf(store.ledger), contents: contents(store) };
              store.close();
              if (command.does === 'cut power') disk.cutPower(() => 0.3);
              begun.clear();
              store = await open({ disk, segmentBytes: 400 });
              expect({ state: stateOf(store.ledger), contents: contents(store) }).toEqual(expected);
            }
          }
          store.write();
          expect(stateOf(replayed(disk)).seqs).toEqual(stateOf(store.ledger).seqs);
        }
        expect(store.damage).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
