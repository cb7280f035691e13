import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readHistory, restartsToday } from '../../../src/cli/history/read.js';
import { readBootId } from '../../../src/host/boot-id.js';
import { currentPlace } from '../../../src/host/place.js';
import type { RunRecord } from '../../../src/host/run-record.js';
import type { HistoryRecord } from '../../../src/observe/history/record.js';
import { Folder } from '../../support/folder.js';
import { WEEK_END_MS, weekOfRecords } from '../../support/week.js';

const KEY = '123456789';
const MINUTE_MS = 60_000;
const NOW = WEEK_END_MS;
/** No system gives such a process id. */
const GONE = 99_999_999;

function botIn(folder: Folder, records: readonly HistoryRecord[], lastRun?: RunRecord) {
  const own = join(folder.path, KEY);
  mkdirSync(own);
  writeFileSync(
    join(own, 'history.jsonl'),
    records.map((record) => `\n${JSON.stringify(record)}\n`).join(''),
  );
  if (lastRun) writeFileSync(join(own, 'last-run.json'), JSON.stringify(lastRun));
  return { key: KEY, folder: own };
}

const begun = (pid: number, place = currentPlace()): HistoryRecord => ({
  ...{ kind: 'begun', run: `${pid}`, atMs: NOW - 10 * MINUTE_MS, pid, place, supervisor: 'none' },
});
const sampleAt = (pid: number, atMs: number): HistoryRecord => ({
  ...{ kind: 'sample', run: `${pid}`, atMs, state: 'polling', waiting: 0, running: 0, handled: 0, failed: 0 },
});
const lastRun = (given: Partial<RunRecord>): RunRecord => ({
  ...{ phase: 'running', sinceMs: NOW - 9 * MINUTE_MS, pid: GONE, supervisor: 'none' },
  ...{ place: currentPlace(), bootId: readBootId() },
  ...given,
});

interface Fate {
  readonly end: string;
  readonly what: string;
  readonly records: readonly HistoryRecord[];
  readonly last?: RunRecord;
}

const fates: readonly Fate[] = [
  { end: 'killed', what: 'whose process is gone', records: [begun(GONE)], last: lastRun({}) },
  { end: 'killed', what: 'of an earlier boot', records: [begun(GONE)], last: lastRun({ bootId: 'another' }) },
  {
    ...{ end: 'stopped', what: 'that ended without its receipt', records: [begun(GONE)] },
    last: lastRun({ phase: 'stopped', exitCode: 70 }),
  },
  {
    ...{ end: 'running', what: 'elsewhere, with a fresh sign of life' },
    records: [begun(GONE, 'elsewhere'), sampleAt(GONE, NOW - MINUTE_MS)],
    last: lastRun({ place: 'elsewhere' }),
  },
  {
    ...{ end: 'killed', what: 'elsewhere, without one', records: [begun(GONE, 'elsewhere')] },
    last: lastRun({ place: 'elsewhere' }),
  },
  {
    ...{ end: 'running', what: 'of several processes, which is alive' },
    records: [begun(process.pid), sampleAt(process.pid, NOW - MINUTE_MS)],
  },
  {
    ...{ end: 'unknown', what: 'of several processes, which is gone' },
    records: [begun(GONE), sampleAt(GONE, NOW - MINUTE_MS)],
  },
];

describe('the last run', () => {
  it.each(fates)('is taken for $end: one $what', async ({ end, records, last }) => {
    using folder = new Folder();
    const { runs } = await readHistory(botIn(folder, records, last), NOW);
    expect(runs.map((run) => run.end.kind)).toEqual([end]);
  });

  it('was cut off where the machine has restarted', async () => {
    using folder = new Folder();
    const bot = botIn(folder, [begun(GONE)], lastRun({ bootId: 'another' }));
    const { runs } = await readHistory(bot, NOW);
    expect(runs[0]?.end).toMatchObject({ kind: 'killed', machineRestarted: readBootId() !== undefined });
  });
});

describe('a history', () => {
  it('is read of both files, the older one first', async () => {
    using folder = new Folder();
    const records = weekOfRecords();
    const bot = botIn(folder, records.slice(5_000));
    const older = records.slice(0, 5_000).map((record) => JSON.stringify(record));
    writeFileSync(join(bot.folder, 'history.old.jsonl'), older.join('\n'));
    const { runs, name } = await readHistory(bot, NOW);
    expect(name).toBe('@corner_shop_bot');
    expect(runs.map(({ samples }) => samples.length).reduce((sum, length) => sum + length)).toBe(
      records.filter(({ kind }) => kind === 'sample').length,
    );
  });

  it('is read wherever its last write was cut off', async () => {
    using folder = new Folder();
    const bot = botIn(folder, []);
    const file = join(bot.folder, 'history.jsonl');
    const records = weekOfRecords().filter(({ kind }) => kind !== 'sample');
    const text = records.map((record) => `\n${JSON.stringify(record)}\n`).join('');
    for (let length = 0; length < text.length; length += 53) {
      writeFileSync(file, text.slice(0, length));
      appendFileSync(file, `\n${JSON.stringify(begun(GONE))}\n`);
      const { runs } = await readHistory(bot, NOW);
      const whole = text
        .slice(0, length)
        .split('\n')
        .filter((line) => line.startsWith('{"kind":"begun"') && line.endsWith('}'));
      expect(runs).toHaveLength(whole.length + 1);
    }
  });

  it('that is no history is none', async () => {
    using folder = new Folder();
    const bot = botIn(folder, []);
    expect(restartsToday(bot, NOW)).toBeUndefined();
    writeFileSync(join(bot.folder, 'history.jsonl'), readFileSync(process.execPath).subarray(0, 100_000));
    expect((await readHistory(bot, NOW)).runs).toEqual([]);
    expect(restartsToday(bot, NOW)).toBeUndefined();
  });
});

describe('the restarts of today', () => {
  it('are the runs that began after another one since midnight', () => {
    using folder = new Folder();
    const noon = new Date(NOW).setHours(12, 0, 0, 0);
    const at = (atMs: number): HistoryRecord => ({ ...begun(1), run: `${atMs}`, atMs });
    // The first record of a run is repeated in each file.
    const bot = botIn(folder, [
      ...[at(noon), at(noon), at(noon + 1)],
      ...[at(noon + 1), sampleAt(1, noon + 2), at(noon + 3)],
    ]);
    expect(restartsToday(bot, noon + 4)).toBe(2);
    expect(restartsToday(bot, noon + 24 * 60 * MINUTE_MS)).toBe(0);
    using other = new Folder();
    const since = botIn(other, [at(noon - 24 * 60 * MINUTE_MS), at(noon)]);
    expect(restartsToday(since, noon + 4)).toBe(1);
  });
});
