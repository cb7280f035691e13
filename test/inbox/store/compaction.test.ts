import { describe, expect, it } from '@jest/globals';
import { seq } from '../../../src/inbox/ids.js';
import { historyWith } from '../../support/history.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { contents, open, updates } from './store-rig.js';

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
