/** What a bot's parts tell the watchdog together: that there is progress, or that there is none. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Telegraf } from 'telegraf';
import type { PostgresUrl } from '../src/config/inbox-setting.js';
import { unsupervised } from '../src/host/supervisor.js';
import { newCounters } from '../src/inbox/counters.js';
import { Health } from '../src/observe/health.js';
import { Pipeline } from '../src/pipeline.js';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.js';
import type { SharedInbox } from '../src/shared-inbox.js';
import { MemoryDisk } from './inbox/log/memory-disk.js';
import { FakeClock, settle } from './support/fake-clock.js';

const MINUTE_MS = 60_000;
const WATCHDOG_MS = 30_000;
/** By how much a step may outlast its latest end. */
const LENIENCE_MS = 5_000;
/** The long poll, and what its answer may take beyond that. */
const POLL_WITHIN_MS = 60_000;
const HANDLER_TIMEOUT_MS = 90_000;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** A bot at work under a watchdog, with a clock that stands still and a disk in memory. */
function setUp({
  disk = new MemoryDisk(),
  inboxLimit = 1_000,
  shared = undefined as SharedInbox | undefined,
} = {}) {
  const clock = new FakeClock();
  const events: string[] = [];
  const begun: (() => void)[] = [];
  let fedAt: number | undefined;
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  // Each handler works until it is told to end.
  bot.on('text', () => new Promise<void>((resolve) => begun.push(resolve)));
  const pipeline = new Pipeline({
    bot,
    key: 'the-bot',
    hasPolledBefore: () => false,
    settings: {
      inbox: shared ? ('postgres://a-host/a-database' as PostgresUrl) : 'journal',
      stateDir: '/state',
      durability: 'power',
      maxAttempts: 3,
      retries: 0,
      deadLimit: 100_000,
      deadAgeMs: 2_592_000_000,
      inboxLimit,
      allowedUpdates: [],
      dropPending: false,
      deleteWebhook: true,
      pollTimeoutMs: 50_000,
      conflictPatienceMs: 0,
      confirmTimeoutMs: 1_000,
      order: 'chat',
      concurrency: 8,
      handlerTimeoutMs: HANDLER_TIMEOUT_MS,
    },
    clock,
    disk,
    createSharedInbox: shared && (() => shared),
    connected() {},
    errorText: String,
    emit(event) {
      events.push(event.event);
      health.observe(event, 1);
    },
  });
  const health = new Health({
    clock,
    activity: () => pipeline.gauges.activity,
    pollTimeoutMs: 50_000,
    readyWithinMs: 60_000,
    redact: String,
    supervisor: {
      ...unsupervised,
      kind: 'systemd',
      watchdogMs: WATCHDOG_MS,
      ping() {
        fedAt = clock.now();
      },
    },
  });
  health.observe({ event: 'lifecycle.starting' });
  health.observe({ event: 'lifecycle.running', durationMs: 1 });
  void pipeline.poll();
  return {
    clock,
    disk,
    begun,
    pipeline,
    /** Lets time pass; resolves to for how long, at its end, the watchdog has had nothing. */
    async hungerAfter(ms: number): Promise<number> {
      await clock.advance(ms);
      return clock.now() - (fedAt ?? 0);
    },
    /** Resolves once it has told of that. */
    async tells(event: string): Promise<void> {
      const patience = performance.now() + 10_000;
      while (!events.includes(event)) {
        if (performance.now() > patience) throw new Error(`it told ${events}, and not ${event}`);
        await settle();
      }
    },
    async [Symbol.asyncDispose]() {
      health.close();
      disk.releaseSyncs();
      pipeline.stopIntake();
      const drained = pipeline.drain(AbortSignal.abort(), () => 'stop');
      await clock.advance(POLL_WITHIN_MS);
      await drained;
      pipeline.close();
    },
  };
}

type Bench = ReturnType<typeof setUp>;

/** Resolves once the next long poll waits at Telegram. */
async function polling(bench: Bench): Promise<void> {
  await bench.tells('poll.started');
  await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
}

/** Resolves once so many handlers are at work. */
async function handling({ begun }: Bench, count: number): Promise<void> {
  while (begun.length < count) await settle();
}

describe('the watchdog is fed', () => {
  it('while a poll waits, until it should have ended', async () => {
    await using bench = setUp();
    await polling(bench);
    expect(bench.pipeline.gauges.activity.latestEnd).toBe(POLL_WITHIN_MS);
  });

  it('while the inbox is full, however long, as long as handlers end or are given up', async () => {
    await using bench = setUp({ inboxLimit: 1 });
    sandbox.say('one');
    await handling(bench, 1);
    sandbox.say('two');
    await bench.tells('inbox.paused');
    expect(bench.pipeline.gauges.activity).toMatchObject({ running: 1, latestEnd: HANDLER_TIMEOUT_MS });
    expect(await bench.hungerAfter(HANDLER_TIMEOUT_MS)).toBeLessThan(WATCHDOG_MS);
    await bench.tells('handler.timed-out');
    expect(await bench.hungerAfter(10_000)).toBeLessThan(WATCHDOG_MS);
    await bench.tells('handler.hung');
    expect(await bench.hungerAfter(10 * MINUTE_MS)).toBeLessThan(WATCHDOG_MS);
  });

  it('while the disk is nearly full, and nothing is at work', async () => {
    const disk = new MemoryDisk();
    disk.free = 1_000;
    await using bench = setUp({ disk });
    sandbox.say('hello');
    await bench.tells('inbox.paused');
    expect(await bench.hungerAfter(60 * MINUTE_MS)).toBeLessThan(WATCHDOG_MS);
    disk.free = Number.MAX_SAFE_INTEGER;
    await bench.clock.advance(1_000);
    await bench.tells('inbox.resumed');
    await handling(bench, 1);
  });
});

describe('the watchdog is not fed any more', () => {
  it('once a sync hangs, be it that of a batch', async () => {
    const disk = new MemoryDisk();
    await using bench = setUp({ disk });
    await polling(bench);
    disk.holdSyncs = true;
    sandbox.say('hello');
    await bench.tells('poll.answered');
    while (bench.pipeline.gauges.activity.latestEnd !== MINUTE_MS) await settle();
    expect(await bench.hungerAfter(MINUTE_MS + LENIENCE_MS)).toBeLessThan(WATCHDOG_MS);
    expect(await bench.hungerAfter(10 * MINUTE_MS)).toBeGreaterThan(WATCHDOG_MS);
  });

  it('or that of what has settled, although polls go on', async () => {
    const disk = new MemoryDisk();
    await using bench = setUp({ disk });
    sandbox.say('hello');
    await handling(bench, 1);
    disk.holdSyncs = true;
    bench.begun[0]?.();
    await settle();
    expect(await bench.hungerAfter(MINUTE_MS + LENIENCE_MS)).toBeLessThan(WATCHDOG_MS);
    expect(await bench.hungerAfter(10 * MINUTE_MS)).toBeGreaterThan(WATCHDOG_MS);
  });

  it('once the inbox does not open', async () => {
    const disk = new MemoryDisk();
    {
      await using before = setUp({ disk });
      sandbox.say('hello');
      await handling(before, 1);
    }
    let release = () => {};
    disk.syncFile = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await using bench = setUp({ disk });
    expect(await bench.hungerAfter(MINUTE_MS + LENIENCE_MS)).toBeLessThan(WATCHDOG_MS);
    expect(await bench.hungerAfter(10 * MINUTE_MS)).toBeGreaterThan(WATCHDOG_MS);
    release();
  });
});

describe('a stop while the database does not answer', () => {
  it('leaves the inbox what is left of its time, and does not wait for the turn to poll', async () => {
    const closings: unknown[] = [];
    let closed = () => {};
    const answer = new Promise<never>((_, reject) => {
      closed = () => reject(new Error('the inbox is closed'));
    });
    const inbox: Partial<SharedInbox> = {
      open: async () => {},
      nextTurn: () => answer,
      hasReady: false,
      take: () => [],
      drain() {},
      async close(...closing) {
        closings.push(closing);
        closed();
        return { left: 0, mayRepeat: [] };
      },
      counts: { ...newCounters(), dead: 0, waiting: 0, taken: 0, mayRepeat: 0 },
    };
    const { pipeline, clock, tells } = setUp({ shared: inbox as SharedInbox });
    await tells('poll.connected');
    pipeline.stopIntake();
    const drained = pipeline.drain(new AbortController().signal, () => 'stop', 3_000);
    await clock.advance(2_000);
    await drained;
    // The time of the drain and of the confirm is 4 s, and half of it went to polling.
    expect(closings).toEqual([['stop', 2_000]]);
    pipeline.close();
  });
});

describe('a machine whose clock is an hour ahead', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('tells by its own clock since when an update has waited', async () => {
    const { now } = Date;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + 60 * MINUTE_MS);
    await using bed = setUp();
    await polling(bed);
    sandbox.say('hello');
    await handling(bed, 1);
    expect(Math.abs(Date.now() - (bed.pipeline.gauges.view.oldestAtMs ?? 0))).toBeLessThan(MINUTE_MS);
  });
});
