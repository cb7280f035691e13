import { describe, expect, it } from '@jest/globals';
import { parseRecord } from '../../../src/observe/history/parse-record.js';
import type { HistoryRecord } from '../../../src/observe/history/record.js';

const ofRun = { run: 'a', atMs: 1 };

const records: readonly HistoryRecord[] = [
  {
    ...{ kind: 'begun', ...ofRun, pid: 2, place: 'host', supervisor: 'pm2' },
    previous: {
      ...{ pid: 1, phase: 'stopping', hook: 'database', sinceMs: 0, exitCode: 1 },
      killed: { machineRestarted: true, advice: 'the machine was restarted' },
    },
  },
  { kind: 'begun', ...ofRun, pid: 2, supervisor: 'none' },
  {
    ...{ kind: 'begun', ...ofRun, pid: 2, supervisor: 'none' },
    lastState: { atMs: 3, state: 'hindered', why: 'Telegram unreachable', name: '@bot' },
  },
  { kind: 'state', ...ofRun, state: 'hindered', why: 'Telegram unreachable', name: '@bot', gapMs: 5 },
  {
    ...{ kind: 'sample', ...ofRun, state: 'polling', waiting: 1, running: 2, handled: 3, failed: 4 },
    ...{ oldestMs: 5, handlers: { count: 6, medianMs: 7.1, p99Ms: 8 } },
  },
  { kind: 'stood-still', ...ofRun, ms: 9 },
  { kind: 'stopping', ...ofRun, reason: 'SIGTERM', budgetMs: 10 },
  {
    ...{ kind: 'ended', ...ofRun, reason: 'SIGTERM', reasonKind: 'signal', outcome: 'cut', exitCode: 1 },
    ...{ upMs: 11, stopMs: 12, counts: { fetched: 13 } },
    steps: [
      { hook: 'drain', step: 'stop', afterMs: 0, durationMs: 1, result: 'cut', limitMs: 1, error: 'overdue' },
    ],
  },
];

describe('a record', () => {
  it.each(records)('is read as it was written: $kind', (record) => {
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each(records)('is left out where it is cut off, wherever that is: $kind', (record) => {
    const line = JSON.stringify(record);
    for (let length = 0; length < line.length; length++)
      expect(parseRecord(line.slice(0, length))).toBeUndefined();
  });

  it('is left out where another version has written it in another form', () => {
    const others = [
      ...[{}, [], null, 1, 'begun'],
      ...[
        { kind: 'new', ...ofRun },
        { kind: 'begun', atMs: 1, pid: 2 },
        { kind: 'begun', ...ofRun, pid: '2' },
      ],
      { kind: 'state', ...ofRun, state: 'asleep' },
      { kind: 'sample', ...ofRun, state: 'polling', waiting: null },
      { kind: 'ended', ...ofRun, reason: 'SIGTERM', reasonKind: 'whim', outcome: 'clean' },
    ];
    for (const other of others) expect(parseRecord(JSON.stringify(other))).toBeUndefined();
  });

  it('is read without the optional parts that have another form', () => {
    const state = records.find(({ kind }) => kind === 'state');
    const changed = { ...state, why: 1, name: {}, gapMs: '5' };
    expect(parseRecord(JSON.stringify(changed))).toEqual({ kind: 'state', ...ofRun, state: 'hindered' });
  });
});
