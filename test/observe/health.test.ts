import { describe, expect, it } from '@jest/globals';
import type { Supervisor } from '../../src/host/supervisor.js';
import { Health } from '../../src/observe/health.js';
import { FakeClock } from '../support/fake-clock.js';
import { stopping, unreachable } from './lifecycle-events.js';
import { noActivity } from './no-activity.js';

/** A health with a fake supervisor; `told` lists all calls except the statuses. */
function setUp({ watchdogMs, supervisorClock }: { watchdogMs?: number; supervisorClock?: FakeClock } = {}) {
  const clock = new FakeClock();
  const told: string[] = [];
  const statuses: string[] = [];
  const supervisor: Supervisor = {
    kind: 'systemd',
    watchdogMs,
    ready: () => void told.push('ready'),
    status: (text) => void statuses.push(text),
    extend: (ms) => void told.push(`extend ${ms}`),
    stopping: () => void told.push('stopping'),
    ping: () => void told.push(`ping ${clock.now()}`),
  };
  const activity = { ...noActivity };
  const health = new Health({
    supervisor,
    clock,
    ...(supervisorClock && { supervisorClock }),
    activity: () => activity,
    pollTimeoutMs: 50_000,
    readyWithinMs: 60_000,
    redact: (text) => text.replaceAll('SECRET', '***'),
  });
  const pings = () => told.filter((text) => text.startsWith('ping')).length;
  return { clock, told, statuses, activity, health, pings };
}

type Run = ReturnType<typeof setUp>;

function start({ health }: Run): void {
  health.observe({ event: 'lifecycle.starting' });
  health.observe({ event: 'lifecycle.running', durationMs: 10 });
}

function poll({ health }: Run): void {
  health.observe({ event: 'poll.connected', id: 1, username: 'name' }, 1);
  health.observe({ event: 'poll.answered', count: 0, durationMs: 3 }, 1);
  health.observe({ event: 'poll.started' }, 1);
}

it('pings by the time of the supervisor, which goes on while the process stands still', async () => {
  const supervisorClock = new FakeClock();
  const run = setUp({ watchdogMs: 30_000, supervisorClock });
  start(run);
  poll(run);
  await supervisorClock.advance(60_000);
  expect(run.pings()).toBeGreaterThan(2);
});

describe('readiness', () => {
  it('is reported once, when the first poll is answered', () => {
    const run = setUp();
    start(run);
    expect(run.told).not.toContain('ready');
    poll(run);
    poll(run);
    expect(run.told.filter((told) => told === 'ready')).toHaveLength(1);
  });

  it('is reported when the process stands by', () => {
    const { health, told, statuses } = setUp();
    health.observe({ event: 'lifecycle.starting' });
    health.observe({ event: 'lock.waiting', bot: 1, holder: 123 });
    expect(told).toEqual(['ready']);
    expect(statuses.at(-1)).toBe('standing by, process 123 polls');
  });
});

describe('the start', () => {
  it('asks for the time that each hook may take', () => {
    const { health, told, statuses } = setUp();
    health.observe({ event: 'lifecycle.starting' });
    health.observe({ event: 'hook.starting', hook: 'bot', limitMs: 60_000 });
    expect(told).toEqual(['extend 62000']);
    expect(statuses.at(-1)).toBe('starting bot');
  });

  it('keeps asking for time while Telegram is unreachable, until the bot is ready', async () => {
    const run = setUp();
    start(run);
    expect(run.told).toEqual(['extend 17000']);
    run.health.observe(unreachable, 1);
    await run.clock.advance(20_000);
    expect(run.told).toHaveLength(5);
    expect(run.statuses.at(-1)).toBe('Telegram unreachable for 20 s, 0 running, 0 handled');
    expect(run.told).not.toContain('ready');
    poll(run);
    const before = run.told.length;
    await run.clock.advance(60_000);
    expect(run.told).toHaveLength(before);
  });

  it('counts as succeeded a minute after all else has started, though Telegram is unreachable', async () => {
    const run = setUp();
    start(run);
    await run.clock.advance(12_000);
    run.health.observe(unreachable, 1);
    await run.clock.advance(47_999);
    expect(run.told).not.toContain('ready');
    await run.clock.advance(1);
    expect(run.told.at(-1)).toBe('ready');
    expect(run.statuses.at(-1)).toMatch(/^Telegram unreachable for /);
    await run.clock.advance(60_000);
    poll(run);
    expect(run.told.at(-1)).toBe('ready');
    expect(run.told.filter((told) => told === 'ready')).toHaveLength(1);
  });

  it('does not count as succeeded for being slow where Telegram answers', async () => {
    const run = setUp();
    start(run);
    await run.clock.advance(120_000);
    expect(run.told).not.toContain('ready');
  });

  it('does not count as succeeded once it is called off', async () => {
    const run = setUp();
    start(run);
    run.health.observe(unreachable, 1);
    run.health.observe(stopping);
    await run.clock.advance(120_000);
    expect(run.told).not.toContain('ready');
  });

  it('stops asking for time when polling has stalled', async () => {
    const run = setUp();
    start(run);
    run.activity.latestEnd = 1_000;
    await run.clock.advance(60_000);
    expect(run.told).toHaveLength(2);
  });
});

describe('the status', () => {
  it('is not sent twice', async () => {
    const run = setUp();
    run.health.observe({ event: 'lifecycle.starting' });
    run.health.observe({ event: 'lock.waiting', bot: 1, holder: undefined });
    const before = run.statuses.length;
    await run.clock.advance(60_000);
    expect(run.statuses).toHaveLength(before);
  });
});

describe('the stop', () => {
  it('is reported, with a request for the time of its budget', () => {
    const run = setUp();
    start(run);
    poll(run);
    run.health.observe(stopping);
    expect(run.told.slice(-2)).toEqual(['stopping', 'extend 20000']);
  });
});

describe('a process that stood still', () => {
  const stoodStill = { event: 'process.stood-still', ms: 30_000 } as const;

  it('asks for the time that the stop has left, because the supervisor has counted on', async () => {
    const run = setUp();
    start(run);
    poll(run);
    run.health.observe(stopping);
    await run.clock.advance(8_000);
    run.health.observe(stoodStill);
    expect(run.told.at(-1)).toBe('extend 12000');
  });

  it('asks for no time while the bot polls', () => {
    const run = setUp();
    start(run);
    poll(run);
    const before = run.told.length;
    run.health.observe(stoodStill);
    expect(run.told).toHaveLength(before);
  });
});

describe('the end', () => {
  it('sets the last status, and cancels its timer', () => {
    const run = setUp();
    start(run);
    run.health.observe({
      event: 'lifecycle.stopped',
      reason: stopping.reason,
      clean: true,
      exitCode: 0,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    });
    expect(run.statuses.at(-1)).toBe('stopped (SIGTERM), exit code 0');
    expect(run.clock.pending).toBe(0);
  });
});

describe('the watchdog', () => {
  it('is pinged three times per period', async () => {
    const run = setUp({ watchdogMs: 3_000 });
    start(run);
    poll(run);
    const before = run.pings();
    await run.clock.advance(30_000);
    expect(run.pings() - before).toBe(30);
  });

  it('is not pinged while a step has overrun its latest end by more than 5 s', async () => {
    const run = setUp({ watchdogMs: 3_000 });
    start(run);
    poll(run);
    run.activity.latestEnd = 10_000;
    await run.clock.advance(15_000);
    expect(run.told.at(-1)).toBe('ping 15000');
    expect(run.health.isStalled).toBe(false);
    await run.clock.advance(10_000);
    expect(run.told.at(-1)).toBe('ping 15000');
    // What `/livez` goes by.
    expect(run.health.isStalled).toBe(true);
    run.activity.latestEnd = 90_000;
    await run.clock.advance(1_000);
    expect(run.told.at(-1)).toBe('ping 26000');
    expect(run.health.isStalled).toBe(false);
  });

  it('is pinged while the process stands by, however long', async () => {
    const run = setUp({ watchdogMs: 3_000 });
    run.health.observe({ event: 'lifecycle.starting' });
    run.health.observe({ event: 'hook.starting', hook: 'lock', limitMs: Number.POSITIVE_INFINITY });
    run.health.observe({ event: 'lock.waiting', bot: 1, holder: 123 });
    await run.clock.advance(3_600_000);
    expect(run.told.at(-1)).toBe('ping 3600000');
  });

  it('is not pinged when a hook hangs while it starts', async () => {
    const run = setUp({ watchdogMs: 3_000 });
    run.health.observe({ event: 'lifecycle.starting' });
    run.health.observe({ event: 'hook.starting', hook: 'bot', limitMs: 1_000 });
    await run.clock.advance(20_000);
    expect(run.told.at(-1)).toBe('ping 6000');
  });

  it('is pinged during the stop, until its deadline has passed', async () => {
    const run = setUp({ watchdogMs: 3_000 });
    start(run);
    poll(run);
    run.activity.latestEnd = 0;
    run.health.observe(stopping);
    await run.clock.advance(60_000);
    expect(run.told.at(-1)).toBe('ping 23000');
  });
});
