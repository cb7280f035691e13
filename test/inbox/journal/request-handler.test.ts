import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { updateId as idOf, orderKey, seq as seqOf } from '../../../src/inbox/ids.js';
import { Attendant } from '../../../src/inbox/journal/attendant.js';
import { Item, Queue } from '../../../src/inbox/journal/queue.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { seqs as seqsOf } from '../../support/ids.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

const NOW = 1_700_000_000_000;

/** Four updates that wait, of which the first two are delivered. */
async function rig() {
  const now = () => NOW;
  const disk = new MemoryDisk();
  const store = await openStore({ disk, folder: '/inbox', bot: '1-a', survivesPowerCut: false, now });
  store.append(newUpdates([1, 2].map((id) => ({ updateId: 100 + id, content: `${id}` }))), undefined);
  const delivered: Item<unknown>[] = [];
  const queue = new Queue<unknown>({
    ledger: store.ledger,
    read: (batch, seqs) =>
      store
        .read(batch, seqs)
        .map(
          ({ seq, updateId, content: update }) =>
            new Item({ seq, updateId, key: `${seq}`, kind: 'message', attempt: 1, update, bytes: 10 }),
        ),
    isSuspect: () => false,
    deliver: (items) => delivered.push(...items),
    limits: { delivered: 2, deliveredBytes: 1_000, deliveredOfKey: 1 },
  });
  queue.fill();
  store.append(newUpdates([3, 4].map((id) => ({ updateId: 100 + id, content: `${id}` }))), undefined);
  const events: InboxEvent[] = [];
  const counts = { recovered: 0, dropped: 0 };
  const attendant = new Attendant({ store, queue, counts, emit: (event) => events.push(event) });
  const waiting = () => store.ledger.batches().flatMap((batch) => batch.seqs);
  return { store, queue, delivered, attendant, counts, events, waiting };
}

const letter = {
  seq: seqOf(9),
  updateId: idOf(109),
  key: orderKey('a chat'),
  kind: 'message',
  why: 'failed',
  attempts: 1,
  atMs: NOW,
  error: undefined,
} as const;

describe('dropping', () => {
  it('takes what waits, delivered or not, and refuses what is handled or not there', async () => {
    const { store, queue, delivered, attendant, counts, events, waiting } = await rig();
    const [running, next] = delivered;
    if (!running || !next) throw new Error('two are delivered');
    running.stage = 'begun';
    store.mark('begun', running.seq);
    expect(attendant.answer({ action: 'drop', seqs: seqsOf(1, 2, 3, 99) })).toEqual({
      done: [2, 3],
      refused: [1, 99],
    });
    expect([waiting(), next.stage, queue.size]).toEqual([[1, 4], 'gone', 2]);
    expect(counts).toEqual({ recovered: 0, dropped: 2 });
    expect(events).toEqual([{ event: 'inbox.requested', action: 'drop', updates: [102, 103], refused: 2 }]);
  });

  it('removes a dead letter once that is safe', async () => {
    const { store, attendant, counts } = await rig();
    store.addDeadLetter(letter, Buffer.from('"9"'));
    expect(attendant.answer({ action: 'drop', seqs: seqsOf(9, 9) })).toEqual({ done: [9], refused: [] });
    expect([store.getDeadLetter(seqOf(9)), store.deadLetters.list()]).toMatchObject([
      undefined,
      [{ seq: 9 }],
    ]);
    await store.commit();
    expect(store.deadLetters.list()).toEqual([]);
    expect(counts.dropped).toBe(0);
  });
});

describe('trying again', () => {
  it('has a dead letter wait as if it had just arrived, once', async () => {
    const { store, attendant, counts, waiting } = await rig();
    store.addDeadLetter(letter, Buffer.from('"9"'));
    expect(attendant.answer({ action: 'retry', seqs: seqsOf(9, 9, 1) })).toEqual({ done: [9], refused: [1] });
    expect(waiting()).toEqual([1, 2, 3, 4, 5]);
    expect(store.readOne(seqOf(5))).toEqual({ seq: 5, updateId: 109, content: '9' });
    expect(counts).toEqual({ recovered: 1, dropped: 0 });
    await store.commit();
    expect(store.deadLetters.list()).toEqual([]);
  });
});
