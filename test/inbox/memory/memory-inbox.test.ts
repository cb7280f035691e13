import { describe, expect, it } from '@jest/globals';
import type { Entry, Inbox, InboxCounts } from '../../../src/inbox/inbox.js';
import { MemoryInbox } from '../../../src/inbox/memory/memory-inbox.js';
import { settle } from '../../support/fake-clock.js';

interface Update {
  readonly update_id: number;
  readonly chat: string;
}

const batchOf = (...ids: number[]): Update[] => ids.map((id) => ({ update_id: id, chat: `chat ${id % 3}` }));

function inboxOf() {
  const delivered: Entry[] = [];
  const inbox: Inbox<Update> = new MemoryInbox<Update>({
    keyOf: ({ chat }) => chat,
    kindOf: () => 'message',
    deliver: (entries) => delivered.push(...entries),
  });
  const entry = (id: number): Entry => {
    const found = delivered.findLast(({ updateId }) => updateId === id);
    if (!found) throw new Error(`${id} was not delivered`);
    return found;
  };
  return {
    inbox,
    delivered,
    entry,
    begin: (...ids: number[]) => inbox.begin(ids.map((id) => entry(id))),
    settle: (...ids: number[]) => {
      for (const id of ids) inbox.settle(entry(id), 'handled');
    },
  };
}

/** What a promise has come to, once all that can run has run. */
async function outcome<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await settle();
  return Promise.race([promise, Promise.resolve('pending' as const)]);
}

const none: InboxCounts = {
  accepted: 0,
  recovered: 0,
  handled: 0,
  failed: 0,
  timedOut: 0,
  dropped: 0,
  waiting: 0,
  begun: 0,
  mayRepeat: 0,
};

describe('accepting', () => {
  it('delivers entries in order of arrival, and gives their updates when they begin', async () => {
    const { inbox, delivered, begin } = inboxOf();
    const batch = batchOf(7, 8, 3);
    void inbox.accept(batch);
    expect(delivered).toMatchObject([
      { updateId: 7, key: 'chat 1', kind: 'message', attempt: 1 },
      { updateId: 8, key: 'chat 2', kind: 'message', attempt: 1 },
      { updateId: 3, key: 'chat 0', kind: 'message', attempt: 1 },
    ]);
    expect(begin(8)[0]).toBe(batch[1]);
  });

  it('resolves with the last id + 1 when, and only when, all are settled, however they ended', async () => {
    const { inbox, begin, entry } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9));
    begin(7, 8, 9);
    inbox.settle(entry(9), 'failed');
    inbox.settle(entry(7), 'handled');
    expect(await outcome(accepted)).toBe('pending');
    inbox.settle(entry(8), 'timed-out');
    expect(await outcome(accepted)).toBe(10);
  });

  it('resolves an empty batch at once: there is nothing to confirm', async () => {
    const { inbox } = inboxOf();
    expect(await outcome(inbox.accept([]))).toBeUndefined();
  });

  it('takes ids as they come, also lower than before', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(900));
    begin(900);
    settled(900);
    expect(await first).toBe(901);
    const second = inbox.accept(batchOf(5, 6));
    begin(5, 6);
    settled(5, 6);
    expect(await second).toBe(7);
  });

  it('handles an update once that a batch holds twice', async () => {
    const { inbox, delivered, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 7));
    expect(delivered.map(({ updateId }) => updateId)).toEqual([7, 8]);
    begin(7, 8);
    settled(7, 8);
    expect(await outcome(accepted)).toBe(9);
  });

  it('refuses a second batch while one is in work, since confirming it would confirm both', async () => {
    const { inbox, delivered } = inboxOf();
    void inbox.accept(batchOf(1));
    await expect(inbox.accept(batchOf(2))).rejects.toThrow('before the last batch was settled');
    expect(delivered).toHaveLength(1);
  });

  it('is ready for the next batch when deliver settles the whole batch at once', async () => {
    const inbox: Inbox<Update> = new MemoryInbox<Update>({
      keyOf: () => 'key',
      kindOf: () => 'message',
      deliver: (entries) => {
        inbox.begin(entries);
        for (const entry of entries) inbox.settle(entry, 'failed');
      },
    });
    expect(await outcome(inbox.accept(batchOf(1, 2)))).toBe(3);
    expect(await outcome(inbox.accept(batchOf(3)))).toBe(4);
  });
});

describe('beginning and settling', () => {
  it('begins an entry once', async () => {
    const { inbox, begin } = inboxOf();
    void inbox.accept(batchOf(7));
    begin(7);
    expect(() => begin(7)).toThrow('update 7 does not wait to be begun');
  });

  it('ignores a settle of what never began, or a second one', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    settled(7);
    expect(inbox.counts.handled).toBe(0);
    begin(7);
    settled(7, 7);
    expect(inbox.counts).toEqual({ ...none, accepted: 2, handled: 1, waiting: 1, begun: 0, mayRepeat: 1 });
    expect(await outcome(accepted)).toBe('pending');
  });

  it('counts over all batches', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(1, 2));
    begin(1, 2);
    settled(1, 2);
    await first;
    void inbox.accept(batchOf(3, 4, 5, 6));
    begin(3, 4);
    settled(4);
    expect(inbox.counts).toEqual({ ...none, accepted: 6, handled: 3, waiting: 2, begun: 1, mayRepeat: 2 });
  });
});

describe('a stop', () => {
  it('lets the gaps start: what arrived before the newest one begun', async () => {
    const { inbox, begin, entry, settle: settled } = inboxOf();
    void inbox.accept(batchOf(7, 8, 9, 10));
    const starts = () => [7, 8, 9, 10].filter((id) => inbox.startsDuringDrain(entry(id)));
    expect(starts()).toEqual([]);
    begin(9);
    settled(9);
    expect(starts()).toEqual([7, 8]);
    begin(7);
    expect(starts()).toContain(8);
    expect(starts()).not.toContain(10);
  });

  it('goes by arrival, not by id, and begins anew with each batch', async () => {
    const { inbox, begin, entry, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(900, 901));
    begin(900, 901);
    settled(900, 901);
    await first;
    void inbox.accept(batchOf(12, 5));
    expect(inbox.startsDuringDrain(entry(12))).toBe(false);
    begin(5);
    expect(inbox.startsDuringDrain(entry(12))).toBe(true);
  });

  it('with all gaps closed confirms what was handled; the rest is left untouched', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9, 10));
    begin(7, 8);
    settled(8, 7);
    const report = await inbox.drained();
    expect(await outcome(accepted)).toBe(9);
    expect(report).toEqual({ left: 2, mayRepeat: [] });
  });

  it('that cuts a handler confirms up to it, and says what may come twice', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9, 10, 11));
    begin(7, 8, 9, 10);
    settled(7, 9);
    const report = await inbox.drained();
    expect(await outcome(accepted)).toBe(8);
    expect(report).toEqual({ left: 3, mayRepeat: [8, 9, 10] });
  });

  it('that leaves the first update open confirms nothing', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    begin(7, 8);
    settled(8);
    expect((await inbox.drained()).mayRepeat).toEqual([7, 8]);
    expect(await outcome(accepted)).toBeUndefined();
  });

  it('between two batches leaves nothing', async () => {
    const { inbox, begin, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7));
    begin(7);
    settled(7);
    expect(await accepted).toBe(8);
    expect(await inbox.drained()).toEqual({ left: 0, mayRepeat: [] });
  });

  it('is the end: nothing is delivered, begun or settled after it, and the report stays', async () => {
    const { inbox, delivered, begin, entry, settle: settled } = inboxOf();
    void inbox.accept(batchOf(7, 8));
    begin(7);
    const report = await inbox.drained();
    settled(7);
    expect(() => inbox.begin([entry(8)])).toThrow('does not wait to be begun');
    expect(await outcome(inbox.accept(batchOf(9)))).toBeUndefined();
    expect(delivered).toHaveLength(2);
    expect(await inbox.drained()).toBe(report);
    expect(inbox.counts).toEqual({ ...none, accepted: 2, handled: 0, waiting: 1, begun: 1, mayRepeat: 1 });
  });

  it('leaves a batch untouched that arrived once the drain had begun', async () => {
    const { inbox, entry } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    expect(inbox.startsDuringDrain(entry(7))).toBe(false);
    expect(await inbox.drained()).toEqual({ left: 2, mayRepeat: [] });
    expect(await outcome(accepted)).toBeUndefined();
  });
});
