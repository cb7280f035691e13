import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../../src/errors.js';
import type { KilledRun } from '../../../src/host/events.js';
import { readText } from '../../../src/host/read-text.js';
import type { Outcome } from '../../../src/lifecycle/outcome.js';
import { StopReason } from '../../../src/lifecycle/stop-reason.js';
import type { ObservedEvent } from '../../../src/observe/events.js';
import { readFailedStarts } from '../../../src/observe/history/failed-starts.js';
import { parseRecord } from '../../../src/observe/history/parse-record.js';
import type { HistoryRecord } from '../../../src/observe/history/record.js';
import { HistoryRecorder } from '../../../src/observe/history/recorder.js';
import type { PipelineView } from '../../../src/pipeline-gauges.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Folder } from '../../support/folder.js';

const NOW = Date.UTC(2026, 10, 29);
const BOT = 7;
const KEY = '7';
const SECRET = 'hunter2';

const atWork: PipelineView = {
  counts: {
    ...{ waiting: 4, running: 2, handled: 30, caught: 1, failed: 2 },
    ...{ timedOut: 1, expired: 1, putBack: 0, dead: 3 },
  },
  handlerTimes: { withinMs: 300_000, count: 31, medianMs: 41.2345, p99Ms: 1_234.5, maxMs: 2_000 },
  slowest: [],
  jams: [],
  oldestAtMs: NOW - 5_000,
  runningUntil: 0,
};

const ended: Pick<Outcome, 'clean' | 'phases' | 'durationMs' | 'stopDurationMs'> = {
  ...{ clean: true, phases: [], durationMs: 1, stopDurationMs: 1 },
};

interface Rig extends Disposable {
  readonly stateDir: string;
  readonly clock: FakeClock;
  readonly recorder: HistoryRecorder;
  /** The file of the bot. */
  readonly path: string;
  tell(...events: readonly ObservedEvent[]): void;
  /** Resolves when as many records are there, with all of them. */
  recorded(count: number, key?: string): Promise<readonly HistoryRecord[]>;
}

function rig({ hasState = true } = {}): Rig {
  const folder = new Folder();
  const clock = new FakeClock();
  const recorder = new HistoryRecorder({
    ...{ stateDir: hasState ? folder.path : undefined, supervisor: 'pm2', clock, place: 'host', pid: 4711 },
    file: '/srv/bot.js',
    view: () => atWork,
    countsOf: () => ({ fetched: 40, confirmedUpTo: undefined }),
    redact: (text) => text.replaceAll(SECRET, '***'),
    failed: (_, error) => {
      // A write may be under way when the test has ended.
      if (existsSync(folder.path)) throw error;
    },
    now: () => NOW + clock.now(),
  });
  return {
    ...{ stateDir: folder.path, clock, recorder, path: join(folder.path, KEY, 'history.jsonl') },
    tell: (...events) => {
      for (const event of events) recorder.observe(event, BOT);
    },
    async recorded(count, key = KEY) {
      for (;;) {
        const text = readText(join(folder.path, key, 'history.jsonl')) ?? '';
        const records = text.split('\n').flatMap((line) => parseRecord(line) ?? []);
        if (records.length >= count) return records;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const started: readonly ObservedEvent[] = [
  { event: 'poll.connected', id: BOT, username: 'name' },
  { event: 'poll.answered', count: 3, durationMs: 3 },
  { event: 'poll.started' },
];
const unreachable: ObservedEvent = {
  ...{ event: 'poll.failed', class: 'unreachable', detail: 'ECONNREFUSED', retryInMs: 1_000, attempt: 1 },
};
const recovered: ObservedEvent = { event: 'poll.recovered', gapMs: 1_500.4, failures: 2 };

describe('HistoryRecorder', () => {
  it('records the begin at once, with what is known of the run before', async () => {
    using rigged = rig();
    const killed: KilledRun = {
      ...{ pid: 12, phase: 'running', hook: undefined, durationMs: 1, bound: 'at most' },
      ...{ machineRestarted: false, advice: 'by kill -9' },
    };
    const previous = { phase: 'running', sinceMs: NOW - 60_000, pid: 12, supervisor: 'pm2' } as const;
    rigged.recorder.begin(KEY, BOT, previous, killed);
    expect(await rigged.recorded(1)).toEqual([
      {
        ...{ kind: 'begun', run: expect.any(String), atMs: NOW, pid: 4711, place: 'host', supervisor: 'pm2' },
        previous: {
          ...{ pid: 12, phase: 'running', sinceMs: NOW - 60_000 },
          killed: { machineRestarted: false, advice: 'by kill -9' },
        },
      },
    ]);
  });

  it('records each change of polling once, and how long nothing was answered', async () => {
    using rigged = rig();
    const { recorder, tell, clock } = rigged;
    recorder.begin(KEY, BOT, undefined, undefined);
    tell(...started, { event: 'poll.answered', count: 0, durationMs: 50_000 });
    clock.skip(1_000);
    tell(unreachable, unreachable);
    clock.skip(500);
    tell(recovered, { event: 'poll.answered', count: 0, durationMs: 1 });
    const [, ...states] = await rigged.recorded(4);
    expect(states).toEqual([
      expect.objectContaining({ kind: 'state', atMs: NOW, state: 'polling', name: '@name' }),
      expect.objectContaining({ atMs: NOW + 1_000, state: 'hindered', why: 'Telegram unreachable' }),
      expect.objectContaining({ atMs: NOW + 1_500, state: 'polling', gapMs: 1_500 }),
    ]);
  });

  it('takes a sample a minute, and at most 20 changes in between', async () => {
    using rigged = rig();
    const { recorder, tell, clock } = rigged;
    recorder.begin(KEY, BOT, undefined, undefined);
    tell(...started);
    for (let n = 0; n < 50; n++) tell(unreachable, recovered);
    await clock.advance(60_000);
    const records = await rigged.recorded(23);
    expect(records.filter(({ atMs }) => atMs === NOW)).toHaveLength(1 + 20);
    expect(records.at(-2)).toMatchObject({ kind: 'state', atMs: NOW + 60_000, state: 'polling' });
    expect(records.at(-1)).toEqual({
      ...{ kind: 'sample', run: records[0]?.run, atMs: NOW + 60_000, state: 'polling' },
      ...{ waiting: 4, running: 2, handled: 30, failed: 5, oldestMs: 65_000 },
      handlers: { count: 31, medianMs: 41.2, p99Ms: 1_230 },
    });
    tell(unreachable);
    await clock.advance(120_000);
    expect((await rigged.recorded(26)).slice(23).map(({ kind }) => kind)).toEqual([
      'state',
      'sample',
      'sample',
    ]);
  });

  it('begins each further file with the begin and the state of the run', async () => {
    using rigged = rig();
    const { recorder, tell, clock } = rigged;
    recorder.begin(KEY, BOT, undefined, undefined);
    tell(...started);
    const [begun] = await rigged.recorded(2);
    rmSync(rigged.path);
    await clock.advance(60_000);
    const [repeated, sample] = await rigged.recorded(2);
    expect(repeated).toEqual({ ...begun, lastState: { atMs: NOW, state: 'polling', name: '@name' } });
    expect(sample?.kind).toBe('sample');
  });

  it('records the stop with its steps, and nothing secret', async () => {
    using rigged = rig();
    const { recorder, tell, clock } = rigged;
    const error = new LastcallError('HOOK_TIMED_OUT', 'database', `the stop of ${SECRET} did not end`);
    tell({ event: 'lifecycle.starting' });
    recorder.begin(KEY, BOT, undefined, undefined);
    tell({ event: 'hook.starting', hook: 'bot', limitMs: Number.POSITIVE_INFINITY });
    clock.skip(100);
    tell({ event: 'hook.started', hook: 'bot', durationMs: 100 });
    clock.skip(1_000);
    const reason = StopReason.aborted(new Error(SECRET));
    tell({ event: 'lifecycle.stopping', reason, budgetMs: 2_000 });
    clock.skip(10);
    tell({ event: 'hook.stopping', hook: 'database', limitMs: 500 });
    clock.skip(500);
    tell({ event: 'hook.cut', hook: 'database', step: 'stop', durationMs: 500, error });
    const outcome = { reason, clean: false, exitCode: 1, phases: [], durationMs: 1_610, stopDurationMs: 510 };
    recorder.end(outcome, 'cut');
    const [begun, stopping, sample, ended] = await rigged.recorded(4);
    expect(stopping).toEqual({
      ...{ kind: 'stopping', run: begun?.run, atMs: NOW + 1_100, budgetMs: 2_000 },
      reason: 'the signal given to run() aborted: ***',
    });
    expect(sample?.kind).toBe('sample');
    expect(ended).toEqual({
      ...{ kind: 'ended', run: begun?.run, atMs: NOW + 1_610, upMs: 1_610, stopMs: 510 },
      ...{ reason: 'the signal given to run() aborted: ***', reasonKind: 'aborted' },
      ...{ outcome: 'cut', exitCode: 1, counts: { fetched: 40 } },
      steps: [
        { hook: 'bot', step: 'start', result: 'done', afterMs: 0, durationMs: 100 },
        {
          ...{ hook: 'database', step: 'stop', result: 'cut', afterMs: 10, durationMs: 500, limitMs: 500 },
          error: 'the stop of *** did not end',
        },
      ],
    });
    expect(clock.pending).toBe(0);
    recorder.end(outcome, 'cut');
    expect(await rigged.recorded(4)).toHaveLength(4);
  });

  it('keeps the bots of a run apart, each in its folder', async () => {
    using rigged = rig();
    const { recorder, clock } = rigged;
    recorder.begin('7', 7, undefined, undefined);
    recorder.begin('8', 8, undefined, undefined);
    for (const event of started) recorder.observe(event, 8);
    const error = new LastcallError('TOKEN_REFUSED', 'bot 7', 'the token was refused');
    recorder.observe({ event: 'bot.failed', bot: 7, error }, 7);
    recorder.finish('7');
    const ofSeven = await rigged.recorded(3, '7');
    expect(ofSeven.at(-1)).toMatchObject({ kind: 'ended', reasonKind: 'bot-ended', reason: 'TOKEN_REFUSED' });
    await clock.advance(60_000);
    const ofEight = await rigged.recorded(3, '8');
    expect(ofEight.map(({ kind }) => kind)).toEqual(['begun', 'state', 'sample']);
    expect(new Set(ofEight.map(({ run }) => run)).size).toBe(1);
  });

  it('takes a bot for stopped that ended alone while something kept it from polling', async () => {
    using rigged = rig();
    const { recorder, tell, clock } = rigged;
    tell({ event: 'lifecycle.starting' });
    clock.skip(5_000);
    recorder.begin(KEY, BOT, undefined, undefined);
    tell(...started, unreachable);
    clock.skip(1_000);
    recorder.finish(KEY);
    const records = await rigged.recorded(5);
    expect(records.at(-1)).toMatchObject({ reason: 'the bot was stopped', outcome: 'clean', upMs: 1_000 });
  });

  it('does nothing where there is no place for it', async () => {
    using rigged = rig({ hasState: false });
    const { recorder, tell, clock } = rigged;
    recorder.begin(KEY, BOT, undefined, undefined);
    tell(...started);
    await clock.advance(60_000);
    const reason = StopReason.signal('SIGTERM');
    tell({ event: 'lifecycle.stopping', reason, budgetMs: 2_000 });
    recorder.end(
      { reason, clean: true, exitCode: 0, phases: [], durationMs: 60_000, stopDurationMs: 1 },
      'clean',
    );
    expect(clock.pending).toBe(0);
    // Neither below the folder that the process is in.
    for (const path of [rigged.path, join(KEY, 'history.jsonl')]) expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['failed', StopReason.startFailed(new LastcallError('BOT_MODULE_NOT_FOUND', 'x.js', `no ${SECRET}`)), 78],
    ['was ended by its program', StopReason.request('process.exit(3)'), 3],
  ])('notes a start that %s before any bot was known', (_, reason, exitCode) => {
    using rigged = rig();
    rigged.recorder.end({ ...ended, reason, exitCode }, 'fault');
    const [start, ...others] = readFailedStarts(rigged.stateDir);
    expect(others).toEqual([]);
    expect(start).toMatchObject({ exitCode, firstMs: NOW, supervisor: 'pm2', file: '/srv/bot.js' });
    expect(JSON.stringify(start)).not.toContain(SECRET);
  });

  it('notes no start that was called off, that has succeeded, or whose bot is known', () => {
    using rigged = rig();
    const failure = { ...ended, reason: StopReason.startFailed(new Error('no')), exitCode: 1 };
    rigged.recorder.end({ ...ended, reason: StopReason.signal('SIGTERM'), exitCode: 143 }, 'cut');
    using known = rig();
    known.recorder.begin(KEY, BOT, undefined, undefined);
    known.recorder.end(failure, 'fault');
    using running = rig();
    running.tell({ event: 'lifecycle.running', durationMs: 1 });
    running.recorder.end(failure, 'fault');
    for (const { stateDir } of [rigged, known, running]) expect(readFailedStarts(stateDir)).toEqual([]);
  });
});
