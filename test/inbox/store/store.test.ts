import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Seq, seq, updateId } from '../../../src/inbox/ids.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { readDeadLetters } from '../../../src/inbox/store/read-dead-letters.js';
import { seqs, updateIds } from '../../support/ids.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { bot, contents, folder, letter, NOW, open, replayed, stateOf, updates } from './store-rig.js';

describe('writing', () => {
  it('numbers updates in their order, and finds them as they were written', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    expect(store.append(updates(7, 8), undefined)).toBe(1);
    expect(store.append(updates(3), updateId(9))).toBe(3);
    const written = contents(store);
    expect(written).toEqual(['1 7 text of 7', '2 8 text of 8', '3 3 text of 3']);
    expect(contents(await open({ disk }))).toEqual(written);
  });

  it('writes marks before whatever comes after them', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.append(updates(1, 2), undefined);
    store.mark('begun', seq(1));
    store.mark('settled', seq(2));
    expect(replayed(disk).size).toBe(2);
    store.append(updates(3), undefined);
    expect(stateOf(replayed(disk))).toEqual(stateOf(store.ledger));
  });

  it('remembers which ids Telegram may send again, through starts, compaction and repair', async () => {
    const disk = new MemoryDisk();
    let store = await open({ disk });
    store.append(updates(41, 42), undefined);
    for (const one of seqs(1, 2)) store.mark('settled', one);
    await store.commit();
    for (let round = 0; round < 3; round++) {
      store = await open({ disk });
      store.mark('begun', seq(99));
      await store.commit();
      await store.compact();
    }
    expect(disk.paths().filter((path) => path.endsWith('.log'))).toHaveLength(1);
    expect(replayed(disk).recent.arrivals).toEqual([{ atMs: NOW, ids: updateIds(41, 42) }]);
    expect(updateIds(41, 42, 43).map((id) => replayed(disk).recent.has(id))).toEqual([true, true, false]);
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
    store.addDeadLetter(letter(1, 1), Buffer.from('text of 1'));
    await store.commit();
    disk.cutPower(() => 0);
    const after = await open({ disk });
    expect(after.ledger.size).toBe(0);
    expect(after.deadLetters.list()).toMatchObject([{ seq: 1, why: 'failed' }]);
    expect(after.append(updates(2), undefined)).toBe(2);
  });

  it('never settles an update before its dead letter is safe, whatever a power cut leaves', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, segmentBytes: 200 });
    store.append(updates(1, 2, 3, 4, 5, 6), undefined);
    for (const settled of seqs(1, 2, 3)) store.mark('settled', settled);
    await store.commit();
    for (const dead of seqs(4, 5)) store.addDeadLetter(letter(dead, dead), Buffer.from('{}'));
    expect(contents(store)).toEqual(['6 6 text of 6']);
    store.mark('begun', seq(6));
    store.append(updates(7), undefined);
    store.write();
    disk.holdSyncs = true;
    void store.compact();
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 999 })), (randoms) => {
        const after = disk.copy();
        after.cutPower(() => Number(randoms.next().value) / 1_000);
        const left = stateOf(replayed(after)).seqs;
        const dead = readDeadLetters(after, folder).index.list();
        for (const of of seqs(4, 5))
          expect(dead.some((one) => one.seq === of) || left.includes(of)).toBe(true);
      }),
    );
  });

  it.each(['retried', 'dropped'] as const)(
    'does not bring back what has just died and is %s at once, when the process is killed then',
    async (what) => {
      const disk = new MemoryDisk();
      const store = await open({ disk });
      store.append(updates(1), undefined);
      await store.commit();
      store.addDeadLetter(letter(1, 1), Buffer.from('"text of 1"'));
      if (what === 'retried') store.retryDeadLetter(seq(1));
      else store.removeDeadLetter(seq(1));
      store.write();
      disk.kill();
      const after = await open({ disk });
      expect(contents(after)).toEqual(what === 'retried' ? ['2 1 text of 1'] : []);
      expect(after.deadLetters.list()).toEqual([]);
      expect(replayed(disk).size).toBe(what === 'retried' ? 1 : 0);
    },
  );

  it('has an update that is tried again arrive no earlier than its letter, also by a clock that shows 2000', async () => {
    const store = await open({ now: () => Date.UTC(2000, 0, 1) });
    store.addDeadLetter(letter(41, 7), Buffer.from('{}'));
    store.retryDeadLetter(seq(41));
    await store.commit();
    expect(store.oldestAtMs).toBe(NOW);
  });

  it('removes a dead letter only once the update that is tried again is durable', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.addDeadLetter(letter(41, 7), Buffer.from('{}'));
    store.append(updates(1), undefined);
    await store.commit();
    const file = disk.paths().find((path) => path.startsWith(`${folder}/dead-letters/`)) ?? '';
    const letters = disk.read(file);
    expect(store.retryDeadLetter(seq(41))).toBe(true);
    // Not even written: nobody knows what of it a disk keeps that loses its power.
    expect(disk.read(file)).toEqual(letters);
    expect(store.getDeadLetter(seq(41))).toBeUndefined();
    expect(store.retryDeadLetter(seq(41))).toBe(false);
    disk.fail('sync', 'EIO', { at: '/log/' });
    await expect(store.commit()).rejects.toMatchObject({ code: 'INBOX_DISK' });
    disk.cutPower(() => 0);
    disk.mend();
    const after = await open({ disk });
    expect(after.deadLetters.list().length + after.ledger.size).toBe(2);
    after.removeDeadLetter(seq(41));
    await after.commit();
    disk.cutPower(() => 0.6);
    expect((await open({ disk })).deadLetters.list()).toEqual([]);
  });

  it('gives no number twice, also where only the dead letters still know it', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    store.addDeadLetter(letter(41, 7), Buffer.from('{}'));
    const after = await open({ disk });
    expect(after.append(updates(8), undefined)).toBe(42);
  });

  it('syncs nothing where only the process has to be survived', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk, survivesPowerCut: false });
    store.append(updates(1), undefined);
    store.mark('begun', seq(1));
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
    { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('compact' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('restart' as const, 'cut power' as const) }) },
  );

  it('is what is live, whatever was compacted and rewritten, and however often it started', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const disk = new MemoryDisk();
        let store = await open({ disk, segmentBytes: 400 });
        let nextId = 1;
        const begun = new Set<Seq>();
        for (const command of commands) {
          const unsettled = stateOf(store.ledger).seqs;
          switch (command.does) {
            case 'append':
              store.append(updates(...Array.from({ length: command.count }, () => nextId++)), undefined);
              break;
            case 'begun':
            case 'settled':
            case 'cut': {
              const chosen = unsettled[command.which % Math.max(1, unsettled.length)];
              if (chosen === undefined || (command.does === 'cut' && !begun.has(chosen))) break;
              if (command.does === 'begun') {
                if (begun.has(chosen)) break;
                begun.add(chosen);
              }
              store.mark(command.does, chosen);
              break;
            }
            case 'compact':
              await store.compact();
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

it('removes no dead letter whose update a kill would bring back', async () => {
  const disk = new MemoryDisk();
  const options = { folder, bot, survivesPowerCut: false, now: () => NOW, segmentBytes: 1_000 };
  const store = await openStore({ ...options, disk: disk.mount(), deadLetterLimits: { number: 1 } });
  store.append(updates(1, 2), undefined);
  for (const number of [1, 2]) store.addDeadLetter(letter(number, number), Buffer.from('text'));
  store.dropExcessDeadLetters();
  disk.kill();
  expect(replayed(disk).size).toBe(0);
});
