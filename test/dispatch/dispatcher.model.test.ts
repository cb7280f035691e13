/** Whatever is pushed, however handlers behave and whenever it drains: what the dispatcher promises holds. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Dispatcher, type DrainResult } from '../../src/dispatch/dispatcher.js';
import type { HandlerRun } from '../../src/dispatch/task.js';
import { FakeClock } from '../support/fake-clock.js';

const TIMEOUT_MS = 50;
const GRACE_MS = 20;
const CONCURRENCY = 3;
/** Longer than any handler that ends, its timeouts included. */
const LONG_MS = 100_000;

type Behaviour =
  | { readonly does: 'return' | 'throw' | 'heed'; readonly afterMs: number }
  | { readonly does: 'throw at once' }
  | { readonly does: 'hang' };

interface Item {
  readonly id: number;
  readonly key: string;
  readonly behaviour: Behaviour;
}

type Step =
  | { readonly step: 'push'; readonly items: readonly Omit<Item, 'id'>[] }
  | { readonly step: 'advance'; readonly ms: number }
  /** Items that were pushed with an id up to `upTo` may still start. */
  | { readonly step: 'drain'; readonly upTo: number }
  | { readonly step: 'cut' };

const afterMs = fc.integer({ min: 0, max: TIMEOUT_MS + GRACE_MS + 30 });
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('return', 'throw', 'heed'), afterMs }) },
  { weight: 1, arbitrary: fc.constantFrom({ does: 'throw at once' as const }, { does: 'hang' as const }) },
);
const item = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), behaviour });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        step: fc.constant('push' as const),
        items: fc.array(item, { minLength: 1, maxLength: 6 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ step: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ step: fc.constant('drain' as const), upTo: fc.integer({ min: 0, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('cut' as const) }) },
  ),
  { maxLength: 25 },
);

/** Runs a dispatcher, and notes at every start and end which promise it broke. */
class World {
  /** Collected, since the dispatcher takes what its callbacks throw for failures of theirs. */
  readonly broken: string[] = [];
  readonly clock = new FakeClock();
  readonly pushed: Item[] = [];
  readonly started: Item[] = [];
  readonly settled = new Map<Item, string>();
  readonly latestEnd = new AbortController();
  drainedUpTo: number | undefined;
  /** How much had been pushed when the drain began. */
  pushedBeforeDrain = Number.POSITIVE_INFINITY;
  result: DrainResult<Item> | undefined;
  readonly dispatcher = new Dispatcher<Item>({
    concurrency: CONCURRENCY,
    handlerTimeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    clock: this.clock,
    keyOf: ({ key }) => key,
    nameOf: ({ id }) => `update ${id}`,
    begin: (items) => items,
    handle: (started, run) => {
      this.checkStart(started);
      return this.behave(started.behaviour, run);
    },
    settled: (ended, result) => {
      this.expect(this.started.includes(ended), ended, 'is settled after its start');
      this.expect(!this.settled.has(ended), ended, 'is settled once');
      this.expect(!this.result, ended, 'is settled before the drain has resolved');
      this.settled.set(ended, result);
    },
    emit: () => {},
  });

  async take(step: Step): Promise<void> {
    if (step.step === 'push') {
      const items = step.items.map((one, index) => ({ ...one, id: this.pushed.length + index }));
      // Of what a drain has resolved with nothing more can be told.
      if (!this.result) this.pushed.push(...items);
      this.dispatcher.push(items);
    } else if (step.step === 'advance') {
      await this.clock.advance(step.ms);
    } else if (step.step === 'drain') {
      this.drain(step.upTo);
    } else {
      this.latestEnd.abort(new Error('cut'));
    }
    await this.clock.advance(0);
  }

  drain(upTo: number): void {
    if (this.drainedUpTo !== undefined) return;
    this.drainedUpTo = upTo;
    this.pushedBeforeDrain = this.pushed.length;
    void this.dispatcher
      .drain({ mayStart: this.mayStart, latestEnd: this.latestEnd.signal })
      .then((result) => {
        this.result = result;
      });
  }

  readonly mayStart = ({ id }: Item): boolean => id <= (this.drainedUpTo ?? Number.POSITIVE_INFINITY);

  private checkStart(starting: Item): void {
    const running = this.started.filter((one) => !this.settled.has(one));
    const firstOfKey = this.pushed.find((one) => one.key === starting.key && !this.settled.has(one));
    this.expect(running.length < CONCURRENCY, starting, 'starts in a free slot');
    this.expect(firstOfKey === starting, starting, 'starts when all before it in its key are settled');
    this.expect(!this.started.includes(starting), starting, 'starts once');
    this.expect(this.mayStart(starting), starting, 'starts only if it may');
    if (this.drainedUpTo !== undefined) {
      this.expect(starting.id < this.pushedBeforeDrain, starting, 'was there when the drain began');
      this.expect(!this.latestEnd.signal.aborted, starting, 'starts before the latest end');
    }
    this.started.push(starting);
  }

  private expect(holds: boolean, { id, key }: Item, what: string): void {
    if (!holds) this.broken.push(`${key}${id} ${what}`);
  }

  private async behave(how: Behaviour, { signal }: HandlerRun): Promise<void> {
    if (how.does === 'hang') return new Promise(() => {});
    if (how.does === 'throw at once') throw new Error('at once');
    await this.clock.sleep(how.afterMs, how.does === 'heed' ? signal : undefined);
    if (how.does === 'throw') throw new Error('thrown');
  }

  /** How the item must have been settled, if it was. */
  static resultOf(how: Behaviour): string {
    if (how.does === 'throw at once') return 'failed';
    if (how.does === 'hang') return 'timed-out';
    if (how.does === 'heed') return how.afterMs < TIMEOUT_MS ? 'handled' : 'failed';
    if (how.afterMs > TIMEOUT_MS + GRACE_MS) return 'timed-out';
    return how.does === 'throw' ? 'failed' : 'handled';
  }
}

it('keeps order, limits and books in every world', async () => {
  const seen = { cut: 0, left: 0, timedOut: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const world = new World();
      for (const step of history) await world.take(step);
      world.drain(Number.POSITIVE_INFINITY);
      await world.clock.advance(LONG_MS);

      const { result } = world;
      if (!result) throw new Error('the drain has not resolved');
      const aborted = result.aborted.map((one) => one.item);
      const { left } = result;

      expect(world.broken).toEqual([]);

      // Every item is settled, aborted or left; none is two of these, none is lost.
      expect([...world.settled.keys(), ...aborted, ...left].sort((a, b) => a.id - b.id)).toEqual(
        world.pushed,
      );
      if (!world.latestEnd.signal.aborted) expect(aborted).toEqual([]);

      for (const [ended, how] of world.settled) expectResult(ended, how);

      // What was left could not start: pushed too late, or it or one before it in its key may not.
      const mayStill = ({ id, key }: Item) =>
        id < world.pushedBeforeDrain &&
        left.every((one) => one.key !== key || one.id > id || world.mayStart(one));
      if (!world.latestEnd.signal.aborted) expect(left.filter(mayStill)).toEqual([]);

      const counts = world.dispatcher.counts;
      const total = (how: string) => [...world.settled.values()].filter((one) => one === how).length;
      expect(counts).toMatchObject({
        running: 0,
        handled: total('handled'),
        failed: total('failed'),
        timedOut: total('timed-out'),
      });
      const timedOutForEver = [...world.settled].filter(
        ([ended, how]) => how === 'timed-out' && ended.behaviour.does === 'hang',
      );
      expect(counts.hung).toBe(timedOutForEver.length);
      expect(world.clock.pending).toBe(0);

      seen.cut += aborted.length;
      seen.left += left.length;
      seen.timedOut += counts.timedOut;
    }),
    { numRuns: 300 },
  );
  // The worlds were not all tame.
  expect(Math.min(seen.cut, seen.left, seen.timedOut)).toBeGreaterThan(20);
});

function expectResult({ behaviour: how }: Item, result: string): void {
  // Exactly at the end of its time either may come first.
  if ('afterMs' in how && [TIMEOUT_MS, TIMEOUT_MS + GRACE_MS].includes(how.afterMs)) return;
  expect(result).toBe(World.resultOf(how));
}
