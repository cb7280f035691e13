/** What the records of the inbox hold. */
import type { AttemptHistory } from '../attempt-history.js';
import type { OrderKey, Seq, UpdateId } from '../ids.js';
import type { DeadReason } from '../inbox.js';
import type { Arrival } from '../recent-ids.js';

/** The version of the format that is written, which stands in each header. */
export const FORMAT = 3;

/** The oldest version that was ever released. It has no put-back updates. */
const OLDEST_FORMAT = 2;

/** Whether an inbox of this version can be read, and is brought up to date; any other is left alone. */
export const isReadable = (format: number): boolean => format >= OLDEST_FORMAT && format <= FORMAT;

export const RecordKind = {
  /** The first record of a segment: whose log it is, and what only older segments would tell. */
  header: 1,
  /** Updates, in order of arrival. */
  updates: 2,
  /** What has become of updates. */
  marks: 3,
  /** An update that was given up; in a file of its own. */
  deadLetter: 4,
  /** The removal of dead letters. */
  removal: 5,
  /** The unsettled updates of an older record, rewritten so that its segment can be removed. */
  rewritten: 6,
  /** A stop has begun in order: a process that is killed from here on was cut by it. Has no payload. */
  draining: 7,
  /** Without content: the stop has become a fault. */
  drainFailed: 8,
  /** Without content: the log was closed in order, so that whatever is broken before this record was damaged since. */
  closed: 9,
} as const;

export interface Header {
  readonly format: number;
  /** The bot's key. */
  readonly bot: string;
  /** The run of the program that has written the segment. */
  readonly runId?: string;
  readonly nextSeq: Seq;
  /** The ids that Telegram may send again. */
  readonly recent: readonly Arrival[];
}

/** The history of an update in the journal. */
export interface History extends AttemptHistory {
  /** Before this time the handler must not begin again; in milliseconds since 1970, 0 where there is no such time. */
  readonly notBeforeMs: number;
  /** Whether the update is begun, and neither settled, put back nor cut by a stop since. */
  readonly begun: boolean;
}

/** An update without its content. */
interface UpdateSummary {
  /** The inbox's own number, which only ever rises; update ids may jump and come again. */
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly kind: string;
}

/** Updates in order of arrival. The lists run in parallel: index i of each belongs to the same update. */
export interface UpdatesRecord {
  /** When the updates arrived, in milliseconds since 1970. */
  readonly atMs: number;
  /** The offset of the poll that these updates answered: Telegram has forgotten everything below it. */
  readonly confirmedOffset: UpdateId | undefined;
  readonly seqs: readonly Seq[];
  readonly ids: readonly UpdateId[];
  /** For each update the index of its content in the record's contents. */
  readonly contentIndexes: readonly number[];
  /** The dead letter that the record's only update was, if somebody has asked for another try. */
  readonly retryOf?: Seq | undefined;
  /** The histories of the updates that were begun before this record was written. */
  readonly histories: readonly (readonly [seq: Seq, history: History])[];
  /** What has become of other updates before this record was written. */
  readonly marks: Marks;
}

export interface Marks {
  readonly begun: readonly Seq[];
  readonly settled: readonly Seq[];
  /** Updates whose handler a stop has cut. */
  readonly cut: readonly Seq[];
  /** Updates whose handler is to begin again. */
  readonly putBack: readonly PutBack[];
}

export interface PutBack {
  readonly seq: Seq;
  /** See {@link History.notBeforeMs}. */
  readonly notBeforeMs: number;
  /** Whether this counts as a retry of a failing handler. */
  readonly isRetry: boolean;
}

export const noMarks = () => ({
  begun: [] as Seq[],
  settled: [] as Seq[],
  cut: [] as Seq[],
  putBack: [] as PutBack[],
});

export interface DeadLetter extends UpdateSummary {
  readonly why: DeadReason;
  /** How many runs have begun the update. */
  readonly attempts: number;
  /** When the update was given up, in milliseconds since 1970. */
  readonly atMs: number;
  /** The error as text, if there was one. */
  readonly error: string | undefined;
}

/** A record of updates as it is read. */
export interface DecodedUpdates extends UpdatesRecord {
  /** Parses the contents anew at each call, because whoever gets them may change them. */
  contents(): readonly unknown[];
}
