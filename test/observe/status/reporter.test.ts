import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import { StopReason } from '../../../src/lifecycle/stop-reason.js';
import type { ObservedEvent } from '../../../src/observe/events.js';
import { parseReport } from '../../../src/observe/status/report.js';
import { StatusReporter } from '../../../src/observe/status/reporter.js';
import type { PipelineView } from '../../../src/pipeline-gauges.js';
import { FakeClock } from '../../support/fake-clock.js';

const BOT = 7;
const NOW = Date.UTC(2026, 0, 1);

const idle: PipelineView = {
  counts: {
    ...{ waiting: 0, running: 0, handled: 0, caught: 0, failed: 0 },
    ...{ timedOut: 0, expired: 0, putBack: 0, dead: 0 },
  },
  handlerTimes: undefined,
  slowest: [],
  jams: [],
  oldestAtMs: undefined,
  runningUntil: Number.NEGATIVE_INFINITY,
};

function given(inbox: 'journal' | 'memory' | 'postgres' = 'journal') {
  const clock = new FakeClock();
  let view: PipelineView | undefined;
  const reporter = new StatusReporter({
    ...{ clock, pid: 4711, supervisor: 'systemd', inbox, pollTimeoutMs: 50_000 },
    view: () => view,
    now: () => NOW + clock.now(),
  });
  return {
    clock,
    see: (part: Partial<PipelineView>) => {
      view = { ...idle, ...part };
    },
    tell: (...events: readonly ObservedEvent[]) => {
      for (const event of events) reporter.observe(event, BOT);
    },
    report: () => reporter.report(BOT, '7-key'),
  };
}

const started: readonly ObservedEvent[] = [
  { event: 'lifecycle.starting' },
  { event: 'lifecycle.running', durationMs: 10 },
  { event: 'lifecycle.budget', budgetMs: 90_000, drainMs: 60_000, hooksMs: 30_000 },
];
const polled: readonly ObservedEvent[] = [
  { event: 'poll.connected', id: BOT, username: 'name' },
  { event: 'poll.answered', count: 3, durationMs: 3 },
  { event: 'poll.started' },
];
const unreachable: ObservedEvent = {
  ...{ event: 'poll.failed', class: 'unreachable', detail: 'ECONNREFUSED', retryInMs: 1_000, attempt: 1 },
};

describe('StatusReporter', () => {
  it('tells what starts, and how long that may take', async () => {
    const t = given();
    t.tell({ event: 'lifecycle.starting' }, { event: 'hook.starting', hook: 'database', limitMs: 5_000 });
    await t.clock.advance(2_000);
    expect(t.report()).toMatchObject({
      ...{ bot: BOT, pid: 4711, supervisor: 'systemd', phase: 'starting', upMs: 2_000 },
      step: { name: 'starting database', leftMs: 3_000 },
      polling: { state: 'connecting' },
    });
    expect(t.report().stop).toBeUndefined();
  });

  it('tells since when the bot is polled, and which poll is late', async () => {
    const t = given();
    t.tell(...started, ...polled);
    await t.clock.advance(50_000);
    const polling = { state: 'polling', forMs: 50_000, lastPoll: { agoMs: 50_000, updates: 3 } };
    expect(t.report()).toMatchObject({ name: '@name', polling: { ...polling, isLate: false } });
    await t.clock.advance(5_001);
    expect(t.report().polling.isLate).toBe(true);
  });

  it('tells what keeps the bot from polling and since when, until that is over', async () => {
    const t = given();
    t.tell(...started, ...polled, unreachable);
    await t.clock.advance(9_000);
    t.tell(unreachable);
    expect(t.report().polling).toMatchObject({
      ...{ state: 'hindered', forMs: 9_000, why: 'Telegram unreachable', detail: 'ECONNREFUSED' },
    });
    t.tell({ event: 'poll.recovered', gapMs: 9_000, failures: 2 });
    await t.clock.advance(1_000);
    expect(t.report().polling).toMatchObject({ state: 'polling', forMs: 1_000 });
  });

  it('tells who polls while this process stands by', async () => {
    const t = given();
    t.tell({ event: 'lifecycle.starting' }, { event: 'lock.waiting', bot: BOT, holder: 12 });
    await t.clock.advance(3_000);
    expect(t.report().polling).toMatchObject({ state: 'standing-by', forMs: 3_000, holder: 12 });
    t.tell({ event: 'lock.acquired', bot: BOT, waitedMs: 3_000 });
    expect(t.report().polling.state).toBe('connecting');
  });

  it('tells which of the processes that share the bot polls, and since when this one does', async () => {
    const t = given('postgres');
    t.tell(...started, { event: 'inbox.standing-by', holder: 'b.example (pid 12)' });
    await t.clock.advance(300_000);
    expect(t.report().polling).toMatchObject({
      ...{ state: 'standing-by', forMs: 300_000, why: 'b.example (pid 12)', isLate: false },
    });
    t.tell(
      { event: 'inbox.turn-began', epoch: 2, waitedMs: 1 },
      { event: 'poll.answered', count: 0, durationMs: 3 },
    );
    await t.clock.advance(1_000);
    expect(t.report().polling).toMatchObject({ state: 'polling', forMs: 1_000 });
  });

  it('calls no poll late that the memory inbox holds back while handlers are at work', async () => {
    const t = given('memory');
    t.tell(...started, ...polled);
    t.see({ counts: { ...idle.counts, running: 1 } });
    await t.clock.advance(80_000);
    expect(t.report().polling.isLate).toBe(false);
    t.see({});
    expect(t.report().polling.isLate).toBe(true);
  });

  it('tells why a bot has ended while others go on', () => {
    const t = given();
    const error = new LastcallError('TOKEN_REFUSED', 'bot 7', 'refused');
    t.tell(...started, ...polled, { event: 'bot.failed', bot: BOT, error });
    expect(t.report().polling).toMatchObject({ state: 'ended', why: 'TOKEN_REFUSED' });
  });

  it('tells what a stop would wait for: no longer than the drain, nor than the handlers may run', () => {
    const t = given();
    t.tell(...started, ...polled);
    t.see({});
    expect(t.report().stop).toEqual({ budgetMs: 90_000, drainMs: 60_000, handlersMs: 0 });
    t.see({ runningUntil: 12_000 });
    expect(t.report().stop?.handlersMs).toBe(12_000);
    t.see({ runningUntil: 100_000 });
    expect(t.report().stop?.handlersMs).toBe(60_000);
  });

  it('tells what is left of the drain', async () => {
    const t = given();
    const reason = StopReason.signal('SIGTERM');
    t.tell(...started, ...polled, { event: 'lifecycle.stopping', reason, budgetMs: 90_000 });
    t.tell({ event: 'hook.stopping', hook: 'drain', limitMs: 60_000 });
    await t.clock.advance(20_000);
    expect(t.report()).toMatchObject({ phase: 'stopping', step: { name: 'draining', leftMs: 40_000 } });
  });

  it('is read again from its JSON as it was', () => {
    const t = given();
    t.tell(...started, ...polled, unreachable);
    t.see({
      counts: { ...idle.counts, waiting: 2, running: 1 },
      handlerTimes: { withinMs: 300_000, count: 2, medianMs: 3, p99Ms: 4, maxMs: 5 },
      slowest: [{ updateId: 1, kind: 'message', key: '7', forMs: 8 }],
      jams: [{ key: '7', waiting: 2, waitedMs: 10_000 }],
      oldestAtMs: NOW - 1_000,
    });
    const report = t.report();
    expect(report.inbox).toEqual({ kind: 'journal', oldestMs: 1_000 });
    expect(parseReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
  });

  it.each([undefined, null, 7, 'text', [], {}, { bot: 7 }])('does not take %j for a report', (value) => {
    expect(parseReport(value)).toBeUndefined();
  });
});
