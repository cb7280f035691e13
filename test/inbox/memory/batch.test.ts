import { expect, it } from '@jest/globals';
import { type BatchEntry, MemoryBatch } from '../../../src/inbox/memory/batch.js';

interface Update {
  readonly update_id: number;
}

function batchOf(...ids: number[]) {
  const batch = new MemoryBatch<Update>(
    ids.map((id) => ({ update_id: id })),
    { keyOf: ({ update_id }) => `key of ${update_id}`, kindOf: () => 'message' },
    1_000,
  );
  const entry = (id: number): BatchEntry<Update> => {
    const found = batch.entries.find(({ updateId }) => updateId === id);
    if (!found) throw new Error(`${id} is not in the batch`);
    return found;
  };
  const settle = (...settled: number[]) => {
    for (const id of settled) entry(id).state = 'settled';
  };
  const gaps = () => batch.entries.filter((each) => batch.isGap(each)).map(({ updateId }) => updateId);
  return { batch, entry, settle, gaps };
}

it('holds each update once, described, in order of arrival', () => {
  const { batch } = batchOf(7, 3, 7);
  expect(batch.entries).toEqual([
    {
      updateId: 7,
      key: 'key of 7',
      kind: 'message',
      attempt: 1,
      putBacks: 0,
      retries: 0,
      acceptedAtMs: 1_000,
      update: { update_id: 7 },
      index: 0,
      state: 'waiting',
    },
    {
      updateId: 3,
      key: 'key of 3',
      kind: 'message',
      attempt: 1,
      putBacks: 0,
      retries: 0,
      acceptedAtMs: 1_000,
      update: { update_id: 3 },
      index: 1,
      state: 'waiting',
    },
  ]);
});

it('calls a gap what arrived before the newest entry that was taken, whatever its id', () => {
  const { batch, entry, gaps } = batchOf(12, 5, 900, 6);
  expect(gaps()).toEqual([]);
  batch.take(entry(900));
  batch.take(entry(12));
  expect(gaps()).toEqual([12, 5]);
});

it('lets be confirmed what is settled from its beginning on', () => {
  const { batch, settle } = batchOf(7, 8, 9);
  const unconfirmable = () => batch.unconfirmable.map(({ updateId }) => updateId);
  expect([batch.confirmableOffset, unconfirmable()]).toEqual([undefined, [7, 8, 9]]);
  settle(8);
  expect([batch.confirmableOffset, unconfirmable()]).toEqual([undefined, [7, 8, 9]]);
  settle(7);
  expect([batch.confirmableOffset, unconfirmable()]).toEqual([9, [9]]);
  settle(9);
  expect([batch.confirmableOffset, unconfirmable()]).toEqual([10, []]);
});
