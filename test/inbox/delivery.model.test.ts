/**
 * Dispatcher and inbox together, through any number of stops and kills: nothing lost, nothing twice that was not named, and
 * nothing left to wait that could start.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { updateId } from '../../src/inbox/ids.js';
import type { Entry, Inbox, InboxReport } from '../../src/inbox/inbox.js';
import { JournalInbox } from '../../src/inbox/journal/journal-inbox.js';
import { MemoryInbox } from '../../src/inbox/memory/memory-inbox.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { MemoryDisk } from './log/memory-disk.js';

const TIMEOUT_MS = 50;
const GRACE_MS = 20;
/** Longer than all handlers together. */
const LONG_MS = 10_000;
/** How often it is looked whether an update waits that could start. */
const PARTS = 5;
/** Longer than any drain. */
const DRAIN_MS = 1_000;
/** How long a sync of the disk may take. */
const SYNC_MS = 20;
/** Within this time, what was settled is written. */
const WRITTEN_WITHIN_MS = 5;

interface Update {
  readonly update_id: number;
  readonly key: string;
  readonly does: 'return' | 'throw' | 'hang';
  readonly afterMs: number;
}

/** One life of the process: how long until it is stopped, or killed, and how long its drain may take. */
interface Life {
  readonly lastsMs: number;
  readonly ends: 'killed' | 'stopped';
  readonly drainMs: number;
}

interface Kind {
  /** How many updates Telegram gives at once. */
  readonly batch: number;
  readonly concurrency: number;
  /** Whether the inbox itself is the safe place, or Telegram's queue. */
  readonly keeps: boolean;
  create(disk: MemoryDisk, clock: FakeClock, available: () => void): Inbox<Update>;
}

const shared = { keyOf: ({ key }: Update) => key, kindOf: () => 'message' };

const memory: Kind = {
  batch: 8,
  concurrency: 3,
  keeps: false,
  create: (_disk, clock, available) => new MemoryInbox<Update>({ ...shared, clock, available }),
};

/** More may be at work at once than may start in a turn of the event loop while the disk syncs. */
const journal: Kind = {
  batch: 60,
  concurrency: 50,
  keeps: true,
  create: (disk, clock, available) =>
    new JournalInbox<Update>({
      ...shared,
      available,
      folder: '/inbox',
      bot: '1-a',
      durability: 'power',
      maxAttempts: 0,
      concurrency: 50,
      limit: 70,
      holder: { place: 'here', id: 'a process' },
      clock,
      disk: disk.mount(),
      now: () => 1_700_000_000_000,
      restore: (content) => content as Update,
      errorText: String,
      emit: () => {},
    }),
};

/** Telegram's queue. Ids go on by one, until a silence: then they may go on anywhere, lower too. */
class Queue {
  #waiting: Update[] = [];
  readonly #silences: Update[][];
  readonly #batch: number;
  readonly #all: ReadonlyMap<number, Update>;

  constructor(silences: readonly Update[][], batch: number) {
    this.#silences = [...silences];
    this.#batch = batch;
    this.#all = new Map(silences.flat().map((update) => [update.update_id, update]));
  }

  /** An update as it was sent, whatever an inbox has made of it. */
  sent({ update_id }: Update): Update {
    const update = this.#all.get(update_id);
    if (!update) throw new Error('an update that nobody sent');
    return update;
  }

  forget(offset: number): void {
    this.#waiting = this.#waiting.filter(({ update_id }) => update_id >= offset);
  }

  answer(): Update[] {
    if (this.#waiting.length === 0) this.#waiting = this.#silences.shift() ?? [];
    return this.#waiting.slice(0, this.#batch);
  }
}

interface LifeStory {
  readonly begun: readonly Update[];
  readonly settled: readonly Update[];
  /** What the inbox said at the end, unless it was killed. */
  readonly report: InboxReport | undefined;
  readonly wasCut: boolean;
  /** Settled so long before the end that it was written. */
  readonly written: readonly Update[];
}

async function live(kind: Kind, queue: Queue, disk: MemoryDisk, life: Life): Promise<LifeStory> {
  const clock = new FakeClock();
  const begun: Update[] = [];
  const settled: Update[] = [];
  const settledAt = new Map<Update, number>();
  const broken: unknown[] = [];
  let stopping = false;
  let wasCut = false;

  const inbox = kind.create(disk, clock, () => dispatcher.wake());
  const dispatcher: Dispatcher<Entry<Update>> = new Dispatcher<Entry<Update>>({
    source: {
      outlivesRun: inbox.outlivesRun,
      expiresAfterMs: inbox.expiresAfterMs,
      take: (most) => inbox.take(most),
      get hasReady() {
        return inbox.hasReady;
      },
      settle(entry, result, error) {
        inbox.settle(entry, result, error);
        const update = queue.sent(entry.update);
        settled.push(update);
        settledAt.set(update, clock.now());
        if (!begun.includes(update)) broken.push(entry);
      },
      putBack(entry) {
        broken.push({ putBack: entry });
      },
      get counts() {
        return inbox.counts;
      },
    },
    concurrency: kind.concurrency,
    handlerTimeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    clock,
    historyOf: (entry) => entry,
    nameOf: ({ updateId }) => `update ${updateId}`,
    handle: async ({ update }) => {
      begun.push(queue.sent(update));
      if (update.does === 'hang') await new Promise(() => {});
      await clock.sleep(update.afterMs);
      if (update.does === 'throw') throw new Error('thrown');
    },
    emit: (event) => {
      if (event.event === 'dispatch.fault') broken.push(event.error);
      // What fails amid the stop is left to the next run, like what the drain cuts.
      if (event.event === 'handler.put-back') wasCut = true;
    },
  });

  const poll = async () => {
    for (let batch = queue.answer(); batch.length > 0 && !stopping; batch = queue.answer()) {
      const offset = await inbox.accept(batch);
      if (offset !== undefined) queue.forget(offset);
      const { accepted, recovered, handled, failed, timedOut, waiting, taken } = inbox.counts;
      if (accepted + recovered !== handled + failed + timedOut + waiting + taken) broken.push(inbox.counts);
    }
  };

  /** Syncs end between two turns of the event loop, and only now and then. */
  const sync = () => {
    disk.releaseSyncs();
    disk.holdSyncs = true;
    clock.after(SYNC_MS, sync);
  };

  await inbox.open();
  if (kind.keeps) sync();
  dispatcher.start();
  const polling = poll();
  for (let part = 0; part < PARTS; part++) {
    // The turns of the event loop in which a batch starts, before any time has passed.
    for (let turns = 0; turns < 3; turns++) await settle();
    if (inbox.hasReady && dispatcher.counts.running < kind.concurrency)
      broken.push('an update could start, and does not');
    if (dispatcher.latestEnd <= clock.now()) broken.push('a watchdog would end the process');
    await clock.advance(life.lastsMs / PARTS);
  }
  let report: InboxReport | undefined;
  if (life.ends === 'stopped') {
    stopping = true;
    const latestEnd = new AbortController();
    clock.after(life.drainMs, () => latestEnd.abort(new Error('overdue')));
    inbox.drain();
    const draining = dispatcher.drain(latestEnd.signal);
    await clock.advance(DRAIN_MS);
    if ((await draining).length > 0) wasCut = true;
    disk.releaseSyncs();
    report = await inbox.close();
    await polling;
  }
  const written = settled.filter((one) => (settledAt.get(one) ?? 0) < clock.now() - WRITTEN_WITHIN_MS);
  disk.kill();
  expect(broken).toEqual([]);
  return { begun, settled, report, wasCut, written };
}

const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`);
const update = fc.record({
  // A few keys have much to do, many have a little.
  key: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...keys.slice(0, 4)) },
    { weight: 3, arbitrary: fc.constantFrom(...keys) },
  ),
  does: fc.oneof(
    { weight: 6, arbitrary: fc.constant('return' as const) },
    { weight: 2, arbitrary: fc.constant('throw' as const) },
    { weight: 1, arbitrary: fc.constant('hang' as const) },
  ),
  afterMs: fc.integer({ min: 0, max: 90 }),
});
/** Between two silences ids go on by one. */
const silence = fc
  .tuple(fc.integer({ min: 0, max: 10 }), fc.array(update, { minLength: 1, maxLength: 60, size: 'max' }))
  .map(([era, updates]) => ({ era, updates }));
const queues = fc
  .uniqueArray(silence, { selector: ({ era }) => era, minLength: 1, maxLength: 3 })
  .map((silences) =>
    silences.map(({ era, updates }) =>
      updates.map((one, i): Update => ({ ...one, update_id: era * 1000 + i })),
    ),
  );
const lives: fc.Arbitrary<Life[]> = fc.array(
  fc.record({
    lastsMs: fc.integer({ min: 0, max: 150 }),
    ends: fc.constantFrom('stopped', 'stopped', 'killed'),
    drainMs: fc.integer({ min: 0, max: 200 }),
  }),
  { maxLength: 4 },
);

describe.each([
  ['memory', memory],
  ['journal', journal],
] as const)('the dispatcher and the inbox: %s', (_name, kind) => {
  it('lose nothing and repeat only what they named', async () => {
    const seen = { cut: 0, leftSome: 0, repeated: 0 };
    await fc.assert(
      fc.asyncProperty(queues, lives, async (silences, history) => {
        const queue = new Queue(silences, kind.batch);
        const disk = new MemoryDisk();
        const all = silences.flat();
        const place = new Map(all.map((one, i) => [one, i]));
        const stories: LifeStory[] = [];
        for (const life of history) stories.push(await live(kind, queue, disk, life));
        stories.push(await live(kind, queue, disk, { lastsMs: LONG_MS, ends: 'stopped', drainMs: 0 }));

        // Nothing lost: each update has settled in one of the lives, and Telegram has none left.
        expect(all.filter((one) => !stories.some(({ settled }) => settled.includes(one)))).toEqual([]);
        expect(queue.answer()).toEqual([]);

        for (const [index, { begun, settled, report, wasCut, written }] of stories.entries()) {
          // Within a life none begins twice, and those of one key begin in order of arrival.
          expect(new Set(begun).size).toBe(begun.length);
          for (const key of keys) {
            const places = begun.filter((one) => one.key === key).map((one) => place.get(one) ?? -1);
            expect(places).toEqual([...places].sort((a, b) => a - b));
          }

          const again = new Set(stories.slice(index + 1).flatMap((later) => later.begun));
          const repeated = begun.filter((one) => again.has(one));
          if (!report) {
            // A kill repeats its window at most.
            if (kind.keeps) expect(repeated.filter((one) => written.includes(one))).toEqual([]);
            else expect(repeated.length).toBeLessThanOrEqual(kind.batch);
            seen.repeated += repeated.length;
            continue;
          }
          const repeatable = all.filter((one) => report.mayRepeat.includes(updateId(one.update_id)));
          expect(repeatable).toEqual(all.filter((one) => repeated.includes(one)));
          expect(begun.length - settled.length).toBeLessThanOrEqual(report.left);
          if (!wasCut)
            expect({ begun: begun.length, report }).toEqual({
              begun: settled.length,
              report: { ...report, mayRepeat: [] },
            });
          if (!wasCut && report.left > 0 && begun.length > 0) seen.leftSome++;
          if (wasCut) seen.cut++;
          seen.repeated += repeated.length;
        }
      }),
      { numRuns: kind.keeps ? 100 : 200 },
    );
    // The lives were not all tame.
    expect(Math.min(seen.cut, seen.leftSome, seen.repeated)).toBeGreaterThan(5);
  }, 60_000);
});
