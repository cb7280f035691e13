import { getEventListeners } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import type { Clock } from '../../src/clock.js';
import { Dispatcher, type DispatcherOptions } from '../../src/dispatch/dispatcher.js';
import type { DispatchEvent, Handling } from '../../src/dispatch/events.js';
import type { HandlingResult, Source } from '../../src/dispatch/source.js';
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

/** What waits, and what has become of it; after `drain` only items named with a `!` may start. */
class Waiting implements Source<string> {
  readonly waiting: string[] = [];
  readonly taken: (readonly string[])[] = [];
  readonly settled: string[] = [];
  drains = false;
  readonly putBacks: string[] = [];
  outlivesRun = true;
  readonly expiresAfterMs = 24 * 60 * 60 * 1_000;
  whenSettled: (item: string, result: HandlingResult, error?: unknown) => void = () => {};

  get hasReady(): boolean {
    return this.waiting.some((item) => this.#mayStart(item));
  }

  get counts() {
    return { waiting: this.waiting.length };
  }

  take(most: number): readonly string[] {
    const items = this.waiting.filter((item) => this.#mayStart(item)).slice(0, most);
    for (const item of items) this.waiting.splice(this.waiting.indexOf(item), 1);
    this.taken.push(items);
    return items;
  }

  settle(item: string, result: HandlingResult, error?: unknown): void {
    this.settled.push(`${item} ${result}`);
    this.whenSettled(item, result, error);
  }

  putBack(item: string, { delayMs, isRetry }: { delayMs: number; isRetry: boolean }): void {
    this.putBacks.push(`${item} ${delayMs}${isRetry ? ' retry' : ''}`);
  }

  #mayStart(item: string): boolean {
    return !this.drains || item.endsWith('!');
  }
}

/** A dispatcher that has been started, and all that it did. */
class Bench {
  readonly clock = new FakeClock();
  readonly calls: Call[] = [];
  readonly source = new Waiting();
  readonly events: DispatchEvent<string>[] = [];
  readonly dispatcher: Dispatcher<string>;

  constructor(options: Partial<DispatcherOptions<string>> = {}) {
    this.dispatcher = new Dispatcher({
      source: this.source,
      concurrency: 10,
      handlerTimeoutMs: 1000,
      graceMs: 100,
      clock: this.clock,
      historyOf: untouched,
      nameOf: (item) => `update ${item}`,
      handle: (item, { signal }) =>
        new Promise<void>((resolve, reject) => this.calls.push({ item, signal, resolve, reject })),
      emit: (event) => this.events.push(event),
      ...options,
    });
    this.dispatcher.start();
  }

  push(...items: string[]): void {
    this.source.waiting.push(...items);
    this.dispatcher.wake();
  }

  drain(latestEnd = never): Promise<readonly Handling<string>[]> {
    this.source.drains = true;
    return this.dispatcher.drain(latestEnd);
  }

  get settled(): readonly string[] {
    return this.source.settled;
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
const untouched = () => ({ putBacks: 0, retries: 0, acceptedAtMs: Date.now() });

const fifty = Array.from({ length: 50 }, (_, i) => `a${i}`);

/** Every handler keeps the process busy for 4 ms and never waits. */
function busyBench(): Bench {
  let now = 0;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve(), after: () => () => {} };
  return new Bench({
    clock,
    concurrency: 1,
    handle: async () => {
      now += 4;
    },
  });
}

describe('slots', () => {
  it('take nothing before the start', async () => {
    const source = new Waiting();
    source.waiting.push('a');
    const started: string[] = [];
    const dispatcher = new Dispatcher({
      source,
      concurrency: 1,
      handlerTimeoutMs: 1000,
      clock: new FakeClock(),
      historyOf: untouched,
      nameOf: (item) => item,
      handle: async (item) => {
        started.push(item);
      },
      emit: () => {},
    });
    dispatcher.wake();
    await settle();
    expect(started).toEqual([]);
    dispatcher.start();
    expect(started).toEqual(['a']);
  });

  it('are `concurrency` at most, and filled again as soon as one is free', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.push('a', 'b', 'c', 'd');
    expect(bench.started).toEqual(['a', 'b']);
    expect(bench.dispatcher.counts).toEqual({ running: 2, hung: 0 });
    await bench.end('b');
    expect(bench.started).toEqual(['a', 'b', 'c']);
  });

  it('take together what starts together, before any of its handlers runs', async () => {
    const bench = new Bench({ concurrency: 3 });
    bench.push('a', 'b', 'c', 'd', 'e');
    expect(bench.source.taken).toEqual([['a', 'b', 'c']]);
    await bench.end('a', 'b');
    expect(bench.source.taken).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('take what has become ready by settling', async () => {
    const bench = new Bench();
    bench.source.whenSettled = (item) => {
      if (item === 'a1') bench.source.waiting.push('a2');
    };
    bench.push('a1');
    await bench.end('a1');
    expect(bench.started).toEqual(['a1', 'a2']);
  });

  it('do not let a handler that is slow delay the others', async () => {
    const bench = new Bench({
      concurrency: 2,
      handle: (item) => (item === 'slow' ? new Promise<void>(() => {}) : Promise.resolve()),
    });
    bench.push('slow', ...fifty);
    await settle();
    expect(bench.settled).toHaveLength(50);
    expect(bench.dispatcher.counts).toEqual({ running: 1, hung: 0 });
  });

  it('let the event loop turn while handlers that never wait run one after the other', async () => {
    const bench = busyBench();
    bench.push(...fifty);
    let turns = 0;
    let mostInOneTurn = 0;
    for (let before = 0; bench.settled.length < 50 && turns < 100; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      mostInOneTurn = Math.max(mostInOneTurn, bench.settled.length - before);
      before = bench.settled.length;
    }
    expect(bench.settled).toHaveLength(50);
    // 3 handlers of 4 ms fill a slice of 10 ms; a turn as counted here may see the end of one slice and the next.
    expect(mostInOneTurn).toBeLessThanOrEqual(6);
  });

  it('do not take such a pause for the end of a drain', async () => {
    const bench = busyBench();
    bench.push(...fifty.map((item) => `${item}!`));
    expect(await bench.drain()).toEqual([]);
    expect(bench.settled).toHaveLength(50);
  });

  it('do not keep the event loop awake once there is nothing to start', async () => {
    const bench = new Bench({ handle: () => Promise.resolve() });
    bench.push('a', 'b');
    await settle();
    expect(bench.settled).toHaveLength(2);
    expect(process.getActiveResourcesInfo()).not.toContain('Immediate');
  });

  it('cost nothing while all of them are taken', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.push('a', 'b');
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

describe('the latest end of the step at work', () => {
  it('is the next timeout of a running handler, and none where there is nothing to do', async () => {
    const bench = new Bench();
    expect(bench.dispatcher.latestEnd).toBe(Number.POSITIVE_INFINITY);
    bench.push('a');
    expect(bench.dispatcher.latestEnd).toBe(1000);
    await bench.clock.advance(1000);
    expect(bench.dispatcher.latestEnd).toBe(1100);
  });

  it('has passed where an item could start and nobody was woken', () => {
    const bench = new Bench();
    bench.source.waiting.push('a');
    expect(bench.dispatcher.latestEnd).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('a listener that throws', () => {
  it('changes nothing for the items it is told of', async () => {
    const bench = new Bench({
      handle: (item) => (item === 'fails' ? Promise.reject(new Error('broken')) : Promise.resolve()),
      emit: () => {
        throw new Error('the log is broken');
      },
    });
    bench.push('fails', 'a', 'b');
    await settle();
    expect(bench.settled).toHaveLength(3);
    expect(bench.settled).toContain('fails failed');
    expect(await bench.drain()).toEqual([]);
  });

  it('neither stalls timeouts nor a drain', async () => {
    const bench = new Bench({
      emit: () => {
        throw new Error('the log is broken');
      },
    });
    bench.push('a', 'b');
    await bench.clock.advance(1100);
    expect(bench.settled).toEqual(['a timed-out', 'b timed-out']);
    bench.push('c');
    expect(await bench.drain(AbortSignal.abort('late'))).toMatchObject([{ item: 'c' }]);
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
    });
    bench.source.whenSettled = (item, result, reason) => errors.push([item, result, reason]);
    bench.push('a1', 'a2', 'b1');
    await settle();
    expect(errors).toHaveLength(3);
    expect(errors).toContainEqual(['a1', 'failed', error]);
    expect(errors).toContainEqual(['a2', 'handled', undefined]);
    expect(bench.events).toEqual([
      { event: 'handler.failed', item: 'a1', durationMs: 0, error, caught: false },
    ]);
    expect(bench.dispatcher.counts).toEqual({ running: 0, hung: 0 });
  });

  it('counts as failed whatever it throws, undefined too', async () => {
    const bench = new Bench({ handle: () => Promise.reject(undefined) });
    bench.push('a1');
    await settle();
    expect(bench.settled).toEqual(['a1 failed']);
    expect(bench.events).toMatchObject([{ event: 'handler.failed', error: undefined }]);
  });

  it('does not run out of stack when thousands throw at once, each refilled from `settle`', async () => {
    let left = 20_000;
    const bench = new Bench({
      concurrency: 1,
      handle: () => {
        throw new Error('at once');
      },
      emit: () => {},
    });
    bench.source.whenSettled = () => {
      if (--left > 0) bench.push('a');
    };
    bench.push('a');
    for (let turn = 0; left > 0 && turn < 1000; turn++) await settle();
    expect(bench.settled).toHaveLength(20_000);
  });

  it('tells when `settle` throws, and goes on', async () => {
    const fault = new Error('no such entry');
    const bench = new Bench({ handle: () => Promise.resolve() });
    bench.source.whenSettled = () => {
      throw fault;
    };
    bench.push('a1', 'a2');
    await settle();
    expect(bench.events).toEqual([
      { event: 'dispatch.fault', item: 'a1', error: fault },
      { event: 'dispatch.fault', item: 'a2', error: fault },
    ]);
  });
});

describe('a failure that passes', () => {
  const gone = new Error('gone');
  const failing = (options: Partial<DispatcherOptions<string>> = {}) =>
    new Bench({
      failureOf: (error) => (error === gone ? { kind: 'unreachable' } : { kind: 'error' }),
      random: () => 1,
      ...options,
    });

  it('has the item put back, not settled, and told; the slot is free', async () => {
    const bench = failing({ concurrency: 1 });
    bench.push('a', 'b');
    bench.call('a').reject(gone);
    await settle();
    expect(bench.source.putBacks).toEqual(['a 1000']);
    expect(bench.settled).toEqual([]);
    expect(bench.events).toEqual([
      {
        event: 'handler.put-back',
        item: 'a',
        durationMs: 0,
        error: gone,
        failure: 'unreachable',
        delayMs: 1_000,
      },
    ]);
    expect(bench.started).toEqual(['a', 'b']);
  });

  it('is asked for while the handler runs, with the same answer as in the end', async () => {
    const asked: boolean[] = [];
    let turn = 0;
    const bench = failing({
      random: () => turn++ / 10,
      handle: async (_, run) => {
        asked.push(run.isPutBack(gone), run.isPutBack(gone), run.isPutBack(new Error('other')));
        throw gone;
      },
    });
    bench.push('a');
    await settle();
    expect(asked).toEqual([true, true, false]);
    expect(bench.source.putBacks).toHaveLength(1);
  });

  it('gives up what is too old to be answered', async () => {
    const bench = failing({ historyOf: () => ({ putBacks: 50, retries: 0, acceptedAtMs: 0 }) });
    bench.push('a');
    bench.call('a').reject(gone);
    await settle();
    expect(bench.settled).toEqual(['a expired']);
  });

  it("gives nothing up because the system's clock is set forward", async () => {
    let wallMs = 0;
    const bench = failing({
      now: () => wallMs,
      historyOf: () => ({ putBacks: 0, retries: 0, acceptedAtMs: 0 }),
    });
    bench.push('a');
    wallMs = 50 * 365 * 24 * 60 * 60 * 1_000;
    bench.call('a').reject(gone);
    await settle();
    expect(bench.settled).toEqual([]);
    expect(bench.source.putBacks).toEqual(['a 1000']);
  });

  it('tries an error again as often as it should, and then gives up', async () => {
    let retries = 0;
    const bench = failing({
      retries: 2,
      historyOf: () => ({ putBacks: 9, retries, acceptedAtMs: Date.now() }),
    });
    for (; retries <= 2; retries++) {
      bench.push(`a${retries}`);
      bench.call(`a${retries}`).reject(new Error('database'));
      await settle();
    }
    expect(bench.source.putBacks).toEqual(['a0 5000 retry', 'a1 10000 retry']);
    expect(bench.settled).toEqual(['a2 failed']);
  });

  it('leaves to the next run what fails amid a stop', async () => {
    const bench = failing();
    bench.push('a');
    const draining = bench.drain();
    bench.call('a').reject(new Error('child: SIGINT'));
    expect(await draining).toEqual([]);
    expect([bench.settled, bench.source.putBacks]).toEqual([[], []]);
    expect(bench.eventsNamed('handler.put-back')).toMatchObject([
      { failure: 'stopping', delayMs: undefined },
    ]);
  });

  it('has failed amid a stop where the source has no next run', async () => {
    const bench = failing();
    bench.source.outlivesRun = false;
    bench.push('a');
    const draining = bench.drain();
    bench.call('a').reject(new Error('child: SIGINT'));
    expect(await draining).toEqual([]);
    expect(bench.settled).toEqual(['a failed']);
  });

  it('is no failure for the caller where the bot has taken the error, which is told', async () => {
    const bench = failing({ handle: async () => ({ caught: gone }) });
    bench.push('a');
    await settle();
    expect(bench.settled).toEqual(['a caught']);
    expect(bench.events).toMatchObject([{ event: 'handler.failed', caught: true, error: gone }]);
  });
});

describe('a hold', () => {
  it('starts no new handler, lets running ones end, and goes on where it stopped', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.push('a', 'b', 'c');
    bench.dispatcher.hold();
    bench.dispatcher.hold();
    await bench.clock.advance(500);
    await bench.end('a', 'b');
    expect(bench.started).toEqual(['a', 'b']);
    expect(bench.dispatcher.latestEnd).toBe(Number.POSITIVE_INFINITY);
    bench.dispatcher.resume();
    bench.dispatcher.resume();
    expect(bench.started).toEqual(['a', 'b', 'c']);
    expect(bench.events).toEqual([
      { event: 'dispatch.held', running: 2, waiting: 1 },
      { event: 'dispatch.resumed', heldMs: 500, waiting: 1 },
    ]);
  });

  it('takes a call that waited until the time was up for what it is', async () => {
    const bench = new Bench({ failureOf: () => ({ kind: 'error' }), random: () => 1 });
    bench.push('a');
    bench.dispatcher.hold();
    await bench.clock.advance(1_000);
    const { signal, reject } = bench.call('a');
    reject(signal.reason);
    await settle();
    expect(bench.source.putBacks).toEqual(['a 1000']);
  });

  it('takes it for that, too, where the call goes on waiting after the hold', async () => {
    const bench = new Bench({ failureOf: () => ({ kind: 'error' }), random: () => 1 });
    bench.push('a');
    bench.dispatcher.hold();
    await bench.clock.advance(500);
    bench.dispatcher.resume();
    bench.push('b');
    for (const item of ['a', 'b']) {
      await bench.clock.advance(500);
      const { signal, reject } = bench.call(item);
      reject(signal.reason);
      await settle();
    }
    expect(bench.source.putBacks).toEqual(['a 1000']);
    expect(bench.settled).toEqual(['b failed']);
  });

  it('does not keep a drain from what its source must hand out', async () => {
    const bench = new Bench();
    bench.dispatcher.hold();
    bench.push('a!');
    const draining = bench.drain();
    await bench.end('a!');
    expect(await draining).toEqual([]);
  });
});

describe('the signal of a run', () => {
  it('is made for handlers that read it, and only for them', async () => {
    const made = jest.spyOn(globalThis, 'AbortController');
    try {
      const signals: AbortSignal[] = [];
      const source = new Waiting();
      source.waiting.push('a', 'b', 'reads', 'c');
      const dispatcher = new Dispatcher<string>({
        concurrency: 10,
        handlerTimeoutMs: 1000,
        clock: new FakeClock(),
        source,
        historyOf: untouched,
        nameOf: (item) => item,
        async handle(item, run) {
          if (item === 'reads') signals.push(run.signal, run.signal);
        },
        emit: () => {},
      });
      dispatcher.start();
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
    bench.push('a1');
    await bench.clock.advance(1000);
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(runs[0]?.signal.reason).toMatchObject({ code: 'HANDLER_TIMED_OUT' });
  });
});

describe('a handler past its time', () => {
  it('has its signal aborted with an error that names the update, and a warning is told', async () => {
    const bench = new Bench();
    bench.push('a1');
    await bench.clock.advance(999);
    expect(bench.call('a1').signal.aborted).toBe(false);
    await bench.clock.advance(1);
    const { reason } = bench.call('a1').signal;
    expect(reason).toBeInstanceOf(LastcallError);
    expect(reason).toMatchObject({ code: 'HANDLER_TIMED_OUT', culprit: 'update a1' });
    expect(reason.message).toBe('the handler of update a1 has run for 1000 ms');
    expect(bench.events).toEqual([
      { event: 'handler.timed-out', item: 'a1', durationMs: 1000, error: reason },
    ]);
    expect(bench.started).toEqual(['a1']);
    expect(bench.settled).toEqual([]);
  });

  it('is settled by what it does within the grace', async () => {
    const bench = new Bench();
    bench.push('a1', 'b1');
    await bench.clock.advance(1099);
    await bench.end('a1');
    bench.call('b1').reject(bench.call('b1').signal.reason);
    await settle();
    expect(bench.settled).toEqual(['a1 handled', 'b1 failed']);
    await bench.clock.advance(10_000);
    expect(bench.settled).toHaveLength(2);
    expect(bench.dispatcher.counts.hung).toBe(0);
  });

  it('is settled as timed out after the grace; its slot is free', async () => {
    const reasons: unknown[] = [];
    const bench = new Bench({ concurrency: 1 });
    bench.source.whenSettled = (item, result, error) => reasons.push([item, result, error]);
    bench.push('a1', 'a2', 'b1');
    await bench.clock.advance(1099);
    expect(bench.started).toEqual(['a1']);
    await bench.clock.advance(1);
    expect(reasons).toEqual([['a1', 'timed-out', bench.call('a1').signal.reason]]);
    expect(bench.eventsNamed('handler.hung')).toEqual([
      { event: 'handler.hung', item: 'a1', durationMs: 1100, hung: 1 },
    ]);
    expect(bench.dispatcher.counts).toEqual({ running: 1, hung: 1 });
    await bench.end('a2');
    expect(bench.started).toEqual(['a1', 'a2', 'b1']);
  });

  it.each([
    ['returns', undefined],
    ['rejects', new Error('late')],
  ])('that %s after all is told and no longer counted as hung, nor settled again', async (_, error) => {
    const bench = new Bench();
    bench.push('a1');
    await bench.clock.advance(1500);
    expect(bench.dispatcher.counts.hung).toBe(1);
    if (error) bench.call('a1').reject(error);
    else bench.call('a1').resolve();
    await settle();
    expect(bench.events.at(-1)).toEqual({
      event: 'handler.ended-late',
      item: 'a1',
      durationMs: 1500,
      ...(error && { error }),
    });
    expect(bench.settled).toEqual(['a1 timed-out']);
    expect(bench.dispatcher.counts).toEqual({ running: 0, hung: 0 });
  });

  it('is a fault when more of them than `concurrency` are alive; told once', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.push('a1', 'b1', 'c1', 'd1', 'e1', 'f1');
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
    const source = new Waiting();
    source.waiting.push('a');
    const dispatcher = new Dispatcher<string>({
      source,
      concurrency: 1,
      handlerTimeoutMs: 1000,
      clock,
      historyOf: untouched,
      nameOf: (item) => item,
      handle: () => new Promise(() => {}),
      emit: () => {},
    });
    dispatcher.start();
    await clock.advance(10_999);
    expect(source.settled).toEqual([]);
    await clock.advance(1);
    expect(source.settled).toEqual(['a timed-out']);
  });

  it('leaves one timer for all handlers, not one for each', async () => {
    const bench = new Bench();
    bench.push('a1', 'b1', 'c1');
    expect(bench.clock.pending).toBe(1);
  });
});

describe('a drain', () => {
  it('lets running handlers end and starts nothing that waits', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.push('a1', 'b1', 'a2', 'c1');
    let drained = false;
    const draining = bench.drain();
    void draining.then(() => {
      drained = true;
    });
    expect(bench.events).toEqual([{ event: 'drain.started', running: 2, waiting: 2 }]);
    await bench.end('b1');
    expect(drained).toBe(false);
    await bench.end('a1');
    expect(drained).toBe(true);
    expect(await draining).toEqual([]);
    expect(bench.started).toEqual(['a1', 'b1']);
    expect(bench.settled).toEqual(['b1 handled', 'a1 handled']);
    expect(bench.clock.pending).toBe(0);
  });

  it('resolves at once when nothing runs', async () => {
    const bench = new Bench();
    expect(await bench.drain()).toEqual([]);
  });

  it('starts what its source hands out even then, and waits for it', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.push('a', 'b', 'c!', 'd', 'e!');
    const draining = bench.drain();
    await bench.end('a');
    expect(bench.started).toEqual(['a', 'b', 'c!']);
    await bench.end('b', 'c!');
    await bench.end('e!');
    expect(await draining).toEqual([]);
    expect(bench.started).toEqual(['a', 'b', 'c!', 'e!']);
  });

  it('takes nothing more once it has ended', async () => {
    const bench = new Bench();
    await bench.drain();
    bench.push('a!');
    bench.dispatcher.start();
    await settle();
    expect(bench.started).toEqual([]);
  });

  it('before the start resolves at once and takes nothing', async () => {
    const source = new Waiting();
    source.waiting.push('a!');
    const dispatcher = new Dispatcher<string>({
      source,
      concurrency: 1,
      handlerTimeoutMs: 1000,
      clock: new FakeClock(),
      historyOf: untouched,
      nameOf: (item) => item,
      handle: () => Promise.reject(new Error('must not run')),
      emit: () => {},
    });
    expect(await dispatcher.drain(never)).toEqual([]);
    dispatcher.start();
    expect(source.waiting).toEqual(['a!']);
  });

  it('aborts at its latest end what still runs: named, not settled, left to the next run', async () => {
    const bench = new Bench({ concurrency: 2 });
    const latestEnd = new AbortController();
    bench.push('a1', 'b1', 'b2', 'c1!');
    await bench.clock.advance(10);
    const draining = bench.drain(latestEnd.signal);
    await bench.end('a1');
    await bench.clock.advance(20);
    const reason = new LastcallError('DRAIN_OVERDUE', 'drain', 'the drain is overdue');
    latestEnd.abort(reason);

    const aborted = [
      { item: 'b1', durationMs: 30 },
      { item: 'c1!', durationMs: 20 },
    ];
    expect(await draining).toEqual(aborted);
    expect(bench.eventsNamed('drain.overdue')).toEqual([{ event: 'drain.overdue', aborted }]);
    expect(bench.call('b1').signal.reason).toBe(reason);
    expect(bench.call('c1!').signal.reason).toBe(reason);
    expect(bench.clock.pending).toBe(0);

    await bench.end('b1');
    bench.call('c1!').reject(reason);
    await settle();
    expect(bench.settled).toEqual(['a1 handled']);
    expect(bench.eventsNamed('handler.ended-late').map(({ item }) => item)).toEqual(['b1', 'c1!']);
    expect(bench.started).toEqual(['a1', 'b1', 'c1!']);
  });

  it('with a latest end that has passed aborts at once and starts nothing', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.push('a1', 'b1');
    const draining = bench.drain(AbortSignal.abort('late'));
    expect(bench.call('a1').signal.reason).toBe('late');
    expect(await draining).toEqual([{ item: 'a1', durationMs: 0 }]);
    await bench.end('a1');
    expect(bench.started).toEqual(['a1']);
  });

  it('starts nothing more when a handler ends it while others of its group are about to start', async () => {
    const latestEnd = new AbortController();
    const started: string[] = [];
    const bench = new Bench({
      concurrency: 2,
      handle: async (item) => {
        started.push(item);
        if (item === 'b!') latestEnd.abort('hastened');
        await new Promise(() => {});
      },
    });
    bench.source.waiting.push('b!', 'c!', 'd!');
    const draining = bench.drain(latestEnd.signal);
    expect((await draining).map(({ item }) => item)).toEqual(['b!', 'c!']);
    await settle();
    expect(started).toEqual(['b!']);
    expect(bench.source.waiting).toEqual(['d!']);
    expect(bench.dispatcher.counts.running).toBe(0);
    expect(bench.clock.pending).toBe(0);
  });

  it('says nothing of being overdue when nothing ran at its latest end', async () => {
    const bench = new Bench();
    await bench.drain(AbortSignal.abort());
    expect(bench.eventsNamed('drain.overdue')).toEqual([]);
  });

  it('goes on limiting the time of handlers, and does not wait for one that was given up', async () => {
    const bench = new Bench();
    bench.push('a1', 'b1');
    await bench.clock.advance(500);
    const draining = bench.drain();
    await bench.end('b1');
    await bench.clock.advance(600);
    expect(await draining).toEqual([]);
    expect(bench.settled).toEqual(['b1 handled', 'a1 timed-out']);
    expect(bench.clock.pending).toBe(0);
  });

  it('cuts a handler in its grace like any other, without settling it', async () => {
    const bench = new Bench();
    const latestEnd = new AbortController();
    bench.push('a1');
    await bench.clock.advance(1050);
    const draining = bench.drain(latestEnd.signal);
    latestEnd.abort();
    expect(await draining).toEqual([{ item: 'a1', durationMs: 1050 }]);
    await bench.clock.advance(1000);
    expect(bench.settled).toEqual([]);
  });

  it('happens once: a second call gives the same promise', async () => {
    const bench = new Bench();
    bench.push('a1');
    const draining = bench.drain();
    expect(bench.drain(AbortSignal.abort())).toBe(draining);
    expect(bench.call('a1').signal.aborted).toBe(false);
    await bench.end('a1');
    expect(await draining).toEqual([]);
    expect(bench.eventsNamed('drain.started')).toHaveLength(1);
  });

  it('lets go of the signal it was given', async () => {
    const bench = new Bench();
    const latestEnd = new AbortController();
    bench.push('a1');
    const draining = bench.drain(latestEnd.signal);
    await bench.end('a1');
    await draining;
    expect(getEventListeners(latestEnd.signal, 'abort')).toEqual([]);
    latestEnd.abort();
    expect(bench.eventsNamed('drain.overdue')).toEqual([]);
    expect(bench.call('a1').signal.aborted).toBe(false);
  });
});

describe('what is told of the time of handlers', () => {
  it('is how long each ran, however it ended, and once', async () => {
    const times: (readonly [number, number])[] = [];
    const b = new Bench({ timed: (_item, durationMs, now) => times.push([durationMs, now]) });
    b.push('a', 'b', 'c');
    await b.clock.advance(30);
    await b.end('a');
    b.call('b').reject(new Error('no'));
    await settle();
    expect(times).toEqual([
      [30, 30],
      [30, 30],
    ]);
    await b.clock.advance(1_100);
    expect(times.at(-1)?.[0]).toBe(1_100);
    await b.end('c');
    expect(times).toHaveLength(3);
  });

  it('is until when those that run may run: for their time and the grace after it', async () => {
    const b = new Bench();
    expect(b.dispatcher.runningUntil).toBe(Number.NEGATIVE_INFINITY);
    b.push('a');
    await b.clock.advance(400);
    b.push('b');
    expect(b.dispatcher.runningUntil).toBe(400 + 1_000 + 100);
    await b.end('b');
    expect(b.dispatcher.runningUntil).toBe(1_100);
    await b.clock.advance(650);
    expect(b.dispatcher.runningUntil).toBe(1_100);
  });
});
