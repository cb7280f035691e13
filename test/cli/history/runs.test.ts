import { describe, expect, it } from '@jest/globals';
import { type Fate, nameIn, runsOf } from '../../../src/cli/history/runs.js';
import { outagesIn, summaryOf } from '../../../src/cli/history/summary.js';
import type {
  BegunRecord,
  EndedRecord,
  HistoryRecord,
  PreviousEnd,
} from '../../../src/observe/history/record.js';

const begun = (run: string, atMs: number, previous?: PreviousEnd): BegunRecord => ({
  ...{ kind: 'begun', run, atMs, pid: Number(run), supervisor: 'none' },
  ...(previous && { previous }),
});

const polling = (run: string, atMs: number): HistoryRecord => ({
  kind: 'state',
  run,
  atMs,
  state: 'polling',
});

const stopped = (run: string, askedMs: number, atMs: number): readonly HistoryRecord[] => {
  const ended: EndedRecord = {
    ...{ kind: 'ended', run, atMs, reason: 'SIGTERM', reasonKind: 'signal', outcome: 'clean', exitCode: 0 },
    ...{ upMs: atMs, stopMs: atMs - askedMs, steps: [], counts: {} },
  };
  return [{ kind: 'stopping', run, atMs: askedMs, reason: 'SIGTERM', budgetMs: 1_000 }, ended];
};

const sample = (run: string, atMs: number, handled = 0): HistoryRecord => ({
  ...{ kind: 'sample', run, atMs, state: 'polling', waiting: 0, running: 0, handled, failed: 0 },
});

const running = (): Fate => ({ kind: 'running' });

describe('runs', () => {
  it('follow each other, with the gap in polling between them', () => {
    const records = [
      ...[begun('1', 0), polling('1', 100), ...stopped('1', 1_000, 1_200)],
      ...[begun('2', 1_500), polling('2', 1_700)],
    ];
    const [first, second, ...others] = runsOf(records, running, 2_000);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ beganMs: 0, gap: undefined, end: { kind: 'receipt', fromMs: 1_200 } });
    expect(first?.stretches).toEqual([
      { state: 'connecting', fromMs: 0, toMs: 100 },
      { state: 'polling', why: undefined, fromMs: 100, toMs: 1_000 },
      { state: 'stopping', fromMs: 1_000, toMs: 1_200 },
    ]);
    expect(second).toMatchObject({
      gap: { ms: 700, isAtMost: false },
      end: { kind: 'running', toMs: 2_000 },
    });
  });

  it('that were killed ended between their last sign of life and the next begin', () => {
    const killed = { machineRestarted: false, advice: 'by kill -9' };
    const records = [
      ...[begun('1', 0), polling('1', 100), sample('1', 60_000)],
      ...[begun('2', 90_000, { pid: 1, phase: 'running', sinceMs: 200, killed }), polling('2', 90_300)],
    ];
    const [first, second] = runsOf(records, running, 100_000);
    expect(first?.end).toEqual({
      ...{ kind: 'killed', phase: 'running', hook: undefined, ...killed },
      ...{ fromMs: 60_000, toMs: 90_000 },
    });
    expect(second?.gap).toEqual({ ms: 30_300, isAtMost: true });
  });

  it('are not thought to be those of another process that the next one has found', () => {
    const previous: PreviousEnd = { pid: 99, phase: 'stopped', sinceMs: 0 };
    const records = [begun('1', 0), begun('2', 90_000, previous)];
    const [first] = runsOf(records, () => ({ kind: 'unknown' }), 100_000);
    expect(first?.end.kind).toBe('unknown');
  });

  it('whose receipt was lost ended when their record says so', () => {
    const records = [
      begun('1', 0),
      begun('2', 900, { pid: 1, phase: 'stopped', sinceMs: 700, exitCode: 70 }),
    ];
    expect(runsOf(records, running, 1_000)[0]?.end).toEqual({
      ...{ kind: 'stopped', exitCode: 70, fromMs: 700, toMs: 700 },
    });
  });

  it('begin once, however often their first record is repeated', () => {
    const again: BegunRecord = { ...begun('1', 0), lastState: { atMs: 100, state: 'polling' } };
    const records = [
      begun('1', 0),
      polling('1', 100),
      again,
      sample('1', 900),
      ...stopped('1', 1_000, 1_200),
    ];
    const plain = records.filter((record) => record !== again);
    expect(runsOf(records, running, 2_000)).toEqual(runsOf(plain, running, 2_000));
    // Two writes at once may have changed places.
    const [first, ...others] = plain;
    expect(runsOf([...others, ...(first ? [first] : [])], running, 2_000)).toEqual(
      runsOf(plain, running, 2_000),
    );
  });

  it('whose beginning is not kept any more are known from the last state before on', () => {
    const lastState = { atMs: 5_000, state: 'polling', name: '@name' } as const;
    const records = [
      ...[{ ...begun('1', 0), lastState }, sample('1', 8_000, 70), sample('1', 9_000, 80)],
      ...stopped('1', 10_000, 10_500),
    ];
    const runs = runsOf(records, running, 20_000);
    expect(runs).toMatchObject([{ beganMs: 0, end: { kind: 'receipt', fromMs: 10_500 } }]);
    expect(runs[0]?.stretches.map(({ state, fromMs }) => [state, fromMs])).toEqual([
      ['polling', 5_000],
      ['stopping', 10_000],
    ]);
    expect(nameIn(records)).toBe('@name');
    expect(summaryOf(runs, { fromMs: 1_000, toMs: 10_000 })).toMatchObject({ polledShare: 1, handled: 10 });
  });

  it('were hindered from the first call that failed on, and as their samples tell', () => {
    const records: readonly HistoryRecord[] = [
      ...[begun('1', 0), polling('1', 100)],
      { kind: 'state', run: '1', atMs: 5_000, state: 'hindered', why: 'Telegram unreachable' },
      { kind: 'state', run: '1', atMs: 9_000, state: 'polling', gapMs: 6_000 },
      { ...sample('1', 60_000), state: 'hindered' } as HistoryRecord,
    ];
    const runs = runsOf(records, running, 70_000);
    expect(outagesIn(runs)).toEqual([
      { why: 'Telegram unreachable', fromMs: 3_000, toMs: 9_000 },
      { why: 'not polling', fromMs: 60_000, toMs: 70_000 },
    ]);
    expect(runs[0]?.stretches.find(({ state }) => state === 'polling')?.toMs).toBe(3_000);
  });
});

describe('an outage of two causes', () => {
  it('began with the first of them', () => {
    const hindered = (atMs: number, why: string): HistoryRecord => ({
      ...{ kind: 'state', run: '1', atMs, state: 'hindered', why },
    });
    const records: readonly HistoryRecord[] = [
      ...[begun('1', 0), polling('1', 100), hindered(1_000, 'inbox full'), polling('1', 2_000)],
      ...[hindered(5_000, 'Telegram unreachable'), hindered(7_000, 'rate-limited by Telegram')],
      { kind: 'state', run: '1', atMs: 9_000, state: 'polling', gapMs: 6_000 },
    ];
    const runs = runsOf(records, running, 70_000);
    expect(outagesIn(runs)).toEqual([
      { why: 'inbox full', fromMs: 1_000, toMs: 2_000 },
      { why: 'Telegram unreachable', fromMs: 3_000, toMs: 7_000 },
      { why: 'rate-limited by Telegram', fromMs: 7_000, toMs: 9_000 },
    ]);
    const stretches = runs[0]?.stretches ?? [];
    for (const [index, { fromMs }] of stretches.entries())
      if (index > 0) expect(stretches[index - 1]?.toMs).toBe(fromMs);
  });
});

describe('the summary of a span', () => {
  it('counts what lies within it', () => {
    const records = [
      ...[
        begun('1', 0),
        polling('1', 0),
        sample('1', 400, 10),
        sample('1', 900, 30),
        ...stopped('1', 1_000, 1_000),
      ],
      ...[begun('2', 1_500), polling('2', 1_500), sample('2', 1_900, 5)],
    ];
    const runs = runsOf(records, running, 2_000);
    expect(summaryOf(runs, { fromMs: 500, toMs: 2_000 })).toEqual({
      ...{ restarts: 1, bad: 0, cut: 0, outages: [], handled: 25, failed: 0 },
      polledShare: 1_000 / 1_500,
    });
    expect(summaryOf(runs, { fromMs: -1_000, toMs: 2_000 })).toMatchObject({
      ...{ restarts: 1, handled: 35, polledShare: 0.75 },
    });
  });
});
