/** Dispatcher and inbox together, through any number of stops and kills: nothing lost, nothing twice that was not named. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { updateId } from '../../src/inbox/ids.js';
import type { Entry, Inbox, InboxReport } from '../../src/inbox/inbox.js';
import { MemoryInbox } from '../../src/inbox/memory/memory-inbox.js';
import { FakeClock } from '../support/fake-clock.js';

const BATCH = 8;
const CONCURRENCY = 3;
const TIMEOUT_MS = 50;
const GRACE_MS = 20;
const LONG_MS = 100_000;

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

/** Telegram's queue. Ids go on by one, until a silence: then they may go on anywhere, lower too. */
class Queue {
  #waiting: Update[] = [];
  readonly #silences: Update[][];

  constructor(silences: readonly Update[][]) {
    this.#silences = [...silences];
  }

  forget(offset: number): void {
    this.#waiting = this.#waiting.filter(({ update_id }) => update_id >= offset);
  }

  answer(): Update[] {
    if (this.#waiting.length === 0) this.#waiting = this.#silences.shift() ?? [];
    return this.#waiting.slice(0, BATCH);
  }
}

interface LifeStory {
  readonly begun: readonly Update[];
  readonly settled: readonly Update[];
  /** What the inbox said at the end, unless it was killed. */
  readonly report: InboxReport | undefined;
  readonly wasCut: boolean;
}

async function live(queue: Queue, life: Life): Promise<LifeStory> {
  const clock = new FakeClock();
  const begun: Update[] = [];
  const settled: Update[] = [];
  const broken: unknown[] = [];
  let stopping = false;

  const inbox: Inbox<Update> = new MemoryInbox<Update>({
    keyOf: ({ key }) => key,
    kindOf: () => 'message',
    available: () => dispatcher.wake(),
  });
  const dispatcher: Dispatcher<Entry<Update>> = new Dispatcher<Entry<Update>>({
    source: {
      take: (most) => inbox.take(most),
      get hasReady() {
        return inbox.hasReady;
      },
      settle(entry, result, error) {
        inbox.settle(entry, result, error);
        settled.push(entry.update);
        if (!begun.includes(entry.update)) broken.push(entry);
      },
      get counts() {
        return inbox.counts;
      },
    },
    concurrency: CONCURRENCY,
    handlerTimeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    clock,
    nameOf: ({ updateId }) => `update ${updateId}`,
    handle: async ({ update }) => {
      begun.push(update);
      if (update.does === 'hang') await new Promise(() => {});
      await clock.sleep(update.afterMs);
      if (update.does === 'throw') throw new Error('thrown');
    },
    emit: (event) => {
      if (event.event === 'dispatch.fault') broken.push(event.error);
    },
  });

  const poll = async () => {
    for (let batch = queue.answer(); batch.length > 0 && !stopping; batch = queue.answer()) {
      const offset = await inbox.accept(batch);
      if (offset !== undefined) queue.forget(offset);
      const { accepted, handled, failed, timedOut, waiting, taken } = inbox.counts;
      if (accepted !== handled + failed + timedOut + waiting + taken) broken.push(inbox.counts);
    }
  };

  dispatcher.start();
  const polling = poll();
  await clock.advance(life.lastsMs);
  if (dispatcher.latestEnd <= clock.now()) broken.push('an update could start, and does not');
  let report: InboxReport | undefined;
  let wasCut = false;
  if (life.ends === 'stopped') {
    stopping = true;
    const latestEnd = new AbortController();
    clock.after(life.drainMs, () => latestEnd.abort(new Error('overdue')));
    inbox.drain();
    const draining = dispatcher.drain(latestEnd.signal);
    await clock.advance(LONG_MS);
    wasCut = (await draining).length > 0;
    report = await inbox.close();
    await polling;
  }
  expect(broken).toEqual([]);
  return { begun, settled, report, wasCut };
}

const update = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  does: fc.oneof(
    { weight: 6, arbitrary: fc.constant('return' as const) },
    { weight: 2, arbitrary: fc.constant('throw' as const) },
    { weight: 1, arbitrary: fc.constant('hang' as const) },
  ),
  afterMs: fc.integer({ min: 0, max: 90 }),
});
/** Between two silences ids go on by one. */
const silence = fc
  .tuple(fc.integer({ min: 0, max: 10 }), fc.array(update, { minLength: 1, maxLength: 20 }))
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

it('loses nothing and repeats only what it named', async () => {
  const seen = { cut: 0, gapsClosed: 0, repeated: 0 };
  await fc.assert(
    fc.asyncProperty(queues, lives, async (silences, history) => {
      const queue = new Queue(silences);
      const all = silences.flat();
      const place = new Map(all.map((one, i) => [one, i]));
      const stories: LifeStory[] = [];
      for (const life of history) stories.push(await live(queue, life));
      stories.push(await live(queue, { lastsMs: LONG_MS, ends: 'stopped', drainMs: 0 }));

      // Nothing lost: each update has settled in one of the lives, and Telegram has none left.
      expect(all.filter((one) => !stories.some(({ settled }) => settled.includes(one)))).toEqual([]);
      expect(queue.answer()).toEqual([]);

      for (const [index, { begun, settled, report, wasCut }] of stories.entries()) {
        // Within a life none begins twice, and those of one key begin in order of arrival.
        expect(new Set(begun).size).toBe(begun.length);
        for (const key of 'abcd') {
          const places = begun.filter((one) => one.key === key).map((one) => place.get(one) ?? -1);
          expect(places).toEqual([...places].sort((a, b) => a - b));
        }

        const again = new Set(stories.slice(index + 1).flatMap((later) => later.begun));
        const repeated = begun.filter((one) => again.has(one));
        if (!report) {
          // A kill repeats its window at most.
          expect(repeated.length).toBeLessThanOrEqual(BATCH);
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
        if (!wasCut && report.left > 0 && begun.length > 0) seen.gapsClosed++;
        if (wasCut) seen.cut++;
        seen.repeated += repeated.length;
      }
    }),
    { numRuns: 300 },
  );
  // The lives were not all tame.
  expect(Math.min(seen.cut, seen.gapsClosed, seen.repeated)).toBeGreaterThan(20);
});
