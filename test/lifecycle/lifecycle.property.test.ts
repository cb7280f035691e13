/** Random hooks, budgets and moments: what must hold of every run whatsoever. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../src/clock.js';
import type { LifecycleEvent } from '../../src/lifecycle/events.js';
import type { Hook, HookContext } from '../../src/lifecycle/hook.js';
import { Lifecycle, type LifecycleState } from '../../src/lifecycle/lifecycle.js';
import type { Outcome, Phase } from '../../src/lifecycle/outcome.js';
import { FakeClock } from '../support/fake-clock.js';

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** How somebody else's code may behave; more often well than not. */
const behaviour = fc.record({
  ms: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
  end: fc.oneof(
    { weight: 3, arbitrary: fc.constant('resolves') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('rejects', 'throws', 'hangs', 'asks for the stop', 'awaits the stop'),
    },
  ),
  heeds: fc.boolean(),
});
const limitMs = maybe(fc.constantFrom(0, 300, 2_000, Number.POSITIVE_INFINITY));
const part = fc.record({
  start: maybe(behaviour),
  stop: maybe(behaviour),
  startTimeoutMs: limitMs,
  stopTimeoutMs: limitMs,
  stopLatestEndMs: limitMs,
});
const latestMomentMs = 12_000;
const momentMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: latestMomentMs }));
const scenario = fc.record({
  /** `adds`: what the hook's start adds. */
  hooks: fc.array(fc.record({ own: part, adds: fc.array(part, { maxLength: 2 }) }), { maxLength: 5 }),
  startTimeoutMs: fc.constantFrom(0, 1_000, 10_000),
  stopTimeoutMs: fc.oneof(fc.constantFrom(0, 1_600, 90_000), fc.integer({ min: 1, max: 15_000 })),
  stopsAtMs: fc.array(momentMs, { minLength: 1, maxLength: 3 }),
  hastenAtMs: maybe(momentMs),
  abortAtMs: maybe(momentMs),
  stopAfterMs: maybe(momentMs),
});

interface Recording {
  readonly outcome: Outcome | undefined;
  /** In the order in which their turns would come. */
  readonly hooks: readonly Hook[];
  readonly stopCalls: readonly string[];
  readonly states: readonly LifecycleState[];
  readonly events: readonly { readonly at: number; readonly told: LifecycleEvent }[];
  readonly pendingTimers: number;
}

/** Plays a scenario to the moment by which it must have ended, and records all that matters. */
async function play(given: Of<typeof scenario>): Promise<Recording> {
  const clock = new FakeClock();
  const ownClock = new CountingClock(clock);
  const events: { at: number; told: LifecycleEvent }[] = [];
  const states: LifecycleState[] = ['idle'];
  const stopCalls: string[] = [];
  const lifecycle = new Lifecycle({
    startTimeoutMs: given.startTimeoutMs,
    stopTimeoutMs: given.stopTimeoutMs,
    clock: ownClock,
    emit: (told) => {
      events.push({ at: clock.now(), told });
      if (states.at(-1) !== lifecycle.state) states.push(lifecycle.state);
    },
  });

  function behave(how: Of<typeof behaviour>, context: HookContext): Promise<unknown> {
    if (how.end === 'throws') throw new Error('throws');
    return work(how, context);
  }

  async function work({ ms, end, heeds }: Of<typeof behaviour>, context: HookContext): Promise<unknown> {
    const signal = heeds ? context.signal : undefined;
    await clock.sleep(ms, signal);
    if (end === 'hangs') await clock.sleep(1_000_000, signal);
    if (end === 'rejects') throw new Error('rejects');
    if (end === 'asks for the stop') void lifecycle.stop();
    return end === 'awaits the stop' ? lifecycle.stop() : undefined;
  }

  function build(name: string, from: Of<typeof part>, adds: readonly Hook[] = []): Hook {
    const { start, stop, startTimeoutMs, stopTimeoutMs, stopLatestEndMs } = from;
    return {
      name,
      ...(startTimeoutMs !== undefined && { startTimeoutMs }),
      ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
      ...(stopLatestEndMs !== undefined && { stopLatestEndMs: () => stopLatestEndMs }),
      ...(start && {
        start(context) {
          for (const hook of adds) lifecycle.add(hook);
          return behave(start, context);
        },
      }),
      ...(stop && {
        stop(context) {
          stopCalls.push(name);
          return behave(stop, context);
        },
      }),
    };
  }

  const hooks = given.hooks.flatMap(({ own, adds }, index) => {
    const added = adds.map((add, nth) => build(`${index}.${nth}`, add));
    const hook = build(`${index}`, own, added);
    lifecycle.add(hook);
    return hook.start ? [hook, ...added] : [hook];
  });

  const caller = new AbortController();
  for (const atMs of given.stopsAtMs) clock.after(atMs, () => void lifecycle.stop());
  if (given.hastenAtMs !== undefined) clock.after(given.hastenAtMs, () => lifecycle.hasten());
  if (given.abortAtMs !== undefined) clock.after(given.abortAtMs, () => caller.abort());
  const { stopAfterMs } = given;
  const run = lifecycle.run({ signal: caller.signal, ...(stopAfterMs !== undefined && { stopAfterMs }) });
  let outcome: Outcome | undefined;
  let pendingTimers = Number.NaN;
  void run.then((value) => {
    outcome = value;
    pendingTimers = ownClock.pending;
  });
  await clock.advance(latestMomentMs + given.stopTimeoutMs);
  return { outcome, hooks, stopCalls, states, events, pendingTimers };
}

/** Budgets are cut into shares, which need not be whole milliseconds. */
const roundingMs = 1e-6;

const invariants: {
  readonly [promise: string]: (record: Recording, outcome: Outcome, given: Of<typeof scenario>) => void;
} = {
  'states only ever move forward'({ states }) {
    const forward: LifecycleState[] = ['idle', 'starting', 'running', 'stopping', 'stopped'];
    expect(states).toEqual(forward.filter((state) => states.includes(state)));
    expect(states.at(-1)).toBe('stopped');
  },

  'the outcome is the last word'({ events }, outcome) {
    expect(events.at(-1)?.told).toEqual({ event: 'lifecycle.stopped', ...outcome });
  },

  'hooks start in order'({ hooks, events }) {
    const begun = events.flatMap(({ told }) => (told.event === 'hook.starting' ? [told.hook] : []));
    expect(begun).toEqual(namesOf(hooks).filter((name) => begun.includes(name)));
  },

  'hooks stop in reverse, each once'({ hooks, stopCalls }) {
    const inReverse = namesOf(hooks).reverse();
    expect(stopCalls).toEqual(inReverse.filter((name) => stopCalls.includes(name)));
  },

  'every hook that has started is stopped, and no other'({ hooks, stopCalls, states }, { phases }) {
    const started = phases
      .filter(({ step, result }) => step === 'start' && result === 'done')
      .map(({ hook }) => hook);
    for (const { name, start, stop } of hooks) {
      if (!stop) continue;
      if (start) expect(stopCalls.includes(name)).toBe(started.includes(name));
      else if (states.includes('running')) expect(stopCalls).toContain(name);
    }
  },

  'no two steps overlap'({ events }) {
    const steps = events.filter(({ told }) => 'hook' in told);
    for (const [index, { told }] of steps.entries()) {
      const begins = told.event === 'hook.starting' || told.event === 'hook.stopping';
      expect(begins).toBe(index % 2 === 0);
    }
  },

  'the stop keeps to its budget'(_record, { stopDurationMs }, { stopTimeoutMs }) {
    expect(stopDurationMs).toBeLessThanOrEqual(stopTimeoutMs + roundingMs);
  },

  'a start has ended a second after the stop was asked'({ events }) {
    const stoppingAt = momentOf('lifecycle.stopping', events);
    for (const { at, step } of stepEnds(events))
      if (step === 'start') expect(at).toBeLessThanOrEqual(stoppingAt + 1_000 + roundingMs);
  },

  'a stop has ended a second after it was hastened'({ events }) {
    const hastenedAt = momentOf('lifecycle.hastened', events);
    for (const { at, begunAt, step } of stepEnds(events))
      if (step === 'stop') expect(at).toBeLessThanOrEqual(Math.max(begunAt, hastenedAt) + 1_000 + roundingMs);
  },

  'the exit code fits the phases, or else the reason'(_recording, { phases, clean, exitCode, reason }) {
    const bad = phases.some(({ result }) => result === 'failed' || result === 'cut');
    expect([clean, exitCode]).toEqual([!bad, bad || reason.kind === 'start-failed' ? 1 : 0]);
  },

  'no timer is left when it ends'({ pendingTimers }) {
    expect(pendingTimers).toBe(0);
  },
};

describe('whatever the hooks do and whenever a stop is asked', () => {
  it.each(Object.entries(invariants))('%s', async (_promise, holds) => {
    const always = fc.asyncProperty(scenario, async (given) => {
      const record = await play(given);
      if (!record.outcome) throw new Error('the run has not ended');
      holds(record, record.outcome, given);
    });
    await fc.assert(always, { numRuns: 100 });
  });
});

function namesOf(hooks: readonly Hook[]): string[] {
  return hooks.map(({ name }) => name);
}

function momentOf(event: LifecycleEvent['event'], events: Recording['events']): number {
  return events.find(({ told }) => told.event === event)?.at ?? Number.POSITIVE_INFINITY;
}

function stepEnds(events: Recording['events']): { at: number; begunAt: number; step: Phase['step'] }[] {
  return events.flatMap(({ at, told }) => {
    if (!('hook' in told && 'durationMs' in told)) return [];
    const step = 'step' in told ? told.step : told.event === 'hook.stopped' ? 'stop' : 'start';
    return [{ at, begunAt: at - told.durationMs, step }];
  });
}

/** Counts the timers that the lifecycle itself has set, apart from those of its hooks. */
class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<symbol>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }

  after(ms: number, callback: () => void): () => void {
    const timer = Symbol();
    if (ms !== Number.POSITIVE_INFINITY) this.#timers.add(timer);
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(timer);
      callback();
    });
    return () => {
      this.#timers.delete(timer);
      cancel();
    };
  }
}
