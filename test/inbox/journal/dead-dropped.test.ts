/** What the journal says and counts of dead letters that exceed their limits. */
import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { JournalInbox } from '../../../src/inbox/journal/journal-inbox.js';
import type { DeadLetterLimits } from '../../../src/inbox/store/dead-letters.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { MemoryDisk } from '../log/memory-disk.js';

const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

interface Update {
  readonly update_id: number;
}

async function begin(
  deadLetterLimits: Partial<DeadLetterLimits>,
  disk = new MemoryDisk(),
  wall = { aheadMs: 0, isChecked: true },
) {
  const clock = new FakeClock();
  const events: InboxEvent[] = [];
  const inbox = new JournalInbox<Update>({
    folder: '/inbox',
    bot: '1-a',
    durability: 'power',
    maxAttempts: 3,
    concurrency: 10,
    limit: 1_000,
    deadLetterLimits,
    holder: { place: 'here', id: `a run at ${disk.syncs}` },
    clock,
    keyOf: ({ update_id: id }) => `${id}`,
    kindOf: () => 'message',
    restore: (content) => content as Update,
    errorText: String,
    available() {},
    emit: (event) => events.push(event),
    disk,
    now: () => wall.aheadMs + clock.now(),
    isTimeChecked: () => wall.isChecked,
  });
  await inbox.open();
  let id = 0;
  /** So many updates come, and their handlers fail. */
  const fail = async (updates: number, result: 'failed' | 'caught' = 'failed') => {
    const batch = Array.from({ length: updates }, () => ({ update_id: ++id }));
    const accepted = inbox.accept(batch);
    await settle();
    for (const entry of inbox.take(updates)) inbox.settle(entry, result, new Error('no'));
    await accepted;
  };
  const dropped = () => events.filter(({ event }) => event === 'inbox.dead-dropped');
  return { clock, wall, disk, inbox, fail, dropped };
}

describe('dead letters beyond their limits', () => {
  it('stay until the maintenance drops them, which is said and counted', async () => {
    const { clock, disk, inbox, fail, dropped } = await begin({ number: 5 });
    await fail(3, 'caught');
    await fail(7);
    expect(inbox.counts).toMatchObject({ failed: 7, caught: 3, dead: 10, deadDropped: 0 });
    expect(dropped()).toEqual([]);
    await clock.advance(500);
    expect(dropped()).toEqual([
      { event: 'inbox.dead-dropped', letters: 5, limit: 'DEAD_LIMIT', why: { caught: 3, failed: 2 } },
    ]);
    expect(inbox.counts).toMatchObject({ dead: 5, deadDropped: 5 });

    await fail(2);
    await clock.advance(9_500);
    expect(inbox.counts).toMatchObject({ dead: 7, deadDropped: 5 });
    await clock.advance(500);
    expect(inbox.counts).toMatchObject({ dead: 5, deadDropped: 7 });
    await inbox.close();
    disk.cutPower(() => 0);
    const next = await begin({ number: 5 }, disk);
    expect(next.inbox.counts).toMatchObject({ dead: 5, deadDropped: 0 });
    await next.clock.advance(11_000);
    expect(next.dropped()).toEqual([]);
    await next.inbox.close();
  });

  it('are dropped for their age, by the same words as the setting', async () => {
    const { clock, inbox, fail, dropped } = await begin({ ageMs: 60_000 });
    await fail(1);
    await clock.advance(60_000);
    expect(dropped()).toEqual([]);
    await clock.advance(11_000);
    expect(dropped()).toEqual([
      { event: 'inbox.dead-dropped', letters: 1, limit: 'DEAD_AGE', why: { failed: 1 } },
    ]);
    await inbox.close();
  });

  it.each([
    ['forward by a year', YEAR_MS],
    ['back by a year', -YEAR_MS],
  ])('are not dropped because the system clock is set %s', async (_, byMs) => {
    const { clock, wall, inbox, fail, dropped } = await begin({ ageMs: 60_000 });
    await fail(1);
    await clock.advance(30_000);
    wall.aheadMs = byMs;
    await clock.advance(29_000);
    expect(dropped()).toEqual([]);
    await clock.advance(12_000);
    expect(dropped()).toHaveLength(1);
    await inbox.close();
  });

  it('are not dropped while the system clock is a year ahead, nor once it is known to be', async () => {
    const disk = new MemoryDisk();
    const first = await begin({ ageMs: 60_000 }, disk);
    await first.fail(1);
    await first.inbox.close();
    const wall = { aheadMs: YEAR_MS, isChecked: false };
    const next = await begin({ ageMs: 60_000 }, disk, wall);
    await next.clock.advance(30_000);
    Object.assign(wall, { aheadMs: 0, isChecked: true });
    await next.clock.advance(29_000);
    expect(next.dropped()).toEqual([]);
    await next.clock.advance(12_000);
    expect(next.dropped()).toHaveLength(1);
    await next.inbox.close();
  });
});
