/**
 * The records of a bot's history on disk: one JSON object a line, in the order in which things happened. All `atMs` are
 * milliseconds since 1970 by the system's clock; what ends in `Ms` otherwise is a duration.
 */
import type { RunPhase } from '../../host/run-record.js';
import type { Step } from '../../lifecycle/outcome.js';
import type { StopKind } from '../../lifecycle/stop-reason.js';
import type { PollingStatus } from '../status/report.js';

type PollingState = PollingStatus['state'];

/** The files in the folder of a bot, the older one first. Watchers of sources leave out names that end like these. */
export const HISTORY_FILES = ['history.old.jsonl', 'history.jsonl'] as const;

/** How the run before this one was when it wrote that down last, as this run has found it. */
export interface PreviousEnd {
  readonly pid: number;
  readonly phase: RunPhase;
  readonly hook?: string | undefined;
  /** When the phase began. */
  readonly sinceMs: number;
  readonly exitCode?: number | undefined;
  /** Present if the run did not end by itself. */
  readonly killed?:
    | {
        readonly machineRestarted: boolean;
        /** The likely cause or what to change, as part of a sentence. */
        readonly advice: string;
      }
    | undefined;
}

/** A step of the start or of the stop. `afterMs` counts from the beginning of the run, or from the request to stop. */
export interface StepRecord {
  readonly hook: string;
  readonly step: Step;
  readonly afterMs: number;
  readonly durationMs: number;
  readonly result: 'done' | 'called-off' | 'failed' | 'cut';
  /** How long the step might last; absent where it had no limit. */
  readonly limitMs?: number | undefined;
  readonly error?: string | undefined;
}

/** What handlers took that ended within the last minutes. */
export interface HandlerSample {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

interface OfRun {
  /** The same for all records of a bot in a run. */
  readonly run: string;
  readonly atMs: number;
}

/** The run has the bot's lock. The record is repeated in each file that the run comes to write to. */
export interface BegunRecord extends OfRun {
  readonly kind: 'begun';
  readonly pid: number;
  readonly place?: string | undefined;
  readonly supervisor: string;
  readonly previous?: PreviousEnd | undefined;
  /** The last change of polling before the file was begun; absent where there was none. */
  readonly lastState?: Omit<StateRecord, 'kind' | 'run' | 'gapMs'> | undefined;
}

/** The bot polls from now on, or something keeps it from that. */
export interface StateRecord extends OfRun {
  readonly kind: 'state';
  readonly state: PollingState;
  readonly why?: string | undefined;
  /** As people know the bot: `@my_bot`. */
  readonly name?: string | undefined;
  /** Without an answer for this long, where polling has recovered. */
  readonly gapMs?: number | undefined;
}

/** A sign of life, and how the bot does. The counts are those of this run so far. */
export interface SampleRecord extends OfRun {
  readonly kind: 'sample';
  readonly state: PollingState;
  readonly waiting: number;
  readonly running: number;
  readonly handled: number;
  /** Failed, caught, timed out or expired. */
  readonly failed: number;
  /** The age of the oldest update that is not settled. */
  readonly oldestMs?: number | undefined;
  readonly handlers?: HandlerSample | undefined;
}

/** The process did not run for `ms`, until now. */
interface StoodStillRecord extends OfRun {
  readonly kind: 'stood-still';
  readonly ms: number;
}

/** A stop was requested. */
export interface StoppingRecord extends OfRun {
  readonly kind: 'stopping';
  readonly reason: string;
  readonly budgetMs: number;
}

/** The receipt. */
export interface EndedRecord extends OfRun {
  readonly kind: 'ended';
  readonly reason: string;
  readonly reasonKind: StopKind | 'bot-ended';
  readonly outcome: 'clean' | 'cut' | 'fault';
  readonly exitCode: number;
  /** How long this process had the bot, by a clock that nobody sets. */
  readonly upMs: number;
  readonly stopMs: number;
  readonly steps: readonly StepRecord[];
  readonly counts: Readonly<Record<string, number>>;
}

export type HistoryRecord =
  | BegunRecord
  | StateRecord
  | SampleRecord
  | StoodStillRecord
  | StoppingRecord
  | EndedRecord;
