import { getEventListeners } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import type { Clock } from '../../src/clock.js';
import { Dispatcher, type DispatcherOptions } from '../../src/dispatch/dispatcher.js';
import type { DispatchEvent } from '../../src/dispatch/events.js';
import type { HandlerRun } from '../../src/dispatch/task.js';
import { LastcallError } from '../../src/errors.js';
import { FakeClock, settle } from '../support/fake-clock.js';

/** A handler at work, which the test ends as it likes. */
interface Call {
  readonly item: string;
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A dispatcher of items named by their key and a number (`a1`), and all that it did. */
class Bench {
  readonly clock = new FakeClock();
  readonly calls: Call[] = [];
  readonly settled: string[] = [];
  readonly events: DispatchEvent<string>[] = [];
  readonly dispatcher: Dispatcher<string>;

  constructor(options: Partial<DispatcherOptions<string>> = {}) {
    this.dispatcher = new Dispatcher({
      concurrency: 10,
      handlerTimeoutMs: 1000,
      graceMs: 100,
      clock: this.clock,
      keyOf: (item) => item.slice(0, 1),
      nameOf: (item) => `update ${item}`,
      begin: (items) => items,
      handle: (item, { signal }) =>
        new Promise<void>((resolve, reject) => this.calls.push({ item, signal, resolve, reject })),
      settled: (item, result) => this.settled.push(`${item} ${result}`),
      emit: (event) => this.events.push(event),
      ...options,
    });
  }

  get started(): string[] {
    return this.calls.map(({ item }) => item);
  }

  call(item: string): Call {
    const call = this.calls.findLast((candidate) => candidate.item === item);
    if (!call) throw new Error(`${item} has not started`);
    return call;
  }

  async end(...items: string[]): Promise<void> {
    for (const item of items) this.call(item).resolve();
    await settle();
  }

  eventsNamed<E extends DispatchEvent<string>['event']>(
    name: E,
  ): Extract<DispatchEvent<string>, { event: E }>[] {
    return this.events.filter(
      (event): event is Extract<DispatchEvent<string>, { event: E }> => event.event === name,
    );
  }
}

const never = new AbortController().signal;
const nothing = () => false;

const fifty = Array.from({ length: 50 }, (_, i) => `a${i}`);

/** Every handler keeps the process busy for 4 ms and never waits. */
function busyBench(): Bench {
  let now = 0;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve(), after: () => () => {} };
  return new Bench({
    clock,
    handle: async () => {
      now += 4;
    },
  });
}

describe('order and concurrency', () => {
  it('runs keys side by side and the items of one key one after the other', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1', 'a2', 'b1']);
    expect(bench.started).toEqual(['a1', 'b1']);
    await bench.end('b1');
    expect(bench.started).toEqual(['a1', 'b1']);
    await bench.end('a1');
    expect(bench.started).toEqual(['a1', 'b1', 'a2']);
    await bench.end('a2');
    expect(bench.settled).toEqual(['b1 handled', 'a1 handled', 'a2 handled']);
  });

  it('lets no more than `concurrency` keys work at once', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.dispatcher.push(['a1', 'b1', 'c1', 'd1']);
    expect(bench.started).toEqual(['a1', 'b1']);
    expect(bench.dispatcher.counts).toMatchObject({ running: 2, waiting: 2 });
    await bench.end('b1');
    expect(bench.started).toEqual(['a1', 'b1', 'c1']);
  });

  it('does not let a slow key delay the others, however many items they have', async () => {
    const bench = new Bench({
      concurrency: 2,
      handle: (item) => (item === 'a1' ? new Promise<void>(() => {}) : Promise.resolve()),
    });
    bench.dispatcher.push([
      'a1',
      'a2',
      ...Array.from({ length: 90 }, (_, i) => `${'bcd'.charAt(i % 3)}${i}`),
    ]);
    await settle();
    expect(bench.dispatcher.counts).toEqual({
      waiting: 1,
      running: 1,
      hung: 0,
      handled: 90,
      failed: 0,
      timedOut: 0,
    });
  });

  it('lets the event loop turn while handlers that never wait run one after the other', async () => {
    const bench = busyBench();
    bench.dispatcher.push(fifty);
    let turns = 0;
    let mostInOneTurn = 0;
    for (let before = 0; bench.dispatcher.counts.handled < 50 && turns < 100; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      mostInOneTurn = Math.max(mostInOneTurn, bench.dispatcher.counts.handled - before);
      before = bench.dispatcher.counts.handled;
    }
    expect(bench.dispatcher.counts.handled).toBe(50);
    // 3 handlers of 4 ms fill a slice of 10 ms; a turn as counted here may see the end of one slice and the next.
    expect(mostInOneTurn).toBeLessThanOrEqual(6);
  });

  it('does not take such a pause for the end of a drain', async () => {
    const bench = busyBench();
    bench.dispatcher.push(fifty);
    expect(await bench.dispatcher.drain({ mayStart: () => true, latestEnd: never })).toEqual({
      aborted: [],
      left: [],
    });
    expect(bench.dispatcher.counts.handled).toBe(50);
  });

  it('does not keep the event loop awake once there is nothing to start', async () => {
    const bench = new Bench({ handle: () => Promise.resolve() });
    bench.dispatcher.push(['a1', 'a2']);
    await settle();
    expect(bench.dispatcher.counts.handled).toBe(2);
    expect(process.getActiveResourcesInfo()).not.toContain('Immediate');
  });
});

describe('what is begun', () => {
  it('is told of together where it starts together, before any of its handlers', async () => {
    const told: string[] = [];
    const bench = new Bench({
      concurrency: 3,
      begin: (items) => {
        told.push(items.join(' '));
        expect(bench.started.filter((item) => items.includes(item))).toEqual([]);
        return items;
      },
    });
    bench.dispatcher.push(['a1', 'b1', 'c1', 'a2', 'd1', 'e1']);
    expect(told).toEqual(['a1 b1 c1']);
    await bench.end('a1', 'b1', 'c1');
    expect(told).toEqual(['a1 b1 c1', 'd1 e1 a2']);
    expect(bench.started).toEqual(['a1', 'b1', 'c1', 'd1', 'e1', 'a2']);
  });

  it('is passed over where there is nothing to do', async () => {
    const bench = new Bench({ begin: (items) => items.map((item) => (item === 'a1' ? undefined : item)) });
    bench.dispatcher.push(['a1', 'b1', 'a2']);
    await settle();
    expect(bench.started).toEqual(['b1', 'a2']);
    expect(bench.settled).toEqual(['a1 handled']);
  });

  it('has failed where that throws, all of it, and what comes later has its turn', async () => {
    let broken = true;
    const bench = new Bench({
      begin: (items) => {
        if (broken) throw new Error('no mark');
        return items;
      },
      settled: (item, result) => {
        broken = false;
        bench.settled.push(`${item} ${result}`);
      },
    });
    bench.dispatcher.push(['a1', 'b1', 'a2']);
    await settle();
    expect(bench.settled).toEqual(['a1 failed', 'b1 failed']);
    expect(bench.started).toEqual(['a2']);
    expect(bench.eventsNamed('handler.failed').map(({ error }) => error)).toEqual([
      new Error('no mark'),
      new Error('no mark'),
    ]);
  });

  it('costs nothing while all slots are taken', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.dispatcher.push(['a1', 'b1']);
    await settle();
    const turns = jest.spyOn(globalThis, 'setImmediate');
    try {
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      expect(turns).not.toHaveBeenCalled();
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect(turns).not.toHaveBeenCalled();
    } finally {
      turns.mockRestore();
    }
  });
});

describe('a handler that fails', () => {
  const error = new Error('broken');

  it.each<[string, (item: string, run: HandlerRun) => Promise<void>]>([
    ['rejects', () => Promise.reject(error)],
    [
      'throws at once',
      () => {
        throw error;
      },
    ],
  ])('that %s is settled as failed, told, and stops nothing', async (_, fail) => {
    const errors: unknown[] = [];
    const bench = new Bench({
      handle: (item, run) => (item === 'a1' ? fail(item, run) : Promise.resolve()),
      settled: (item, result, reason) => errors.push([item, result, reason]),
    });
    bench.dispatcher.push(['a1', 'a2', 'b1']);
    await settle();
    expect(errors).toHaveLength(3);
    expect(errors).toContainEqual(['a1', 'failed', error]);
    expect(errors).toContainEqual(['a2', 'handled', undefined]);
    expect(bench.events).toEqual([{ event: 'handler.failed', item: 'a1', key: 'a', durationMs: 0, error }]);
    expect(bench.dispatcher.counts).toMatchObject({ handled: 2, failed: 1, running: 0, waiting: 0 });
  });

  it('counts as failed whatever it throws, undefined too', async () => {
    const bench = new Bench({ handle: () => Promise.reject(undefined) });
    bench.dispatcher.push(['a1']);
    await settle();
    expect(bench.settled).toEqual(['a1 failed']);
    expect(bench.events).toMatchObject([{ event: 'handler.failed', error: undefined }]);
  });

  it('does not run out of stack when thousands throw at once, each refilled from `settled`', async () => {
    let left = 20_000;
    const bench = new Bench({
      concurrency: 1,
      handle: () => {
        throw new Error('at once');
      },
      settled: () => {
        if (--left > 0) bench.dispatcher.push(['a']);
      },
      emit: () => {},
    });
    bench.dispatcher.push(['a']);
    for (let turn = 0; left > 0 && turn < 1000; turn++) await settle();
    expect(bench.dispatcher.counts.failed).toBe(20_000);
  });

  it('tells when `settled` throws, and goes on', async () => {
    const fault = new Error('no such entry');
    const bench = new Bench({
      handle: () => Promise.resolve(),
      settled: () => {
        throw fault;
      },
    });
    bench.dispatcher.push(['a1', 'a2']);
    await settle();
    expect(bench.events).toEqual([
      { event: 'dispatch.fault', item: 'a1', key: 'a', error: fault },
      { event: 'dispatch.fault', item: 'a2', key: 'a', error: fault },
    ]);
  });
});

describe('the signal of a run', () => {
  it('is made for handlers that read it, and only for them', async () => {
    const made = jest.spyOn(globalThis, 'AbortController');
    try {
      const signals: AbortSignal[] = [];
      const dispatcher = new Dispatcher<string>({
        concurrency: 10,
        handlerTimeoutMs: 1000,
        clock: new FakeClock(),
        keyOf: (item) => item,
        nameOf: (item) => item,
        begin: (items) => items,
        async handle(item, run) {
          if (item === 'reads') signals.push(run.signal, run.signal);
        },
        settled: () => {},
        emit: () => {},
      });
      dispatcher.push(['a', 'b', 'reads', 'c']);
      await settle();
      expect(made).toHaveBeenCalledTimes(1);
      expect(signals[0]).toBe(signals[1]);
    } finally {
      made.mockRestore();
    }
  });

  it('has aborted, with the same reason, for a handler that reads it late', async () => {
    const runs: HandlerRun[] = [];
    const bench = new Bench({
      handle: (_, run) => {
        runs.push(run);
        return new Promise(() => {});
      },
    });
    bench.dispatcher.push(['a1']);
    await bench.clock.advance(1000);
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(runs[0]?.signal.reason).toMatchObject({ code: 'HANDLER_TIMED_OUT' });
  });
});

describe('a handler past its time', () => {
  it('has its signal aborted with an error that names update and key, and a warning is told', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1', 'a2']);
    await bench.clock.advance(999);
    expect(bench.call('a1').signal.aborted).toBe(false);
    await bench.clock.advance(1);
    const { reason } = bench.call('a1').signal;
    expect(reason).toBeInstanceOf(LastcallError);
    expect(reason).toMatchObject({ code: 'HANDLER_TIMED_OUT', culprit: 'update a1' });
    expect(reason.message).toBe('the handler of update a1 (key a) has run for 1000 ms');
    expect(bench.events).toEqual([
      { event: 'handler.timed-out', item: 'a1', key: 'a', durationMs: 1000, error: reason },
    ]);
    expect(bench.started).toEqual(['a1']);
    expect(bench.settled).toEqual([]);
  });

  it('is settled by what it does within the grace', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1', 'b1']);
    await bench.clock.advance(1099);
    await bench.end('a1');
    bench.call('b1').reject(bench.call('b1').signal.reason);
    await settle();
    expect(bench.settled).toEqual(['a1 handled', 'b1 failed']);
    await bench.clock.advance(10_000);
    expect(bench.settled).toHaveLength(2);
    expect(bench.dispatcher.counts).toMatchObject({ handled: 1, failed: 1, timedOut: 0, hung: 0 });
  });

  it('is settled as timed out after the grace; its key and its slot go on', async () => {
    const reasons: unknown[] = [];
    const bench = new Bench({
      concurrency: 1,
      settled: (item, result, error) => reasons.push([item, result, error]),
    });
    bench.dispatcher.push(['a1', 'a2', 'b1']);
    await bench.clock.advance(1099);
    expect(bench.started).toEqual(['a1']);
    await bench.clock.advance(1);
    expect(reasons).toEqual([['a1', 'timed-out', bench.call('a1').signal.reason]]);
    expect(bench.eventsNamed('handler.hung')).toEqual([
      { event: 'handler.hung', item: 'a1', key: 'a', durationMs: 1100, hung: 1 },
    ]);
    expect(bench.dispatcher.counts).toMatchObject({ running: 1, hung: 1, timedOut: 1, failed: 0 });
    await bench.end('b1');
    expect(bench.started).toEqual(['a1', 'b1', 'a2']);
  });

  it.each([
    ['returns', undefined],
    ['rejects', new Error('late')],
  ])('that %s after all is told and no longer counted as hung, nor settled again', async (_, error) => {
    const bench = new Bench();
    bench.dispatcher.push(['a1']);
    await bench.clock.advance(1500);
    expect(bench.dispatcher.counts.hung).toBe(1);
    if (error) bench.call('a1').reject(error);
    else bench.call('a1').resolve();
    await settle();
    expect(bench.events.at(-1)).toEqual({
      event: 'handler.ended-late',
      item: 'a1',
      key: 'a',
      durationMs: 1500,
      ...(error && { error }),
    });
    expect(bench.settled).toEqual(['a1 timed-out']);
    expect(bench.dispatcher.counts).toMatchObject({ hung: 0, timedOut: 1, failed: 0, handled: 0 });
  });

  it('is a fault when more of them than `concurrency` are alive; told once', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.dispatcher.push(['a1', 'b1', 'c1', 'd1', 'e1', 'f1']);
    await bench.clock.advance(1100);
    expect(bench.dispatcher.counts.hung).toBe(2);
    expect(bench.eventsNamed('dispatch.exhausted')).toEqual([]);
    await bench.end('a1');
    await bench.end('c1');
    await bench.clock.advance(1100);
    expect(bench.dispatcher.counts.hung).toBe(3);
    expect(bench.eventsNamed('dispatch.exhausted')).toEqual([
      { event: 'dispatch.exhausted', hung: 3, concurrency: 2 },
    ]);
    await bench.clock.advance(5000);
    expect(bench.dispatcher.counts.hung).toBe(4);
    expect(bench.eventsNamed('dispatch.exhausted')).toHaveLength(1);
  });

  it('gets 10 s of grace unless told otherwise', async () => {
    const clock = new FakeClock();
    const settled: string[] = [];
    const dispatcher = new Dispatcher<string>({
      concurrency: 1,
      handlerTimeoutMs: 1000,
      clock,
      keyOf: (item) => item,
      nameOf: (item) => item,
      begin: (items) => items,
      handle: () => new Promise(() => {}),
      settled: (item, result) => settled.push(`${item} ${result}`),
      emit: () => {},
    });
    dispatcher.push(['a']);
    await clock.advance(10_999);
    expect(settled).toEqual([]);
    await clock.advance(1);
    expect(settled).toEqual(['a timed-out']);
  });

  it('leaves one timer for all handlers, not one for each', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1', 'b1', 'c1']);
    expect(bench.clock.pending).toBe(1);
  });
});

describe('a drain', () => {
  it('lets running handlers end and starts nothing that waits', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.dispatcher.push(['a1', 'a2', 'b1', 'c1']);
    let drained = false;
    const draining = bench.dispatcher.drain({ mayStart: nothing, latestEnd: never });
    void draining.then(() => {
      drained = true;
    });
    expect(bench.events).toEqual([{ event: 'drain.started', running: 2, waiting: 2 }]);
    await bench.end('b1');
    expect(drained).toBe(false);
    await bench.end('a1');
    expect(drained).toBe(true);
    expect(await draining).toEqual({ aborted: [], left: ['a2', 'c1'] });
    expect(bench.started).toEqual(['a1', 'b1']);
    expect(bench.settled).toEqual(['b1 handled', 'a1 handled']);
    expect(bench.clock.pending).toBe(0);
  });

  it('resolves at once when nothing runs', async () => {
    const bench = new Bench();
    expect(await bench.dispatcher.drain({ mayStart: () => true, latestEnd: never })).toEqual({
      aborted: [],
      left: [],
    });
  });

  it('starts what may start, in order of each key, and waits for it', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.dispatcher.push(['a1', 'b1', 'a2', 'c3', 'a3', 'b9', 'b2']);
    const draining = bench.dispatcher.drain({
      mayStart: (item) => Number(item.slice(1)) < 4,
      latestEnd: never,
    });
    await bench.end('a1', 'b1');
    expect(bench.started).toEqual(['a1', 'b1', 'c3', 'a2']);
    await bench.end('c3', 'a2');
    await bench.end('a3');
    expect(await draining).toEqual({ aborted: [], left: ['b9', 'b2'] });
    expect(bench.started).toEqual(['a1', 'b1', 'c3', 'a2', 'a3']);
  });

  it('keeps what is pushed once it has begun as left, even where it might start', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1']);
    const draining = bench.dispatcher.drain({ mayStart: () => true, latestEnd: never });
    bench.dispatcher.push(['a2', 'b1']);
    expect(bench.dispatcher.counts.waiting).toBe(2);
    await bench.end('a1');
    expect(await draining).toEqual({ aborted: [], left: ['a2', 'b1'] });
    bench.dispatcher.push(['c1']);
    await settle();
    expect(bench.started).toEqual(['a1']);
  });

  it('aborts at its latest end what still runs: named, not settled, left to the next run', async () => {
    const bench = new Bench({ concurrency: 2 });
    const latestEnd = new AbortController();
    bench.dispatcher.push(['a1', 'b1', 'b2', 'c1']);
    await bench.clock.advance(10);
    const draining = bench.dispatcher.drain({ mayStart: () => true, latestEnd: latestEnd.signal });
    await bench.end('a1');
    await bench.clock.advance(20);
    const reason = new LastcallError('DRAIN_OVERDUE', 'drain', 'the drain is overdue');
    latestEnd.abort(reason);

    const aborted = [
      { item: 'b1', key: 'b', durationMs: 30 },
      { item: 'c1', key: 'c', durationMs: 20 },
    ];
    expect(await draining).toEqual({ aborted, left: ['b2'] });
    expect(bench.eventsNamed('drain.overdue')).toEqual([{ event: 'drain.overdue', aborted }]);
    expect(bench.call('b1').signal.reason).toBe(reason);
    expect(bench.call('c1').signal.reason).toBe(reason);
    expect(bench.clock.pending).toBe(0);

    await bench.end('b1');
    bench.call('c1').reject(reason);
    await settle();
    expect(bench.settled).toEqual(['a1 handled']);
    expect(bench.dispatcher.counts).toMatchObject({ handled: 1, failed: 0 });
    expect(bench.eventsNamed('handler.ended-late').map(({ item }) => item)).toEqual(['b1', 'c1']);
    expect(bench.started).toEqual(['a1', 'b1', 'c1']);
  });

  it('with a latest end that has passed aborts at once and starts nothing', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.dispatcher.push(['a1', 'b1']);
    const draining = bench.dispatcher.drain({ mayStart: () => true, latestEnd: AbortSignal.abort('late') });
    expect(bench.call('a1').signal.reason).toBe('late');
    expect(await draining).toEqual({ aborted: [{ item: 'a1', key: 'a', durationMs: 0 }], left: ['b1'] });
    await bench.end('a1');
    expect(bench.started).toEqual(['a1']);
  });

  it('says nothing of being overdue when nothing ran at its latest end', async () => {
    const bench = new Bench();
    await bench.dispatcher.drain({ mayStart: nothing, latestEnd: AbortSignal.abort() });
    expect(bench.eventsNamed('drain.overdue')).toEqual([]);
  });

  it('goes on limiting the time of handlers, and does not wait for one that was given up', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1', 'b1']);
    await bench.clock.advance(500);
    const draining = bench.dispatcher.drain({ mayStart: nothing, latestEnd: never });
    await bench.end('b1');
    await bench.clock.advance(600);
    expect(await draining).toEqual({ aborted: [], left: [] });
    expect(bench.settled).toEqual(['b1 handled', 'a1 timed-out']);
    expect(bench.clock.pending).toBe(0);
  });

  it('cuts a handler in its grace like any other, without settling it', async () => {
    const bench = new Bench();
    const latestEnd = new AbortController();
    bench.dispatcher.push(['a1']);
    await bench.clock.advance(1050);
    const draining = bench.dispatcher.drain({ mayStart: nothing, latestEnd: latestEnd.signal });
    latestEnd.abort();
    expect((await draining).aborted).toEqual([{ item: 'a1', key: 'a', durationMs: 1050 }]);
    await bench.clock.advance(1000);
    expect(bench.settled).toEqual([]);
  });

  it('happens once: a second call gives the same promise', async () => {
    const bench = new Bench();
    bench.dispatcher.push(['a1']);
    const draining = bench.dispatcher.drain({ mayStart: nothing, latestEnd: never });
    expect(bench.dispatcher.drain({ mayStart: () => true, latestEnd: AbortSignal.abort() })).toBe(draining);
    expect(bench.call('a1').signal.aborted).toBe(false);
    await bench.end('a1');
    expect(await draining).toEqual({ aborted: [], left: [] });
    expect(bench.eventsNamed('drain.started')).toHaveLength(1);
  });

  it('lets go of the signal it was given', async () => {
    const bench = new Bench();
    const latestEnd = new AbortController();
    bench.dispatcher.push(['a1']);
    const draining = bench.dispatcher.drain({ mayStart: nothing, latestEnd: latestEnd.signal });
    await bench.end('a1');
    await draining;
    expect(getEventListeners(latestEnd.signal, 'abort')).toEqual([]);
    latestEnd.abort();
    expect(bench.eventsNamed('drain.overdue')).toEqual([]);
    expect(bench.call('a1').signal.aborted).toBe(false);
  });
});
