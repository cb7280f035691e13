import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import client from 'prom-client';
import { LastcallError } from '../../../src/errors.js';
import { StopReason } from '../../../src/lifecycle/stop-reason.js';
import type { ObservedEvent } from '../../../src/observe/events.js';
import type { BotFigures } from '../../../src/observe/metrics/bot-figures.js';
import { rows } from '../../../src/observe/metrics/dashboard-panels.js';
import { Metrics } from '../../../src/observe/metrics/metrics.js';
import { type MetricRow, metricTable } from '../../../src/observe/metrics/table.js';
import { busyReport } from '../../support/busy-report.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Folder } from '../../support/folder.js';
import { noPromtool, promtool, Samples } from '../../support/metrics.js';

const NOW = Date.UTC(2026, 0, 1);
const { bot: BOT } = busyReport;

const counts = {
  ...{ fetched: 1_220, recovered: 7, handled: 1_203, caught: 1, failed: 3, timedOut: 2, expired: 4 },
  ...{ dropped: 6, left: 16, mayRepeat: 2, putBack: 5, deadDropped: 8, confirmedUpTo: 627819801 },
};
const meters: BotFigures['meters'] = {
  ...{ hung: 1, confirmLagMs: 1_500, inboxBytes: 1_230_000, counts },
  pollFailures: { unreachable: 9, 'rate-limited': 0, conflict: 2, 'token-refused': 0, rejected: 0 },
};
const busy: BotFigures = { report: busyReport, meters, previousStopMs: 2_500 };

const opened: Metrics[] = [];
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
  client.register.clear();
});

function given(bots: readonly BotFigures[] = [busy], redact = (text: string) => text) {
  const clock = new FakeClock();
  const all = [...bots];
  const metrics = new Metrics({
    ...{ client, clock, concurrency: 256, phase: () => 'running', bots: () => all, now: () => NOW, redact },
    info: { version: '1.2.3', supervisor: 'systemd', inbox: 'journal' },
  });
  opened.push(metrics);
  return {
    clock,
    all,
    metrics,
    tell: (...events: readonly ObservedEvent[]) => {
      for (const event of events) metrics.observe(event, BOT);
    },
    samples: async () => new Samples(await metrics.text()),
  };
}

const held: ObservedEvent = { event: 'dispatch.held', running: 0, waiting: 1 };
const failed: ObservedEvent = {
  event: 'bot.failed',
  bot: BOT,
  error: new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'refused'),
};

/** Tests for promtool: each query has an answer where the figures of the text are scraped once a minute and grow. */
function queriesTest(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const series = lines.map((line) => {
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const all = ['job="lastcall"', 'instance="host"', ...(labels === '' ? [] : [labels])].join(',');
    // What says which state there is stays as it is.
    const step = /_state$|_info$|_phase$/.test(name) ? 0 : 1;
    return { series: `${name}{${all}}`, values: `${value}+${step}x20` };
  });
  const queries = rows.flatMap(([, panels]) =>
    panels.flatMap((panel) => panel.queries.map(([query]) => query)),
  );
  const inWords = (query: string) =>
    query.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance|bot)/g, '.*');
  return JSON.stringify({
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series,
        promql_expr_test: queries.map((query) => ({
          expr: `count(${inWords(query)}) > bool 0`,
          eval_time: '15m',
          exp_samples: [{ labels: '{}', value: 1 }],
        })),
      },
    ],
  });
}

describe('Metrics', () => {
  it('shows what the status of a bot says, in base units', async () => {
    const samples = await given().samples();
    const bot = { bot: `${BOT}` };
    const expected = {
      lastcall_last_poll_timestamp_seconds: NOW / 1_000 - 43,
      lastcall_confirm_lag_seconds: 1.5,
      lastcall_updates_fetched_total: 1_220,
      lastcall_updates_recovered_total: 7,
      lastcall_updates_put_back_total: 5,
      lastcall_updates_waiting: 14,
      lastcall_oldest_update_age_seconds: 12.4,
      lastcall_handlers_running: 2,
      lastcall_handlers_hung: 1,
      lastcall_jammed_chats: 1,
      lastcall_dispatch_held: 0,
      lastcall_dead_letters_kept: 2,
      lastcall_dead_letters_dropped_total: 8,
      lastcall_inbox_bytes: 1_230_000,
      lastcall_previous_stop_duration_seconds: 2.5,
      lastcall_previous_run_killed: 0,
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.of(name, bot)]))).toEqual(
      expected,
    );
    const results = { handled: 1_203, caught: 1, failed: 3, 'timed-out': 2, expired: 4, dropped: 6 };
    for (const [result, number] of Object.entries(results))
      expect(samples.of('lastcall_updates_total', { ...bot, result })).toBe(number);
    expect(samples.of('lastcall_poll_failures_total', { class: 'unreachable' })).toBe(9);
    expect(samples.of('lastcall_bot_state', { state: 'polling' })).toBe(1);
    expect(samples.sum('lastcall_bot_state')).toBe(1);
    expect(samples.of('lastcall_stop_budget_seconds')).toBe(90);
    expect(samples.of('lastcall_info', { version: '1.2.3', supervisor: 'systemd', inbox: 'journal' })).toBe(
      1,
    );
  });

  it('serves each metric of the table, and no other', async () => {
    const { metrics, tell } = given();
    tell({ event: 'poll.answered', count: 0, durationMs: 1 }, { event: 'lifecycle.running', durationMs: 1 });
    const { handler, inboxSync } = metrics.stopwatchOf(BOT);
    handler('message', 12);
    inboxSync(2);
    const { names } = new Samples(await metrics.text());
    const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
    expect(new Set(names.map(family))).toEqual(new Set(Object.keys(metricTable)));
  });

  it('makes histograms of the times of polls, handlers and syncs', async () => {
    const { metrics, tell, samples } = given();
    tell({ event: 'poll.answered', count: 1, durationMs: 300 });
    const { handler, inboxSync } = metrics.stopwatchOf(BOT);
    for (const ms of [3, 40, 4_000]) handler('message', ms);
    handler('callback_query', 7);
    inboxSync(0.7);
    const found = await samples();
    const message = { bot: `${BOT}`, kind: 'message' };
    expect(found.of('lastcall_handler_duration_seconds_count', message)).toBe(3);
    expect(found.of('lastcall_handler_duration_seconds_sum', message)).toBeCloseTo(4.043);
    expect(found.of('lastcall_handler_duration_seconds_bucket', { ...message, le: '0.05' })).toBe(2);
    expect(found.of('lastcall_handler_duration_seconds_count', { kind: 'callback_query' })).toBe(1);
    expect(found.of('lastcall_poll_duration_seconds_bucket', { le: '0.5' })).toBe(1);
    expect(found.of('lastcall_inbox_sync_duration_seconds_bucket', { le: '0.001' })).toBe(1);
  });

  it('counts dead letters by reason, from 0 on', async () => {
    const { tell, samples } = given();
    expect((await samples()).of('lastcall_dead_letters_total', { reason: 'died' })).toBe(0);
    const dead = { updateId: 1, kind: 'message', attempts: 1, deaths: 0, cuts: 0 };
    tell({ event: 'inbox.dead', why: 'failed', ...dead }, { event: 'inbox.dead', why: 'failed', ...dead });
    const found = await samples();
    expect(found.of('lastcall_dead_letters_total', { reason: 'failed' })).toBe(2);
    expect(found.sum('lastcall_dead_letters_total')).toBe(2);
  });

  it('counts by reason what the memory inbox gives up, which keeps no dead letters', async () => {
    const inbox = { kind: 'memory' as const };
    const found = await given([{ ...busy, report: { ...busyReport, inbox } }]).samples();
    const reasons = { failed: 3, caught: 1, 'timed-out': 2, expired: 4, died: 0, cut: 0 };
    for (const [reason, number] of Object.entries(reasons))
      expect(found.of('lastcall_dead_letters_total', { reason })).toBe(number);
  });

  it('tells of a hold, and of its end', async () => {
    const { tell, samples } = given();
    tell(held);
    expect((await samples()).of('lastcall_dispatch_held')).toBe(1);
    tell({ event: 'dispatch.resumed', heldMs: 1, waiting: 0 });
    expect((await samples()).of('lastcall_dispatch_held')).toBe(0);
  });

  it('tells how long the start took, and how long a stop has lasted', async () => {
    const { clock, tell, samples } = given();
    expect((await samples()).of('lastcall_start_duration_seconds')).toBeUndefined();
    tell({ event: 'lifecycle.running', durationMs: 250 });
    expect((await samples()).of('lastcall_stop_duration_seconds')).toBe(0);
    tell({ event: 'lifecycle.stopping', reason: StopReason.signal('SIGTERM'), budgetMs: 9_000 });
    await clock.advance(1_500);
    const found = await samples();
    expect(found.of('lastcall_start_duration_seconds')).toBe(0.25);
    expect(found.of('lastcall_stop_duration_seconds')).toBe(1.5);
  });

  it('has no age where only a database knows it, and 0 where nothing waits', async () => {
    const { oldestMs: _, ...inbox } = busyReport.inbox;
    const unknown = { ...busy, report: { ...busyReport, inbox } };
    expect((await given([unknown]).samples()).of('lastcall_oldest_update_age_seconds')).toBeUndefined();
    const nothing = { ...busyReport.counts, waiting: 0, running: 0 };
    const idle = { ...busy, report: { ...busyReport, inbox, counts: nothing } };
    expect((await given([idle]).samples()).of('lastcall_oldest_update_age_seconds')).toBe(0);
  });

  it('does not claim to know how the previous run ended where several processes share an inbox', async () => {
    const inbox = { ...busyReport.inbox, kind: 'postgres' as const };
    const samples = await given([{ ...busy, report: { ...busyReport, inbox } }]).samples();
    expect(samples.values('lastcall_previous_run_killed', 'bot')).toEqual([]);
  });

  it('lets the metrics of a bot go that has ended, but shows that one has failed until it is launched again', async () => {
    const { all, tell, samples } = given();
    await samples();
    all.splice(0);
    expect((await samples()).values('lastcall_updates_waiting', 'bot')).toEqual([]);
    expect((await samples()).values('lastcall_bot_state', 'bot')).toEqual([]);
    tell(failed);
    expect((await samples()).of('lastcall_bot_state', { bot: `${BOT}`, state: 'ended' })).toBe(1);
    tell({ event: 'poll.connected', id: BOT, username: 'my_bot' });
    expect((await samples()).values('lastcall_bot_state', 'bot')).toEqual([]);
  });

  it('does not take a launch of a bot that is polled already for one that has failed', async () => {
    const { all, tell, samples } = given();
    const error = new LastcallError('BOT_ALREADY_POLLED', `bot ${BOT}`, 'this process runs it already');
    tell({ event: 'bot.failed', bot: BOT, error });
    expect((await samples()).of('lastcall_bot_state', { state: 'ended' })).toBe(0);
    all.splice(0);
    expect((await samples()).values('lastcall_bot_state', 'bot')).toEqual([]);
  });

  it('serves what the program registers, too, but nothing in place of its own', async () => {
    const orders = new client.Counter({ name: 'orders_total', help: 'Orders.' });
    orders.inc(3);
    new client.Gauge({ name: 'process_open_fds', help: 'Of the program.' }).set(-1);
    new client.Gauge({
      ...{ name: 'broken', help: 'Fails.' },
      collect: () => Promise.reject(new Error('broken')),
    });
    const text = await given().metrics.text();
    expect(new Samples(text).of('orders_total')).toBe(3);
    expect(new Samples(text).of('process_open_fds')).not.toBe(-1);
    expect(text).not.toContain('broken');
    expect(text).toMatch(/\n$/);
  });

  it.each(['lastcall', 'process', 'bot', 'orders', 'le', '123456789'])(
    'is whole whatever the password, and hides it in the words of the program: %s',
    async (password) => {
      const orders = {
        name: 'orders_total',
        help: `Of db:${password}@host.`,
        labelNames: ['place', 'quoted'],
      };
      new client.Counter(orders).inc({ place: `db:${password}@host`, quoted: `"${password}"` });
      new client.Histogram({ name: 'orders_seconds', help: 'Times.', buckets: [1] }).observe(2);
      const masked = given([busy], (text) => text.replaceAll(password, '***'));
      const plain = given();
      const lines = (await masked.metrics.text()).split('\n');
      const unmasked = (await plain.metrics.text()).split('\n');
      expect(lines).toContain('# HELP orders_total Of db:***@host.');
      expect(lines).toContain('orders_total{place="db:***@host",quoted="\\"***\\""} 1');
      expect(lines.join('\n')).not.toContain(`db:${password}`);
      const withoutValue = (line: string) => line.replace(/ \S+$/, '');
      const isOfOrders = (line: string) => line.includes('orders_total');
      expect(lines.filter((line) => !isOfOrders(line)).map(withoutValue)).toEqual(
        unmasked.filter((line) => !isOfOrders(line)).map(withoutValue),
      );
    },
  );

  it('does not wait for long for what the program registers', async () => {
    new client.Gauge({ name: 'endless', help: 'Never comes.', collect: () => new Promise(() => {}) });
    const { clock, metrics } = given();
    const text = metrics.text();
    // The clock is stepped until the text has come, since its own part takes some turns of the event loop.
    let isThere = false;
    void text.then(() => {
      isThere = true;
    });
    while (!isThere) await clock.advance(1_000);
    expect(new Samples(await text).of('lastcall_updates_waiting')).toBe(14);
  });

  it('is measured in base units, has no series for each chat or user, and counters end with _total', () => {
    for (const [name, { type, labels, buckets = [] }] of Object.entries<MetricRow>(metricTable)) {
      expect(name).toMatch(/^(lastcall|process|nodejs)_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|millis|minutes|kb|mb)(_|$)/);
      for (const label of labels) expect(['chat', 'user', 'update', 'key', 'le']).not.toContain(label);
      expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
    }
  });

  (noPromtool === undefined ? it : it.skip)(
    `is text that Prometheus finds nothing wrong with${noPromtool === undefined ? '' : ` (skipped: ${noPromtool})`}`,
    async () => {
      expect(promtool(['check', 'metrics'], await given().metrics.text())).toBe('');
    },
  );

  (noPromtool === undefined ? it : it.skip)(
    `has figures for each query of the dashboard${noPromtool === undefined ? '' : ` (skipped: ${noPromtool})`}`,
    async () => {
      const { metrics, tell } = given();
      tell(
        { event: 'poll.answered', count: 1, durationMs: 300 },
        { event: 'lifecycle.running', durationMs: 1 },
      );
      const { handler, inboxSync } = metrics.stopwatchOf(BOT);
      handler('message', 40);
      inboxSync(0.7);
      using folder = new Folder();
      writeFileSync(folder.file('tests.yml'), queriesTest(await metrics.text()));
      expect(promtool(['test', 'rules', folder.file('tests.yml')])).toContain('SUCCESS');
    },
  );
});
