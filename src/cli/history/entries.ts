/** What a history has to show: the runs of a bot, and between them the starts that failed before their bot was known. */
import type { FailedStart } from '../../observe/history/failed-starts.js';
import type { Run } from './runs.js';
import { runsWithin } from './summary.js';

export type Entry = Run | FailedStart;

export interface Selection {
  /** How far back to look. */
  readonly sinceMs: number | undefined;
  /** How many of the last ones. */
  readonly last: number | undefined;
  readonly nowMs: number;
}

/** Returns what was asked for, all unless something was, in the order in which it began. */
export function selected(
  runs: readonly Run[],
  failedStarts: readonly FailedStart[],
  { sinceMs, last, nowMs }: Selection,
): readonly Entry[] {
  const fromMs = nowMs - (sinceMs ?? Number.POSITIVE_INFINITY);
  const within = sinceMs === undefined ? runs : runsWithin(runs, { fromMs, toMs: nowMs });
  const failed = failedStarts.filter(({ lastMs }) => lastMs >= fromMs);
  const entries = merged(within, failed);
  return last === undefined ? entries : entries.slice(-last);
}

/** The runs stay in their order, also where the clock was set back between them. */
function merged(runs: readonly Run[], failedStarts: readonly FailedStart[]): readonly Entry[] {
  const waiting = failedStarts.toSorted((one, other) => one.firstMs - other.firstMs);
  const entries: Entry[] = [];
  for (const run of runs) {
    while (waiting[0] && waiting[0].firstMs < run.beganMs) entries.push(...waiting.splice(0, 1));
    entries.push(run);
  }
  return [...entries, ...waiting];
}

export const isRun = (entry: Entry): entry is Run => 'beganMs' in entry;
