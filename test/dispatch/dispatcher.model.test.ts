/** Whatever there is to take, however handlers behave and whenever it drains: what the dispatcher promises holds. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import type { Handling } from '../../src/dispatch/events.js';
import type { Source } from '../../src/dispatch/source.js';
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
  /** Whether the source hands it out even in a drain. */
  readonly inDrain: boolean;
  readonly behaviour: Behaviour;
}

type Step =
  | { readonly step: 'push'; readonly items: readonly Omit<Item, 'id'>[] }
  | { readonly step: 'advance'; readonly ms: number }
  | { readonly step: 'drain' }
  | { readonly step: 'cut' };

const afterMs = fc.integer({ min: 0, max: TIMEOUT_MS + GRACE_MS + 30 });
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('return', 'throw', 'heed'), afterMs }) },
  { weight: 1, arbitrary: fc.constantFrom({ does: 'throw at once' as const }, { does: 'hang' as const }) },
);
const item = fc.record({ inDrain: fc.boolean(), behaviour });
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
    { weight: 1, arbitrary: fc.record({ step: fc.constant('drain' as const) }) },
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
  readonly waiting: Item[] = [];
  /** Failed amid the drain. */
  readonly left: Item[] = [];
  drains = false;
  aborted: readonly Handling<Item>[] | undefined;
  readonly dispatcher = new Dispatcher<Item>({
    source: this.source(),
    concurrency: CONCURRENCY,
    handlerTimeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    clock: this.clock,
    historyOf: () => ({ putBacks: 0, retries: 0, acceptedAtMs: Date.now() }),
    nameOf: ({ id }) => `update ${id}`,
    handle: (started, run) => {
      this.checkStart(started);
      return this.behave(started.behaviour, run);
    },
    emit: (event) => {
      if (event.event !== 'handler.put-back') return;
      this.expect(this.drains, `${event.item.id} is left only amid a drain`);
      this.left.push(event.item);
    },
  });

  source(): Source<Item> {
    const world = this;
    return {
      outlivesRun: true,
      expiresAfterMs: Number.POSITIVE_INFINITY,
      get hasReady() {
        return world.ready.length > 0;
      },
      take(most) {
        const items = world.ready.slice(0, most);
        for (const item of items) world.waiting.splice(world.waiting.indexOf(item), 1);
        return items;
      },
      settle(ended, result) {
        world.expect(world.started.includes(ended), `${ended.id} is settled after its start`);
        world.expect(!world.settled.has(ended), `${ended.id} is settled once`);
        world.expect(!world.aborted, `${ended.id} is settled before the drain has resolved`);
        world.settled.set(ended, result);
      },
      putBack(failed) {
        world.expect(false, `${failed.id} is put back although no failure passes`);
      },
      counts: { waiting: 0 },
    };
  }

  async take(step: Step): Promise<void> {
    if (step.step === 'push') {
      const items = step.items.map((one, index) => ({ ...one, id: this.pushed.length + index }));
      this.pushed.push(...items);
      this.waiting.push(...items);
      this.dispatcher.wake();
    } else if (step.step === 'advance') {
      await this.clock.advance(step.ms);
    } else if (step.step === 'drain') {
      this.drain();
    } else {
      this.latestEnd.abort(new Error('cut'));
    }
    await this.clock.advance(0);
    if (!this.aborted) {
      const { running } = this.dispatcher.counts;
      this.expect(
        running === CONCURRENCY || this.ready.length === 0,
        'no slot is free while items are ready',
      );
    }
  }

  drain(): void {
    if (this.drains) return;
    this.drains = true;
    void this.dispatcher.drain(this.latestEnd.signal).then((aborted) => {
      this.aborted = aborted;
    });
  }

  get ready(): readonly Item[] {
    return this.waiting.filter(({ inDrain }) => inDrain || !this.drains);
  }

  private checkStart(starting: Item): void {
    const running = this.started.filter((one) => !this.settled.has(one) && !this.left.includes(one));
    this.expect(running.length < CONCURRENCY, `${starting.id} starts in a free slot`);
    this.expect(!this.started.includes(starting), `${starting.id} starts once`);
    if (this.drains)
      this.expect(!this.latestEnd.signal.aborted, `${starting.id} starts before the latest end`);
    this.started.push(starting);
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) this.broken.push(what);
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

it('keeps its limits and its books in every world', async () => {
  const seen = { cut: 0, left: 0, timedOut: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const world = new World();
      world.dispatcher.start();
      for (const step of history) await world.take(step);
      world.drain();
      await world.clock.advance(LONG_MS);

      if (!world.aborted) throw new Error('the drain has not resolved');
      const aborted = world.aborted.map((one) => one.item);
      expect(world.broken).toEqual([]);

      // Every item is settled, aborted, left or still waiting; none is two of these, none is lost.
      const all = [...world.settled.keys(), ...aborted, ...world.left, ...world.waiting];
      expect(all.sort((a, b) => a.id - b.id)).toEqual(world.pushed);
      if (!world.latestEnd.signal.aborted) expect(aborted).toEqual([]);
      for (const [ended, how] of world.settled) expectResult(ended, how);

      const timedOut = [...world.settled].filter(([, how]) => how === 'timed-out');
      const hung = timedOut.filter(([ended]) => ended.behaviour.does === 'hang').length;
      expect(world.dispatcher.counts).toEqual({ running: 0, hung });
      expect(world.clock.pending).toBe(0);

      seen.cut += aborted.length;
      seen.left += world.waiting.length;
      seen.timedOut += timedOut.length;
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
