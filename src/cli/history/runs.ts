/** Makes the runs of a bot of the records that they have left, and of what is known of those that have left no receipt. */
import type {
  BegunRecord,
  EndedRecord,
  HistoryRecord,
  PreviousEnd,
  SampleRecord,
  StateRecord,
  StoppingRecord,
} from '../../observe/history/record.js';

/** What is known of a run of which no end is recorded, from elsewhere than its records. */
export type Fate =
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped'; readonly atMs: number; readonly exitCode: number | undefined }
  | {
      readonly kind: 'killed';
      /** The last phase that the run had recorded, and when that began. */
      readonly phase: PreviousEnd['phase'];
      readonly hook?: string | undefined;
      readonly sinceMs: number;
      readonly machineRestarted: boolean;
      /** The likely cause or what to change, as part of a sentence. */
      readonly advice?: string | undefined;
    }
  | { readonly kind: 'unknown' };

/** How a run has ended. It ended at `fromMs` at the earliest and at `toMs` at the latest. */
type RunEnd = { readonly fromMs: number; readonly toMs: number } & (
  | { readonly kind: 'receipt'; readonly receipt: EndedRecord }
  /** By itself, but its receipt could not be written. */
  | { readonly kind: 'stopped'; readonly exitCode: number | undefined }
  | Omit<Extract<Fate, { kind: 'killed' }>, 'sinceMs'>
  | { readonly kind: 'running' | 'unknown' }
);

/** - `stopping`: from the request to stop on. */
type StretchState = StateRecord['state'] | 'stopping';

/** A time in which a bot was in one state. */
export interface Stretch {
  readonly state: StretchState;
  readonly why?: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Run {
  readonly id: string;
  readonly pid: number;
  readonly supervisor: string;
  readonly beganMs: number;
  readonly end: RunEnd;
  /** The request to stop, unless there was none. */
  readonly stopping: StoppingRecord | undefined;
  /** Without a gap to the last sign of life, from the beginning or, in a run longer than what is kept, from a later time. */
  readonly stretches: readonly Stretch[];
  readonly samples: readonly SampleRecord[];
  /** When the process stood still. */
  readonly standstills: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** How long nobody polled before this run did; undefined if it did not, or nobody had polled before. */
  readonly gap: { readonly ms: number; readonly isAtMost: boolean } | undefined;
}

/** Gathers the records of one run. */
interface RunRecords {
  /** The first that is kept: it is repeated in each file. */
  begun?: BegunRecord;
  readonly others: HistoryRecord[];
}

/**
 * Returns the runs in the order in which they began.
 *
 * @param fateOf what is known of a run after which no other one has told of it
 */
export function runsOf(
  records: Iterable<HistoryRecord>,
  fateOf: (begun: BegunRecord, lastSignMs: number) => Fate,
  nowMs: number,
): readonly Run[] {
  const byRun = new Map<string, RunRecords>();
  for (const record of records) {
    const known = byRun.get(record.run) ?? { others: [] };
    byRun.set(record.run, known);
    if (record.kind !== 'begun') known.others.push(record);
    else known.begun ??= record;
  }
  const all = [...byRun.values()].flatMap(({ begun, others }) =>
    begun ? [{ begun, own: [begun, ...others] }] : [],
  );
  const runs: Run[] = [];
  for (const [index, { begun, own }] of all.entries()) {
    const next = all[index + 1]?.begun;
    const told = next?.previous?.pid === begun.pid ? fateIn(next.previous) : undefined;
    runs.push(runOf(begun, own, (signMs) => told ?? fateOf(begun, signMs), next?.atMs ?? nowMs, nowMs, runs));
  }
  return runs;
}

/** The name that people know the bot by, as it was last. */
export function nameIn(records: readonly HistoryRecord[]): string | undefined {
  for (const record of records.toReversed())
    switch (record.kind) {
      case 'state':
        if (record.name !== undefined) return record.name;
        break;
      case 'begun':
        if (record.lastState?.name !== undefined) return record.lastState.name;
    }
  return undefined;
}

function fateIn({ phase, hook, sinceMs, exitCode, killed }: PreviousEnd): Fate {
  return killed || phase !== 'stopped'
    ? { kind: 'killed', ...{ phase, hook, sinceMs }, ...(killed ?? { machineRestarted: false }) }
    : { kind: 'stopped', atMs: sinceMs, exitCode };
}

function runOf(
  begun: BegunRecord,
  records: readonly HistoryRecord[],
  fateOf: (lastSignMs: number) => Fate,
  nextMs: number,
  nowMs: number,
  earlier: readonly Run[],
): Run {
  const receipt = records.find((record) => record.kind === 'ended');
  const signMs = Math.max(...records.map(({ atMs }) => atMs));
  const end: RunEnd = receipt
    ? { kind: 'receipt', receipt, fromMs: receipt.atMs, toMs: receipt.atMs }
    : endBy(fateOf(signMs), signMs, nextMs, nowMs);
  const stretches = stretchesOf(records, end.fromMs);
  return {
    ...{ id: begun.run, pid: begun.pid, supervisor: begun.supervisor, beganMs: begun.atMs },
    end,
    stopping: records.find((record) => record.kind === 'stopping'),
    stretches,
    samples: records.filter((record) => record.kind === 'sample'),
    standstills: records.flatMap((record) =>
      record.kind === 'stood-still' ? [{ fromMs: record.atMs - record.ms, toMs: record.atMs }] : [],
    ),
    gap: gapBefore(stretches, earlier),
  };
}

function endBy(fate: Fate, signMs: number, nextMs: number, nowMs: number): RunEnd {
  const toMs = Math.max(signMs, nextMs);
  switch (fate.kind) {
    case 'running':
      return { kind: 'running', fromMs: nowMs, toMs: nowMs };
    case 'stopped': {
      const { exitCode, atMs } = fate;
      return { kind: 'stopped', exitCode, fromMs: atMs, toMs: atMs };
    }
    case 'killed': {
      const { sinceMs, ...how } = fate;
      return { ...how, fromMs: Math.min(Math.max(signMs, sinceMs), toMs), toMs };
    }
    case 'unknown':
      return { kind: 'unknown', fromMs: signMs, toMs };
  }
}

interface Change {
  readonly state: StretchState;
  readonly why?: string | undefined;
  fromMs: number;
}

/** What was the case from when to when, until the run ended. */
function stretchesOf(records: readonly HistoryRecord[], endMs: number): readonly Stretch[] {
  const changes: Change[] = [];
  for (const record of records) {
    const last = changes.at(-1);
    if (record.kind === 'begun') changes.push(firstIn(record));
    if (record.kind === 'stopping') changes.push({ state: 'stopping', fromMs: record.atMs });
    if (last?.state === 'stopping') continue;
    if (record.kind === 'state') {
      const { state, why, atMs, gapMs = 0 } = record;
      // A failed poll is known to have failed at its end only. What hindered may have changed since.
      const first = changes[changes.findLastIndex((change) => change.state !== 'hindered') + 1];
      if (first) first.fromMs = Math.min(first.fromMs, atMs - gapMs);
      changes.push({ state, why, fromMs: atMs });
    }
    // Not all changes of a bot are recorded that loses and finds Telegram again and again.
    if (record.kind === 'sample' && last && record.state !== last.state)
      changes.push({ state: record.state, fromMs: record.atMs });
  }
  return changes.map((change, index) => ({
    ...change,
    toMs: Math.max(change.fromMs, changes[index + 1]?.fromMs ?? endMs),
  }));
}

/** What came before the last change of polling that a repeated record tells of is not known any more. */
function firstIn({ atMs, lastState }: BegunRecord): Change {
  return lastState
    ? { state: lastState.state, why: lastState.why, fromMs: lastState.atMs }
    : { state: 'connecting', fromMs: atMs };
}

function gapBefore(stretches: readonly Stretch[], earlier: readonly Run[]): Run['gap'] {
  const first = stretches.find(({ state }) => state === 'polling');
  if (!first) return undefined;
  for (const run of earlier.toReversed()) {
    const last = run.stretches.findLast(({ state }) => state === 'polling');
    if (last)
      return {
        ms: Math.max(0, first.fromMs - last.toMs),
        isAtMost: run.end.fromMs < run.end.toMs && last === run.stretches.at(-1),
      };
  }
  return undefined;
}
