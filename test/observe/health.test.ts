import { describe, expect, it } from '@jest/globals';
import type { Supervisor } from '../../src/host/supervisor.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { Health } from '../../src/observe/health.js';
import { FakeClock } from '../support/fake-clock.js';

/** All that the supervisor was told, in order; statuses apart. */
function rig({ watchdogMs }: { watchdogMs?: number } = {}) {
  const clock = new FakeClock();
  const told: string[] = [];
  const statuses: string[] = [];
  const supervisor: Supervisor = {
    kind: 'systemd',
    stopLimitMs: undefined,
    watchdogMs,
    ready: () => void told.push('ready'),
    status: (text) => void statuses.push(text),
    extend: (ms) => void told.push(`extend ${ms}`),
    stopping: () => void told.push('stopping'),
    ping: () => void told.push(`ping ${clock.now()}`),
    close() {},
  };
  const activity = { running: 0, handled: 0, latestEnd: Number.POSITIVE_INFINITY };
  const health = new Health({
    supervisor,
    clock,
    activity: () => activity,
    redact: (text) => text.replaceAll('SECRET', '***'),
  });
  const pings = () => told.filter((text) => text.startsWith('ping')).length;
  return { clock, told, statuses, activity, health, pings };
}

type Rig = ReturnType<typeof rig>;

function run({ health }: Rig): void {
  health.observe({ event: 'lifecycle.starting' });
  health.observe({ event: 'lifecycle.running', durationMs: 10 });
}

function poll({ health }: Rig): void {
  health.observe({ event: 'poll.connected', id: 1, username: 'name' }, 1);
  health.observe({ event: 'poll.answered', count: 0, durationMs: 3 }, 1);
  health.observe({ event: 'poll.started' }, 1);
}

const unreachable = {
  event: 'poll.failed',
  class: 'unreachable',
  detail: 'ECONNREFUSED',
  retryInMs: 1_000,
  attempt: 1,
} as const;

const stopping = {
  event: 'lifecycle.stopping',
  reason: StopReason.signal('SIGTERM'),
  budgetMs: 18_000,
} as const;

describe('readiness', () => {
  it('comes with the first poll that is answered', () => {
    const it = rig();
    run(it);
    expect(it.told).not.toContain('ready');
    poll(it);
    expect(it.told).toContain('ready');
  });

  it('comes with standing by, too', () => {
    const { health, told, statuses } = rig();
    health.observe({ event: 'lifecycle.starting' });
    health.observe({ event: 'lock.waiting', bot: 1, holder: 123 });
    expect(told).toEqual(['ready']);
    expect(statuses.at(-1)).toBe('standing by, process 123 polls');
  });
});

describe('the start', () => {
  it('asks for the time that each hook has', () => {
    const { health, told, statuses } = rig();
    health.observe({ event: 'lifecycle.starting' });
    health.observe({ event: 'hook.starting', hook: 'bot', limitMs: 60_000 });
    expect(told).toEqual(['extend 62000']);
    expect(statuses.at(-1)).toBe('starting bot');
  });

  it('asks again and again while Telegram is out of reach, until the bot is ready', async () => {
    const it = rig();
    run(it);
    expect(it.told).toEqual(['extend 17000']);
    it.health.observe(unreachable, 1);
    await it.clock.advance(20_000);
    expect(it.told).toHaveLength(5);
    expect(it.statuses.at(-1)).toBe('Telegram unreachable for 20 s, 0 running, 0 handled');
    poll(it);
    const before = it.told.length;
    await it.clock.advance(60_000);
    expect(it.told).toHaveLength(before);
  });

  it('stops asking when attempts no longer go on', async () => {
    const it = rig();
    run(it);
    it.activity.latestEnd = 1_000;
    await it.clock.advance(60_000);
    expect(it.told).toHaveLength(2);
  });
});

describe('the status', () => {
  it('says who polls, what is done, and when the last poll was', async () => {
    const it = rig();
    run(it);
    expect(it.statuses.at(-1)).toBe('connecting to Telegram');
    poll(it);
    expect(it.statuses.at(-1)).toBe('polling as @name, 0 running, 0 handled, last poll 0 s ago');
    Object.assign(it.activity, { running: 3, handled: 120 });
    await it.clock.advance(3_000);
    it.health.observe({ event: 'poll.answered', count: 100, durationMs: 3 }, 1);
    await it.clock.advance(2_000);
    expect(it.statuses.at(-1)).toBe('polling as @name, 3 running, 120 handled, last poll 2 s ago');
  });

  it('names what is in the way until it is over', async () => {
    const it = rig();
    run(it);
    poll(it);
    it.health.observe(unreachable, 1);
    await it.clock.advance(5_000);
    it.health.observe(unreachable, 1);
    expect(it.statuses.at(-1)).toBe('Telegram unreachable for 5 s, 0 running, 0 handled');
    it.health.observe({ event: 'poll.answered', count: 0, durationMs: 3 }, 1);
    it.health.observe({ event: 'poll.recovered', gapMs: 5_000, failures: 2 }, 1);
    expect(it.statuses.at(-1)).toMatch(/^polling as @name/);
  });

  it('says whose trouble it is where there are several bots', () => {
    const it = rig();
    run(it);
    poll(it);
    it.health.observe(unreachable, 2);
    expect(it.statuses.at(-1)).toBe('bot 2: Telegram unreachable for 0 s, 0 running, 0 handled');
    it.health.observe({ event: 'poll.connected', id: 2, username: 'other' }, 2);
    expect(it.statuses.at(-1)).toBe('@other: Telegram unreachable for 0 s, 0 running, 0 handled');
  });

  it('counts each trouble from when it began', async () => {
    const it = rig();
    run(it);
    it.health.observe(unreachable, 1);
    await it.clock.advance(60_000);
    it.health.observe({ event: 'poll.rate-limited', retryAfterSeconds: 30 }, 1);
    expect(it.statuses.at(-1)).toBe('told to wait by Telegram for 0 s, 0 running, 0 handled');
  });

  it('says that the inbox takes no more, and why, until it does', async () => {
    const it = rig();
    run(it);
    poll(it);
    for (const [because, said] of [
      ['updates', 'inbox full'],
      ['bytes', 'inbox full'],
      ['disk', 'disk nearly full'],
    ] as const) {
      it.health.observe({ event: 'inbox.paused', because, waiting: 7, bytes: 8, freeBytes: 9 }, 1);
      expect(it.statuses.at(-1)).toBe(`${said} for 0 s, 0 running, 0 handled`);
      it.health.observe({ event: 'inbox.resumed', waiting: 6, pausedMs: 5 }, 1);
      expect(it.statuses.at(-1)).toMatch(/^polling as @name/);
    }
  });

  it('says that the inbox may be in use elsewhere, until it is open', () => {
    const it = rig();
    run(it);
    it.health.observe({ event: 'inbox.waiting', place: 'web-1', waitMs: 10_000 }, 1);
    expect(it.statuses.at(-1)).toBe('the inbox may be in use elsewhere for 0 s, 0 running, 0 handled');
    it.health.observe({ event: 'inbox.opened', path: '/inbox', survives: 'power' }, 1);
    expect(it.statuses.at(-1)).toBe('connecting to Telegram');
  });

  it('says how the stop goes, and how it went', async () => {
    const it = rig();
    run(it);
    poll(it);
    it.activity.running = 3;
    it.health.observe(stopping);
    it.health.observe({ event: 'hook.stopping', hook: 'drain', limitMs: 12_000 });
    expect(it.statuses.at(-1)).toBe('draining: 3 handlers, 12 s left');
    it.health.observe({ event: 'hook.stopping', hook: 'database', limitMs: 8_000 });
    expect(it.statuses.at(-1)).toBe('stopping database: 8 s left');
    it.health.observe({
      event: 'lifecycle.stopped',
      reason: stopping.reason,
      clean: true,
      exitCode: 0,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    });
    expect(it.statuses.at(-1)).toBe('stopped (SIGTERM), exit code 0');
    expect(it.clock.pending).toBe(0);
  });

  it('holds no secret, and is one line that is not too long, whatever was thrown', () => {
    const it = rig();
    run(it);
    it.health.observe({ ...stopping, reason: StopReason.request('SECRET') });
    it.health.observe({ event: 'hook.stopping', hook: 'SECRET', limitMs: 1_000 });
    expect(it.statuses.at(-1)).toBe('stopping ***: 1 s left');
    const reason = StopReason.fault(new Error(`SECRET\n${'x'.repeat(177)}SECRET${'y'.repeat(10_000)}`));
    it.health.observe({
      event: 'lifecycle.stopped',
      reason,
      clean: false,
      exitCode: 70,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    });
    expect(it.statuses.at(-1)).toMatch(/^stopped \(internal error: \*\*\* x+\**…\), exit code 70$/);
    expect(it.statuses.join()).not.toContain('SEC');
  });

  it('is not said twice', async () => {
    const it = rig();
    it.health.observe({ event: 'lifecycle.starting' });
    it.health.observe({ event: 'lock.waiting', bot: 1, holder: undefined });
    const before = it.statuses.length;
    await it.clock.advance(60_000);
    expect(it.statuses).toHaveLength(before);
  });
});

describe('the stop', () => {
  it('is announced, and asks for its whole budget', () => {
    const it = rig();
    run(it);
    poll(it);
    it.health.observe(stopping);
    expect(it.told.slice(-2)).toEqual(['stopping', 'extend 20000']);
  });
});

describe('the watchdog', () => {
  it('is fed three times in its time', async () => {
    const it = rig({ watchdogMs: 3_000 });
    run(it);
    poll(it);
    const before = it.pings();
    await it.clock.advance(30_000);
    expect(it.pings() - before).toBe(30);
  });

  it('is not fed once a step has outlasted its latest end by more than 5 s, and is when the loop goes on', async () => {
    const it = rig({ watchdogMs: 3_000 });
    run(it);
    poll(it);
    it.activity.latestEnd = 10_000;
    await it.clock.advance(15_000);
    expect(it.told.at(-1)).toBe('ping 15000');
    await it.clock.advance(10_000);
    expect(it.told.at(-1)).toBe('ping 15000');
    it.activity.latestEnd = 90_000;
    await it.clock.advance(1_000);
    expect(it.told.at(-1)).toBe('ping 26000');
  });

  it('is fed while the process stands by, however long', async () => {
    const it = rig({ watchdogMs: 3_000 });
    it.health.observe({ event: 'lifecycle.starting' });
    it.health.observe({ event: 'hook.starting', hook: 'lock', limitMs: Number.POSITIVE_INFINITY });
    it.health.observe({ event: 'lock.waiting', bot: 1, holder: 123 });
    await it.clock.advance(3_600_000);
    expect(it.told.at(-1)).toBe('ping 3600000');
  });

  it('is not fed when a hook that starts is left to itself', async () => {
    const it = rig({ watchdogMs: 3_000 });
    it.health.observe({ event: 'lifecycle.starting' });
    it.health.observe({ event: 'hook.starting', hook: 'bot', limitMs: 1_000 });
    await it.clock.advance(20_000);
    expect(it.told.at(-1)).toBe('ping 6000');
  });

  it('is fed during the stop, until its deadline has passed', async () => {
    const it = rig({ watchdogMs: 3_000 });
    run(it);
    poll(it);
    it.activity.latestEnd = 0;
    it.health.observe(stopping);
    await it.clock.advance(60_000);
    expect(it.told.at(-1)).toBe('ping 23000');
  });
});
