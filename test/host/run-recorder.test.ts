import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { PreviousRunEvent } from '../../src/host/events.js';
import { parseRunRecord, type RunRecord } from '../../src/host/run-record.js';
import { RunRecorder, type RunRecorderOptions } from '../../src/host/run-recorder.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { Folder } from '../support/folder.js';

const KEY = '7-ab';
const bots = [
  [KEY, 7],
  ['8-cd', 8],
] as const;

function newRecord(folder: Folder, options: Partial<RunRecorderOptions> = {}) {
  const events: PreviousRunEvent[] = [];
  const time = { nowMs: 1_000 };
  const record = new RunRecorder({
    stateDir: folder.file('state'),
    stopTimeoutMs: 7_000,
    supervisor: 'pm2',
    killAfterMs: 1_600,
    emit: (event) => events.push(event),
    now: () => time.nowMs,
    pid: 4711,
    bootId: 'boot 1',
    place: 'place 1',
    ...options,
  });
  return { record, events, time };
}

const path = (folder: Folder, key = KEY): string => folder.file('state', key, 'last-run.json');
const stateIn = (folder: Folder, key = KEY): RunRecord | undefined =>
  parseRunRecord(readFileSync(path(folder, key), 'utf8'));

const stopping = { event: 'lifecycle.stopping', reason: StopReason.signal('SIGTERM'), budgetMs: 1 } as const;

describe('the record of a run', () => {
  it('is ended by another process where the disk may hang', async () => {
    using folder = new Folder();
    const { record, time } = newRecord(folder);
    record.begin(KEY, 7);
    record.polled(KEY);
    time.nowMs = 9_000;
    await record.endByChild(70);
    const { mode } = statSync(path(folder));
    expect((mode & 0o777).toString(8)).toBe('600');
    expect(stateIn(folder)).toMatchObject({
      phase: 'stopped',
      exitCode: 70,
      sinceMs: 9_000,
      hasPolled: true,
    });
    expect(readdirSync(folder.file('state', KEY))).toEqual(['last-run.json']);
    record.end(0);
    expect(stateIn(folder)).toMatchObject({ exitCode: 70 });
  });

  it('tells how long the stop of the previous run took, if it ended by one', () => {
    using folder = new Folder();
    const first = newRecord(folder);
    first.record.begin(KEY, 7);
    first.record.note(stopping);
    first.time.nowMs = 3_500;
    first.record.end(0);
    const next = newRecord(folder);
    for (const [key, botId] of bots) next.record.begin(key, botId);
    expect(bots.map(([key]) => next.record.previousStopMs(key))).toEqual([2_500, undefined]);
  });

  it('follows the run from phase to phase', () => {
    using folder = new Folder();
    const { record, time, events } = newRecord(folder);
    record.note({ event: 'hook.starting', hook: 'lock', limitMs: 1 });
    time.nowMs = 5_000;
    record.begin(KEY, 7);
    const common = { pid: 4711, place: 'place 1', bootId: 'boot 1', supervisor: 'pm2', killAfterMs: 1_600 };
    expect(stateIn(folder)).toEqual({ ...common, phase: 'starting', hook: 'lock', sinceMs: 5_000 });

    time.nowMs = 6_000;
    record.note({ event: 'hook.starting', hook: 'bot', limitMs: 1 });
    expect(stateIn(folder)).toMatchObject({ phase: 'starting', hook: 'bot', sinceMs: 6_000 });

    record.note({ event: 'lifecycle.running', durationMs: 1 });
    expect(stateIn(folder)).toEqual({ ...common, phase: 'running', sinceMs: 6_000 });

    time.nowMs = 7_000;
    record.note(stopping);
    time.nowMs = 8_000;
    for (const hook of ['intake', 'drain']) record.note({ event: 'hook.stopping', hook, limitMs: 1 });
    expect(stateIn(folder)).toEqual({ ...common, phase: 'draining', sinceMs: 7_000, stopAskedMs: 7_000 });

    record.note({ event: 'hook.stopping', hook: 'database', limitMs: 1 });
    expect(stateIn(folder)).toMatchObject({ phase: 'stopping', hook: 'database', sinceMs: 8_000 });

    record.end(1);
    record.note({ event: 'hook.stopping', hook: 'late', limitMs: 1 });
    record.end(0);
    expect(stateIn(folder)).toMatchObject({ phase: 'stopped', exitCode: 1 });
    expect(events).toEqual([]);
  });

  it('of a bot that stops alone says so, and is begun again without a word of a kill', () => {
    using folder = new Folder();
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    record.begin('8-cd', 8);
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    record.finish(KEY);
    record.note({ event: 'hook.stopping', hook: 'database', limitMs: 1 });
    expect(stateIn(folder)).toMatchObject({ phase: 'stopped', exitCode: 0 });
    expect(stateIn(folder, '8-cd')).toMatchObject({ phase: 'stopping' });
    record.begin(KEY, 7);
    expect(stateIn(folder)).toMatchObject({ phase: 'stopping' });
    expect(events).toEqual([]);
  });

  it('remembers that Telegram has answered a poll, from run to run', () => {
    using folder = new Folder();
    const first = newRecord(folder).record;
    first.begin(KEY, 7);
    first.note({ event: 'lifecycle.running', durationMs: 1 });
    first.end(78);
    const second = newRecord(folder).record;
    second.begin(KEY, 7);
    expect(second.hasPolled(KEY)).toBe(false);
    second.polled(KEY);
    const third = newRecord(folder).record;
    third.begin(KEY, 7);
    third.end(0);
    const fourth = newRecord(folder).record;
    fourth.begin(KEY, 7);
    fourth.begin('8-cd', 8);
    expect([KEY, '8-cd'].map((key) => fourth.hasPolled(key))).toEqual([true, false]);
  });

  it('is left to a run in another place, which may be alive, until this one has the inbox or polls', () => {
    for (const decide of ['inboxOpened', 'polled'] as const) {
      using folder = new Folder();
      const elsewhere = newRecord(folder, { pid: 7, place: 'place 2' }).record;
      elsewhere.begin(KEY, 7);
      elsewhere.polled(KEY);
      elsewhere.note({ event: 'lifecycle.running', durationMs: 1 });
      const { record, events } = newRecord(folder);
      record.begin(KEY, 7);
      record.note({ event: 'lifecycle.running', durationMs: 1 });
      expect(record.hasPolled(KEY)).toBe(true);
      expect([stateIn(folder)?.pid, events]).toEqual([7, []]);
      record[decide](KEY);
      record.inboxOpened(KEY);
      expect(events).toMatchObject([{ event: 'previous-run.killed', pid: 7 }]);
      expect(stateIn(folder)).toMatchObject({ pid: 4711, place: 'place 1', phase: 'running' });
    }
  });

  it('is left to such a run for good, where this one ends before', () => {
    using folder = new Folder();
    const elsewhere = newRecord(folder, { pid: 7, place: 'place 2' }).record;
    elsewhere.begin(KEY, 7);
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    record.end(75);
    expect([stateIn(folder)?.pid, events]).toEqual([7, []]);
    elsewhere.end(0);
    const next = newRecord(folder);
    next.record.begin(KEY, 7);
    expect([stateIn(folder)?.pid, next.events]).toEqual([4711, []]);
  });

  it('is written at changes of phase only', () => {
    using folder = new Folder();
    const { record } = newRecord(folder);
    record.begin(KEY, 7);
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    const before = statSync(path(folder)).ino;
    record.note({ event: 'hook.started', hook: 'bot', durationMs: 1 });
    record.note({ event: 'lifecycle.stop-repeated', reason: stopping.reason });
    record.note({ event: 'lifecycle.hastened', limitMs: 1 });
    expect(statSync(path(folder)).ino).toBe(before);
  });

  it('is one file, which only its owner can read', () => {
    using folder = new Folder();
    const { record } = newRecord(folder);
    record.begin(KEY, 7);
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    expect(statSync(path(folder)).mode & 0o777).toBe(0o600);
    expect(statSync(folder.file('state', KEY)).mode & 0o777).toBe(0o700);
    expect(statSync(folder.file('state')).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder.file('state', KEY))).toEqual(['last-run.json']);
  });

  it('makes the next run report a kill, once', () => {
    using folder = new Folder();
    const first = newRecord(folder);
    first.record.begin(KEY, 7);
    first.record.note(stopping);

    const second = newRecord(folder, { pid: 4712 });
    second.time.nowMs = 9_000;
    second.record.begin(KEY, 7);
    expect(second.events).toMatchObject([
      {
        event: 'previous-run.killed',
        bot: 7,
        pid: 4711,
        phase: 'draining',
        durationMs: 1_600,
        advice: 'raise kill_timeout to at least 12000',
      },
    ]);
    second.record.end(0);
    const third = newRecord(folder);
    third.record.begin(KEY, 7);
    expect(third.events).toEqual([]);
  });

  it('has the receipt that the log could not take, which the next run tells once, whatever bots both run', () => {
    using folder = new Folder();
    const receipt = { reason: 'SIGHUP', outcome: 'clean', counts: { handled: 3 }, words: 'Stopped cleanly' };
    const first = newRecord(folder).record;
    for (const [key, botId] of bots) first.begin(key, botId);
    first.end(0, receipt);

    const second = newRecord(folder, { pid: 4712 });
    for (const [key, botId] of bots) second.record.begin(key, botId);
    expect(second.events).toEqual([
      { event: 'previous-run.receipt', bot: 7, pid: 4711, exitCode: 0, ...receipt },
    ]);
    second.record.end(0);
    const third = newRecord(folder);
    for (const [key, botId] of bots) third.record.begin(key, botId);
    expect(third.events).toEqual([]);
  });

  it('is kept for each bot whose lock is held', () => {
    using folder = new Folder();
    const { record } = newRecord(folder);
    record.begin(KEY, 7);
    expect(existsSync(path(folder, '8-cd'))).toBe(false);
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    record.begin('8-cd', 8);
    expect(stateIn(folder, '8-cd')).toMatchObject({ phase: 'running' });
    record.end(0);
    expect([stateIn(folder), stateIn(folder, '8-cd')]).toMatchObject([
      { phase: 'stopped' },
      { phase: 'stopped' },
    ]);
  });

  it('names the process that runs the bot, as long as that process lives', () => {
    using folder = new Folder();
    newRecord(folder, { pid: process.pid }).record.begin(KEY, 7);
    const { record, events } = newRecord(folder);
    expect(record.holderOf(KEY)).toBe(process.pid);
    expect(record.holderOf('8-cd')).toBeUndefined();
    // After a restart of the machine the pid may be another process's.
    expect(newRecord(folder, { bootId: 'boot 2' }).record.holderOf(KEY)).toBeUndefined();
    // No process has so large a pid.
    newRecord(folder, { pid: 2 ** 30 }).record.begin(KEY, 7);
    expect(record.holderOf(KEY)).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('reports once per file that it cannot be read or written, and goes on', () => {
    using folder = new Folder({ 'state/7-ab/last-run.json': 'torn', 'state/8-cd': 'no folder', file: '' });
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    record.begin('8-cd', 8);
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    record.end(0);
    expect(events.map(({ event }) => event)).toEqual(['run-record.failed', 'run-record.failed']);
    expect(stateIn(folder)).toMatchObject({ phase: 'stopped' });

    const nowhere = newRecord(folder, { stateDir: undefined });
    nowhere.record.begin(KEY, 7);
    nowhere.record.end(0);
    expect(nowhere.events).toEqual([]);
  });

  it('is written in its own place where there is no room for another file', () => {
    using folder = new Folder();
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    // As on a full disk, no new file can be written.
    mkdirSync(`${path(folder)}.new/in the way`, { recursive: true });
    record.note({ event: 'lifecycle.running', durationMs: 1 });
    record.note(stopping);
    record.end(70);
    expect(stateIn(folder)).toMatchObject({ phase: 'stopped', exitCode: 70 });
    expect(events).toEqual([]);
  });

  it('takes the place of that of a killed run where there is no room, so that the kill is told once', () => {
    using folder = new Folder();
    newRecord(folder).record.begin(KEY, 7);
    mkdirSync(`${path(folder)}.new/in the way`, { recursive: true });
    const [second, third] = [newRecord(folder, { pid: 4712 }), newRecord(folder, { pid: 4713 })];
    second.record.begin(KEY, 7);
    second.record.end(0);
    third.record.begin(KEY, 7);
    expect(second.events).toMatchObject([{ event: 'previous-run.killed', pid: 4711 }]);
    expect(third.events).toEqual([]);
  });

  it('that cannot be written any more would say that the run was killed, and is told of at once', () => {
    using folder = new Folder();
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    rmSync(path(folder));
    mkdirSync(path(folder));
    record.note(stopping);
    record.end(0);
    expect(events).toMatchObject([{ event: 'run-record.failed', path: path(folder), isStale: true }]);
  });

  it('is told of where it has become stale, whatever was told of the file before', () => {
    using folder = new Folder({ 'state/7-ab/last-run.json': 'torn' });
    const { record, events } = newRecord(folder);
    record.begin(KEY, 7);
    rmSync(path(folder));
    mkdirSync(path(folder));
    record.note(stopping);
    record.end(0);
    expect(events).toMatchObject([{ isStale: false }, { isStale: true }]);
  });

  it('is written once more at the end, when there may be room again', () => {
    using folder = new Folder();
    const { record } = newRecord(folder);
    record.begin(KEY, 7);
    rmSync(path(folder));
    mkdirSync(path(folder));
    record.note(stopping);
    rmdirSync(path(folder));
    record.end(0);
    expect(stateIn(folder)).toMatchObject({ phase: 'stopped' });
  });
});
