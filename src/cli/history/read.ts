/** Reads the history in the folder of a bot. Nothing is changed. */
import { join } from 'node:path';
import { readBootId } from '../../host/boot-id.js';
import { isAlive } from '../../host/is-alive.js';
import { currentPlace } from '../../host/place.js';
import { describeKill } from '../../host/previous-run.js';
import { readText } from '../../host/read-text.js';
import { LAST_RUN_FILE, parseRunRecord, type RunRecord } from '../../host/run-record.js';
import type { FailedStart } from '../../observe/history/failed-starts.js';
import { parseRecord } from '../../observe/history/parse-record.js';
import { type BegunRecord, HISTORY_FILES } from '../../observe/history/record.js';
import { isStillRunning } from '../status/on-disk.js';
import type { BotFolder } from '../status/places.js';
import { type Fate, nameIn, type Run, runsOf } from './runs.js';

export interface BotHistory extends BotFolder {
  /** As people know the bot; undefined if Telegram has never told it. */
  readonly name: string | undefined;
  /** In the order in which they began. */
  readonly runs: readonly Run[];
  /** The starts that failed before their bot was known, if there is no other bot in its state folder. */
  readonly failedStarts: readonly FailedStart[];
}

/** A sample a minute is a sign of life; a busy event loop, or a slow disk, may delay it. */
const FRESH_MS = 150_000;

export async function readHistory(bot: BotFolder, nowMs: number): Promise<Omit<BotHistory, 'failedStarts'>> {
  const records = linesIn(bot.folder).flatMap((line) => parseRecord(line) ?? []);
  const lastRun = parseRunRecord(readText(join(bot.folder, LAST_RUN_FILE)) ?? '');
  const isRunning = await isStillRunning(lastRun, bot.key);
  const fateOf = (begun: BegunRecord, signMs: number) =>
    lastRun?.pid === begun.pid
      ? fateOfLast(lastRun, isRunning, signMs, nowMs)
      : fateOfAny(begun, signMs, nowMs);
  return { ...bot, name: nameIn(records), runs: runsOf(records, fateOf, nowMs) };
}

/** How often the bot was started again since the midnight of this place; undefined where there is no history. */
export function restartsToday({ folder }: BotFolder, nowMs: number): number | undefined {
  const midnightMs = new Date(nowMs).setHours(0, 0, 0, 0);
  // Parsing each sample of weeks would take too long for what is asked every second.
  const lines = linesIn(folder).filter((line) => line.startsWith('{"kind":"begun"'));
  if (lines.length === 0) return undefined;
  const begun = lines.flatMap((line) => parseRecord(line) ?? []);
  // The record is repeated in each file.
  const beganAtMs = new Map(begun.map(({ run, atMs }) => [run, atMs]));
  return [...beganAtMs.values()].filter((atMs, index) => index > 0 && atMs >= midnightMs).length;
}

const linesIn = (folder: string): readonly string[] =>
  HISTORY_FILES.flatMap((name) => (readText(join(folder, name)) ?? '').split('\n'));

function fateOfLast(lastRun: RunRecord, isRunning: boolean, signMs: number, nowMs: number): Fate {
  const { phase, hook, sinceMs, exitCode, place } = lastRun;
  if (phase === 'stopped') return { kind: 'stopped', atMs: sinceMs, exitCode };
  // Its process id means nothing here.
  const isElsewhere = place !== undefined && place !== currentPlace();
  if (isRunning || (isElsewhere && nowMs - signMs < FRESH_MS)) return { kind: 'running' };
  const bootId = readBootId();
  const killed = describeKill(lastRun, { nowMs, bootId, stopTimeoutMs: 0 });
  const isAdviceKnown = phase === 'running' || phase === 'starting';
  return {
    ...{ kind: 'killed', phase, hook, sinceMs, machineRestarted: killed?.machineRestarted ?? false },
    ...(isAdviceKnown && { advice: killed?.advice }),
  };
}

/** Of one of several processes that share the bot, or of one whose record was lost. */
function fateOfAny({ pid, place }: BegunRecord, signMs: number, nowMs: number): Fate {
  const isHere = place === currentPlace();
  const isRunning = nowMs - signMs < FRESH_MS && (!isHere || isAlive(pid));
  return { kind: isRunning ? 'running' : 'unknown' };
}
