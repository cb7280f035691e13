import { describe, expect, it } from '@jest/globals';
import { newCounters } from '../../../src/inbox/counters.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { seq, updateId } from '../../../src/inbox/ids.js';
import { type JournalOptions, openJournal } from '../../../src/inbox/journal/opening.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

interface Update {
  readonly update_id: number;
}

const folder = '/inbox';

function opener(disk: MemoryDisk, settings: Partial<JournalOptions<Update>> = {}) {
  const clock = new FakeClock();
  const events: InboxEvent[] = [];
  const errors: unknown[] = [];
  const counters = newCounters();
  const options: JournalOptions<Update> = {
    folder,
    bot: '1-a',
    durability: 'process',
    maxAttempts: 3,
    concurrency: 2,
    limit: 100,
    holder: { place: 'here', id: 'a process' },
    keyOf: ({ update_id }) => `${update_id}`,
    kindOf: () => 'message',
    available: () => {},
    clock,
    restore: (content) => content as Update,
    errorText: String,
    emit: (event) => events.push(event),
    disk: disk.mount(),
    now: () => 0,
    systemNow: () => 0,
    ageOf: () => 0,
    ...settings,
  };
  const open = (signal?: AbortSignal, progress = () => {}) =>
    openJournal(options, counters, (error) => errors.push(error), { signal, progress });
  return { clock, events, errors, counters, open };
}

const ownerFile = `${folder}/owner.json`;

describe('opening a journal', () => {
  it('makes all parts ready, and tells that it is open', async () => {
    const disk = new MemoryDisk();
    const { open, events, counters, clock } = opener(disk);
    const { backlog, commits, store } = await open();
    expect([backlog.hasReady, commits.isUnderWay, store.ledger.size]).toEqual([false, false, 0]);
    expect(events).toEqual([{ event: 'inbox.opened', path: folder, survives: 'process' }]);
    expect(counters).toEqual(newCounters());
    expect(disk.paths()).toContain(ownerFile);
    expect(clock.pending).toBe(0);
  });

  it('tells what earlier runs left, and gives up what too many of them have died of', async () => {
    const disk = new MemoryDisk();
    const ids = [1, 2, 3];
    const first = await opener(disk).open();
    const contents = ids.map((id) => ({ updateId: updateId(id), content: { update_id: id } }));
    first.store.append(newUpdates(contents), undefined);
    for (let death = 1; death <= 3; death++) {
      const { store } = death === 1 ? first : await opener(disk).open();
      store.mark('begun', seq(2));
      if (death === 1) store.mark('begun', seq(3));
      store.write();
      disk.kill();
    }
    const { open, events, counters } = opener(disk);
    const { backlog, store } = await open();
    expect(events.slice(1)).toEqual([
      { event: 'inbox.recovered', updates: 3, begun: 2, died: 2 },
      { event: 'inbox.dead', updateId: 2, kind: 'message', why: 'died', attempts: 3, deaths: 3, cuts: 0 },
    ]);
    expect(counters).toEqual({ ...newCounters(), recovered: 3, dropped: 1 });
    expect(store.deadLetters.list()).toMatchObject([{ seq: 2, why: 'died' }]);
    expect([backlog.take(), backlog.take(), backlog.take()]).toMatchObject([
      { seq: 1, updateId: 1, key: '1', attempt: 1, update: { update_id: 1 } },
      { seq: 3, attempt: 2 },
      undefined,
    ]);
  });

  it('tells the failure of what goes on beside the calls', async () => {
    const disk = new MemoryDisk();
    const { open, errors } = opener(disk, { durability: 'power' });
    const { commits, store } = await open();
    store.append(newUpdates([{ updateId: updateId(1), content: '1' }]), undefined);
    disk.fail('sync', 'EIO');
    await commits.now();
    expect(errors).toMatchObject([{ code: 'INBOX_DISK' }]);
  });

  it('refuses the journal of another bot, and touches nothing', async () => {
    const disk = new MemoryDisk();
    const { store, owner } = await opener(disk).open();
    store.append(newUpdates([{ updateId: updateId(1), content: '1' }]), undefined);
    store.close();
    owner.release();
    const before = disk.paths().map((path) => [path, disk.read(path).toString()]);
    await expect(opener(disk, { bot: '2-b' }).open()).rejects.toMatchObject({ code: 'INBOX_FOREIGN' });
    expect(disk.paths().map((path) => [path, disk.read(path).toString()])).toEqual(before);
  });

  it('is told as unavailable where there is no place for it', async () => {
    const disk = new MemoryDisk();
    disk.fail('makeFolder', 'EACCES');
    await expect(opener(disk).open()).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
  });

  it('gives the folder back, and leaves nothing open, where it fails', async () => {
    const disk = new MemoryDisk();
    const { store } = await opener(disk, { segmentBytes: 100 }).open();
    for (let id = 1; id <= 3; id++)
      store.append(newUpdates([{ updateId: updateId(id), content: 'text' }]), undefined);
    disk.kill();
    // Not the first segment: that is read before the folder is taken.
    disk.fail('read', 'EIO', { at: disk.paths().findLast((path) => path.endsWith('.log')) ?? '' });
    await expect(opener(disk).open()).rejects.toMatchObject({ code: 'INBOX_DISK' });
    expect(disk.paths()).not.toContain(ownerFile);
    expect(disk.open).toBe(0);
  });

  it('rejects with the reason of a signal that aborts, and gives the folder back', async () => {
    const disk = new MemoryDisk();
    const stop = new AbortController();
    const { open, events } = opener(disk);
    const opening = open(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(opening).rejects.toThrow('stopped');
    expect(events).toEqual([]);
    expect(disk.paths()).not.toContain(ownerFile);
    expect(disk.open).toBe(0);
  });

  describe('from a slow disk', () => {
    /** An inbox of several segments, each of which takes 3 s to read. */
    const slow = async () => {
      const disk = new MemoryDisk();
      const { store } = await opener(disk, { segmentBytes: 100 }).open();
      for (let id = 1; id <= 6; id++)
        store.append(newUpdates([{ updateId: updateId(id), content: 'text' }]), undefined);
      disk.kill();
      const life = opener(disk);
      disk.beforeLoad = () => life.clock.sleep(3_000);
      return { disk, ...life, beats: () => JSON.parse(disk.read(ownerFile).toString()).beats as unknown };
    };

    it('gives signs of life, and tells of its progress', async () => {
      const { open, clock, beats } = await slow();
      let steps = 0;
      const opening = open(undefined, () => steps++);
      await clock.advance(10_000);
      expect([steps, beats()]).toEqual([3, 2]);
      await clock.advance(20_000);
      expect((await opening).store.ledger.size).toBe(6);
    });

    it('ends at once when it is stopped, although a read hangs', async () => {
      const { disk, open, clock } = await slow();
      const stop = new AbortController();
      const opening = open(stop.signal);
      await clock.advance(4_000);
      disk.beforeLoad = () => new Promise(() => {});
      await clock.advance(3_000);
      stop.abort(new Error('stopped'));
      await expect(opening).rejects.toThrow('stopped');
      expect(disk.paths()).not.toContain(ownerFile);
      expect(disk.open).toBe(0);
    });

    it('finds out that another process has taken the inbox meanwhile', async () => {
      const { disk, open, clock } = await slow();
      const refused = expect(open()).rejects.toMatchObject({ code: 'INBOX_IN_USE' });
      await clock.advance(4_000);
      disk.replace(ownerFile, '{"place":"there","id":"another"}');
      await clock.advance(3_000);
      await refused;
      expect(disk.paths()).toContain(ownerFile);
    });
  });

  it('waits for a sign of life of an owner elsewhere, and says so', async () => {
    const disk = new MemoryDisk();
    disk.replace(ownerFile, '{"place":"there","id":"another"}');
    const { open, events, clock } = opener(disk);
    const opening = open();
    await settle();
    expect(events).toEqual([{ event: 'inbox.waiting', place: 'there', waitMs: 10_000 }]);
    disk.replace(ownerFile, '{"place":"there","id":"another","beats":2}');
    const refused = expect(opening).rejects.toMatchObject({ code: 'INBOX_IN_USE' });
    await clock.advance(10_000);
    await refused;
    expect(disk.paths()).toContain(ownerFile);
  });
});
