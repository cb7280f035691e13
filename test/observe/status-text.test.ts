import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import type { ObservedEvent } from '../../src/observe/events.js';
import { Progress } from '../../src/observe/progress.js';
import { StatusText } from '../../src/observe/status-text.js';
import { FakeClock } from '../support/fake-clock.js';
import { stopping, unreachable } from './lifecycle-events.js';
import { noActivity } from './no-activity.js';

function setUp() {
  const clock = new FakeClock();
  const activity = { ...noActivity };
  const progress = new Progress(clock, () => activity.latestEnd);
  const statusText = new StatusText(progress, {
    clock,
    activity: () => activity,
    pollTimeoutMs: 50_000,
    redact: (text) => text.replaceAll('SECRET', '***'),
  });
  const observe = (event: ObservedEvent, bot = 0) => {
    progress.observe(event);
    return statusText.observe(event, bot);
  };
  return {
    clock,
    activity,
    statusText,
    observe,
    begin() {
      observe({ event: 'lifecycle.starting' });
      observe({ event: 'lifecycle.running', durationMs: 10 });
    },
    poll() {
      observe({ event: 'poll.connected', id: 1, username: 'name' }, 1);
      observe({ event: 'poll.answered', count: 0, durationMs: 3 }, 1);
      observe({ event: 'poll.started' }, 1);
    },
  };
}

describe('the status text', () => {
  it('names the bots and the handlers, and the last poll once it is late', async () => {
    const run = setUp();
    run.begin();
    expect(run.statusText.current).toBe('connecting to Telegram');
    run.poll();
    expect(run.statusText.current).toBe('polling as @name, 0 running, 0 handled');
    Object.assign(run.activity, { running: 3, handled: 120 });
    await run.clock.advance(3_000);
    run.observe({ event: 'poll.answered', count: 100, durationMs: 3 }, 1);
    await run.clock.advance(55_000);
    expect(run.statusText.current).toBe('polling as @name, 3 running, 120 handled');
    await run.clock.advance(1_000);
    expect(run.statusText.current).toBe('polling as @name, 3 running, 120 handled, last poll 56 s ago');
  });

  it.each([
    [{ failed: 50, dead: 50 }, '0 running, 50 failed (50 dead)'],
    [{ handled: 7, dead: 2 }, '0 running, 7 handled, 2 dead'],
    [{ failed: 1 }, '0 running, 1 failed'],
    [
      {
        running: 2,
        handled: 9,
        caught: 1,
        failed: 2,
        timedOut: 3,
        expired: 4,
        dead: 10,
        waiting: 5,
        putBack: 6,
      },
      '2 running, 9 handled, 1 caught, 2 failed, 3 timed out, 4 expired (10 dead), 5 waiting, 6 put back',
    ],
  ])('counts what is not 0: %j', (counts, told) => {
    const run = setUp();
    run.begin();
    run.poll();
    Object.assign(run.activity, counts);
    expect(run.statusText.current).toBe(`polling as @name, ${told}`);
  });

  it('names bots that have ended or stand by beside the others, until they are polled again', () => {
    const run = setUp();
    run.begin();
    run.poll();
    const error = new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'refused');
    run.observe({ event: 'bot.failed', bot: 2, error }, 2);
    run.observe({ event: 'lock.waiting', bot: 3, holder: 4711 });
    const twice = new LastcallError('BOT_ALREADY_POLLED', 'bot 1', 'twice');
    run.observe({ event: 'bot.failed', bot: 1, error: twice }, 1);
    expect(run.statusText.current).toBe(
      'polling as @name, 0 running, 0 handled (bot 3: standing by, bot 2: TOKEN_REFUSED)',
    );
    run.observe({ event: 'bot.stopping', bot: 1, by: 'bot.stop()' }, 1);
    run.observe({ event: 'lock.acquired', bot: 3, waitedMs: 1 });
    expect(run.statusText.current).toBe(
      'no bot is polled (bot 2: TOKEN_REFUSED, bot 1: stopped by the program), 0 running, 0 handled',
    );
    for (const id of [1, 2]) run.observe({ event: 'poll.connected', id, username: `bot_${id}` }, id);
    expect(run.statusText.current).toBe('polling as @bot_1, @bot_2, 0 running, 0 handled');
  });

  it('names an account without a username by its id', () => {
    const run = setUp();
    run.begin();
    run.poll();
    run.observe({ event: 'poll.connected', id: 1, username: undefined }, 1);
    expect(run.statusText.current).toBe('polling as account 1, 0 running, 0 handled');
  });

  it('names a problem until it is over', async () => {
    const run = setUp();
    run.begin();
    run.poll();
    run.observe(unreachable, 1);
    await run.clock.advance(5_000);
    run.observe(unreachable, 1);
    expect(run.statusText.current).toBe('Telegram unreachable for 5 s, 0 running, 0 handled');
    run.observe({ event: 'poll.answered', count: 0, durationMs: 3 }, 1);
    run.observe({ event: 'poll.recovered', gapMs: 5_000, failures: 2 }, 1);
    expect(run.statusText.current).toMatch(/^polling as @name/);
  });

  it('counts the updates that wait for their handlers', () => {
    const run = setUp();
    run.begin();
    run.poll();
    run.observe(unreachable, 1);
    Object.assign(run.activity, { running: 2, waiting: 4_900 });
    expect(run.statusText.current).toBe('Telegram unreachable for 0 s, 2 running, 0 handled, 4900 waiting');
  });

  it('names the bot that has a problem if there are several', () => {
    const run = setUp();
    run.begin();
    run.poll();
    run.observe(unreachable, 2);
    expect(run.statusText.current).toBe('bot 2: Telegram unreachable for 0 s, 0 running, 0 handled');
    run.observe({ event: 'poll.connected', id: 2, username: 'other' }, 2);
    expect(run.statusText.current).toBe('@other: Telegram unreachable for 0 s, 0 running, 0 handled');
  });

  it('counts each problem from its beginning', async () => {
    const run = setUp();
    run.begin();
    run.observe(unreachable, 1);
    await run.clock.advance(60_000);
    run.observe({ event: 'poll.rate-limited', retryAfterSeconds: 30 }, 1);
    expect(run.statusText.current).toBe('rate-limited by Telegram for 0 s, 0 running, 0 handled');
  });

  it('says why the inbox takes no updates, until it does', async () => {
    const run = setUp();
    run.begin();
    run.poll();
    for (const [because, said] of [
      ['updates', 'inbox full'],
      ['bytes', 'inbox full'],
      ['disk', 'disk nearly full'],
    ] as const) {
      run.observe({ event: 'inbox.paused', because, waiting: 7, bytes: 8, freeBytes: 9 }, 1);
      expect(run.statusText.current).toBe(`${said} for 0 s, 0 running, 0 handled`);
      run.observe({ event: 'inbox.resumed', waiting: 6, pausedMs: 5 }, 1);
      expect(run.statusText.current).toMatch(/^polling as @name/);
    }
  });

  it('says that the inbox may be in use elsewhere, until it is open', () => {
    const run = setUp();
    run.begin();
    run.observe({ event: 'inbox.waiting', place: 'web-1', waitMs: 10_000 }, 1);
    expect(run.statusText.current).toBe('the inbox may be in use elsewhere for 0 s, 0 running, 0 handled');
    run.observe({ event: 'inbox.opened', path: '/inbox', survives: 'power' }, 1);
    expect(run.statusText.current).toBe('connecting to Telegram');
  });

  it('shows the step of the stop, and its outcome', async () => {
    const run = setUp();
    run.begin();
    run.poll();
    run.activity.running = 3;
    run.observe(stopping);
    run.observe({ event: 'hook.stopping', hook: 'drain', limitMs: 12_000 });
    expect(run.statusText.current).toBe('draining: 3 handlers, 12 s left');
    run.observe({ event: 'hook.stopping', hook: 'database', limitMs: 8_000 });
    expect(run.statusText.current).toBe('stopping database: 8 s left');
    run.observe({
      event: 'lifecycle.stopped',
      reason: stopping.reason,
      clean: true,
      exitCode: 0,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    });
    expect(run.statusText.current).toBe('stopped (SIGTERM), exit code 0');
  });

  it('is one short line without secrets, whatever was thrown', () => {
    const run = setUp();
    run.begin();
    run.observe({ ...stopping, reason: StopReason.request('SECRET') });
    run.observe({ event: 'hook.stopping', hook: 'SECRET', limitMs: 1_000 });
    expect(run.statusText.current).toBe('stopping ***: 1 s left');
    const reason = StopReason.fault(new Error(`SECRET\n${'x'.repeat(177)}SECRET${'y'.repeat(10_000)}`));
    run.observe({
      event: 'lifecycle.stopped',
      reason,
      clean: false,
      exitCode: 70,
      phases: [],
      durationMs: 1,
      stopDurationMs: 1,
    });
    expect(run.statusText.current).toMatch(/^stopped \(internal error: \*\*\* x+\**…\), exit code 70$/);
    expect(run.statusText.current).not.toContain('SEC');
  });

  it('shows the step of the start, and that another process polls', () => {
    const run = setUp();
    run.observe({ event: 'lifecycle.starting' });
    expect(run.statusText.current).toBe('starting');
    run.observe({ event: 'hook.starting', hook: 'lock', limitMs: 1_000 });
    expect(run.statusText.current).toBe('starting lock');
    run.observe({ event: 'lock.waiting', bot: 1, holder: 123 });
    expect(run.statusText.current).toBe('standing by, process 123 polls');
    run.observe({ event: 'lock.acquired', bot: 1, waitedMs: 5 });
    expect(run.statusText.current).toBe('starting lock');
  });

  it('asks for no update when only the time of the last poll changes', () => {
    const run = setUp();
    run.begin();
    expect(run.observe({ event: 'poll.answered', count: 1, durationMs: 3 }, 1)).toBe(false);
    expect(run.observe(unreachable, 1)).toBe(true);
  });
});
