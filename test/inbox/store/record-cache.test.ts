import { describe, expect, it } from '@jest/globals';
import { seq } from '../../../src/inbox/ids.js';
import { seqs } from '../../support/ids.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { open, update, updates } from './store-rig.js';

describe('reading', () => {
  it('returns no more than is wanted and not settled', async () => {
    const store = await open();
    store.append(updates(1, 2, 3), undefined);
    store.mark('settled', seq(2));
    const [batch] = store.ledger.batches();
    if (!batch) throw new Error('no batch');
    expect(store.read(batch, seqs(2, 3, 4)).map((stored) => stored.seq)).toEqual([3]);
  });

  it('keeps records that were read for a while, unless they are large', async () => {
    const disk = new MemoryDisk();
    const store = await open({ disk });
    const readsOf = (text: string) => {
      const batch = store.ledger.batchOf(store.append(newUpdates([update(1, text)]), undefined));
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
});
