import { describe, expect, it } from '@jest/globals';
import type { Entry, Inbox, InboxCounts, Settlement } from '../../../src/inbox/inbox.js';
import { MemoryInbox } from '../../../src/inbox/memory/memory-inbox.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

interface Update {
  readonly update_id: number;
  readonly chat: string;
}

const batchOf = (...ids: number[]): Update[] => ids.map((id) => ({ update_id: id, chat: `chat ${id}` }));

function inboxOf() {
  const entries: Entry<Update>[] = [];
  const told = { available: 0 };
  const clock = new FakeClock();
  const inbox: Inbox<Update> = new MemoryInbox<Update>({
    keyOf: ({ chat }) => chat,
    kindOf: () => 'message',
    clock,
    available: () => told.available++,
  });
  const entry = (id: number): Entry<Update> => {
    const found = entries.findLast(({ updateId }) => updateId === id);
    if (!found) throw new Error(`${id} was not taken`);
    return found;
  };
  return {
    inbox,
    clock,
    told,
    entry,
    /** Takes as many as there are, or at most so many, and gives their ids. */
    take: (most = 100): number[] => {
      const taken = inbox.take(most);
      entries.push(...taken);
      return taken.map(({ updateId }) => updateId);
    },
    settle: (ids: readonly number[], result: Settlement = 'handled') => {
      for (const id of ids) inbox.settle(entry(id), result);
    },
  };
}

it('says that the next run knows nothing of it, and keeps nobody waiting for more than 5 min', () => {
  expect(inboxOf().inbox).toMatchObject({ outlivesRun: false, expiresAfterMs: 300_000 });
});

/** What a promise has come to, once all that can run has run. */
async function outcome<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await settle();
  return Promise.race([promise, Promise.resolve('pending' as const)]);
}

const none: InboxCounts = {
  accepted: 0,
  recovered: 0,
  handled: 0,
  caught: 0,
  failed: 0,
  timedOut: 0,
  expired: 0,
  putBack: 0,
  dropped: 0,
  deadDropped: 0,
  dead: 0,
  waiting: 0,
  taken: 0,
  mayRepeat: 0,
};

describe('accepting', () => {
  it('tells that there is something, and hands out updates in order of arrival', async () => {
    const { inbox, told } = inboxOf();
    expect([inbox.hasReady, inbox.take(5)]).toEqual([false, []]);
    const batch = batchOf(7, 8, 3);
    void inbox.accept(batch);
    expect([told.available, inbox.hasReady]).toEqual([1, true]);
    const taken = inbox.take(5);
    expect(taken).toMatchObject([
      { updateId: 7, key: 'chat 7', kind: 'message', attempt: 1 },
      { updateId: 8, key: 'chat 8', kind: 'message', attempt: 1 },
      { updateId: 3, key: 'chat 3', kind: 'message', attempt: 1 },
    ]);
    expect(taken[1]?.update).toBe(batch[1]);
    expect([inbox.hasReady, inbox.take(5)]).toEqual([false, []]);
  });

  it('resolves with the last id + 1 when, and only when, all are settled, however they ended', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9));
    take();
    settled([9], 'failed');
    settled([7]);
    expect(await outcome(accepted)).toBe('pending');
    settled([8], 'timed-out');
    expect(await outcome(accepted)).toBe(10);
    expect(inbox.counts).toEqual({ ...none, accepted: 3, handled: 1, failed: 1, timedOut: 1 });
  });

  it('resolves an empty batch at once: there is nothing to confirm', async () => {
    const { inbox } = inboxOf();
    expect(await outcome(inbox.accept([]))).toBeUndefined();
  });

  it('takes ids as they come, also lower than before', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(900));
    settled(take());
    expect(await first).toBe(901);
    const second = inbox.accept(batchOf(5, 6));
    settled(take());
    expect(await second).toBe(7);
  });

  it('handles an update once that a batch holds twice', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 7));
    expect(take()).toEqual([7, 8]);
    settled([7, 8]);
    expect(await outcome(accepted)).toBe(9);
  });

  it('refuses a second batch while one is in work, since confirming it would confirm both', async () => {
    const { inbox, take } = inboxOf();
    void inbox.accept(batchOf(1));
    await expect(inbox.accept(batchOf(2))).rejects.toThrow('before the last batch was settled');
    expect(take()).toEqual([1]);
  });

  it('is ready for the next batch when the whole batch settles as soon as it is available', async () => {
    const inbox: Inbox<Update> = new MemoryInbox<Update>({
      keyOf: () => 'key',
      kindOf: () => 'message',
      clock: new FakeClock(),
      available: () => {
        for (let [entry] = inbox.take(1); entry; [entry] = inbox.take(1)) inbox.settle(entry, 'failed');
      },
    });
    expect(await outcome(inbox.accept(batchOf(1, 2)))).toBe(3);
    expect(await outcome(inbox.accept(batchOf(3)))).toBe(4);
  });
});

describe('taking and settling', () => {
  it('gives no more than was asked for, and each update once', async () => {
    const { inbox, take } = inboxOf();
    void inbox.accept(batchOf(1, 2, 3, 4, 5));
    expect([take(2), take(0), take(2), take(2), take(2)]).toEqual([[1, 2], [], [3, 4], [5], []]);
  });

  it('gives updates of one chat one after another, without a word from the inbox', async () => {
    const { inbox, told, take, settle: settled } = inboxOf();
    const [first, second] = batchOf(1, 2).map((update) => ({ ...update, chat: 'a' }));
    if (!first || !second) throw new Error('there are two');
    void inbox.accept([first, second, ...batchOf(3)]);
    expect(take()).toEqual([1, 3]);
    settled([3]);
    expect([inbox.hasReady, take()]).toEqual([false, []]);
    settled([1]);
    expect([inbox.hasReady, take()]).toEqual([true, [2]]);
    expect(told.available).toBe(1);
  });

  it('ignores a settle of what was not taken, or a second one', async () => {
    const { inbox, take, entry, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    take(1);
    inbox.settle({ ...entry(7) }, 'handled');
    expect(inbox.counts.handled).toBe(0);
    settled([7, 7]);
    expect(inbox.counts).toEqual({ ...none, accepted: 2, handled: 1, waiting: 1, mayRepeat: 1 });
    expect(await outcome(accepted)).toBe('pending');
  });

  it('counts over all batches', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(1, 2));
    settled(take());
    await first;
    void inbox.accept(batchOf(3, 4, 5, 6));
    take(2);
    settled([4]);
    expect(inbox.counts).toEqual({ ...none, accepted: 6, handled: 3, waiting: 2, taken: 1, mayRepeat: 2 });
  });
});

describe('a stop', () => {
  it('lets the gaps start: what arrived before the newest update that was taken', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    // The chat of 7 is that of 8: it is still at work when 9 is taken.
    const chats = new Map([[8, 'chat 7']]);
    void inbox.accept(
      batchOf(7, 8, 9, 10).map((one) => ({ ...one, chat: chats.get(one.update_id) ?? one.chat })),
    );
    expect(take(2)).toEqual([7, 9]);
    inbox.drain();
    expect(take()).toEqual([]);
    settled([7]);
    expect(inbox.hasReady).toBe(true);
    expect(take()).toEqual([8]);
    settled([8, 9]);
    expect([inbox.hasReady, take()]).toEqual([false, []]);
    expect(await inbox.close()).toEqual({ left: 1, mayRepeat: [] });
  });

  it('goes by arrival, not by id, and begins anew with each batch', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const first = inbox.accept(batchOf(900, 901));
    settled(take());
    await first;
    void inbox.accept([
      { update_id: 12, chat: 'a' },
      { update_id: 11, chat: 'a' },
      { update_id: 5, chat: 'b' },
      { update_id: 10, chat: 'b' },
    ]);
    expect(take()).toEqual([12, 5]);
    inbox.drain();
    settled([12, 5]);
    expect(take()).toEqual([11]);
  });

  it('with all gaps closed confirms what was handled; the rest is left untouched', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9, 10));
    take(2);
    settled([8, 7]);
    inbox.drain();
    expect(take()).toEqual([]);
    const report = await inbox.close();
    expect(await outcome(accepted)).toBe(9);
    expect(report).toEqual({ left: 2, mayRepeat: [] });
  });

  it('that cuts a handler confirms up to it, and says what may come twice', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8, 9, 10, 11));
    take(4);
    settled([7, 9]);
    inbox.drain();
    const report = await inbox.close();
    expect(await outcome(accepted)).toBe(8);
    expect(report).toEqual({ left: 3, mayRepeat: [8, 9, 10] });
    expect(inbox.counts.mayRepeat).toBe(3);
  });

  it('that leaves the first update open confirms nothing', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    take();
    settled([8]);
    expect((await inbox.close()).mayRepeat).toEqual([7, 8]);
    expect(await outcome(accepted)).toBeUndefined();
  });

  it('between two batches leaves nothing', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    const accepted = inbox.accept(batchOf(7));
    settled(take());
    expect(await accepted).toBe(8);
    inbox.drain();
    expect(await inbox.close()).toEqual({ left: 0, mayRepeat: [] });
  });

  it('is the end: nothing is taken or settled after it, and the report stays', async () => {
    const { inbox, take, settle: settled } = inboxOf();
    void inbox.accept(batchOf(7, 8));
    take(1);
    const report = await inbox.close();
    settled([7]);
    expect([inbox.hasReady, take()]).toEqual([false, []]);
    inbox.drain();
    expect(await outcome(inbox.accept(batchOf(9)))).toBeUndefined();
    expect([inbox.hasReady, take()]).toEqual([false, []]);
    expect(await inbox.close()).toBe(report);
    expect(inbox.counts).toEqual({ ...none, accepted: 2, waiting: 1, taken: 1, mayRepeat: 1 });
  });

  it('leaves a batch untouched of which nothing was taken', async () => {
    const { inbox, take } = inboxOf();
    const accepted = inbox.accept(batchOf(7, 8));
    inbox.drain();
    expect([take(), inbox.hasReady]).toEqual([[], false]);
    expect(await inbox.close()).toEqual({ left: 2, mayRepeat: [] });
    expect(await outcome(accepted)).toBeUndefined();
  });

  it('leaves a batch with Telegram that arrives once the drain has begun', async () => {
    const { inbox, told } = inboxOf();
    inbox.drain();
    expect(await outcome(inbox.accept(batchOf(7, 8)))).toBeUndefined();
    expect([inbox.hasReady, inbox.take(5), told.available]).toEqual([false, [], 0]);
    expect(await inbox.close()).toEqual({ left: 0, mayRepeat: [] });
  });
});

it('tells the age of the oldest update while there is one', async () => {
  const { inbox, take, settle: end } = inboxOf();
  expect(inbox.oldestAtMs?.()).toBeUndefined();
  const before = Date.now();
  void inbox.accept(batchOf(1, 2));
  expect(inbox.oldestAtMs?.()).toBeGreaterThanOrEqual(before);
  end(take());
  expect(inbox.oldestAtMs?.()).toBeUndefined();
});
