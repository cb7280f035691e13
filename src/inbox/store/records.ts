/**
 * The records of the inbox as bytes. A record of updates begins with an index, so that much is known of its updates
 * without parsing their contents. The names in the JSON are part of the format on disk and stay as they are. Decoders
 * throw when a payload has another form than this version writes.
 */
import { isObject } from '../../json.js';
import { type OrderKey, orderKey, type Seq, seq, type UpdateId, updateId } from '../ids.js';
import { type DeadReason, isDeadReason } from '../inbox.js';
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

/** How often an update was begun, and how that ended. */
export interface History {
  /** How often the handler has begun. */
  readonly attempts: number;
  /** How often the process died while the handler was at work, since the update was put back last. */
  readonly deaths: number;
  /** How often a stop has cut the handler, since the update was put back last. */
  readonly cuts: number;
  /** How often the handler has failed and the update was put back. */
  readonly putBacks: number;
  /** How many of the times that the update was put back count as retries of a failing handler. */
  readonly retries: number;
  /** Before this time the handler must not begin again; in milliseconds since 1970, 0 where there is no such time. */
  readonly notBeforeMs: number;
  /** Whether the update is begun, and neither settled, put back nor cut by a stop since. */
  readonly begun: boolean;
}

/** An update without its content. */
export interface UpdateSummary {
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

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export function encodeHeader({ format, bot, runId, nextSeq, recent }: Header): Buffer[] {
  const rows = recent.map(({ atMs, ids }) => [atMs, packRanges(ids)]);
  return [json({ format, bot, run: runId, nextSeq, recent: rows })];
}

/**
 * @param contents JSON: an array of updates, or an answer of Telegram as it was received, with the array as its
 *   `result`. Writing received bytes costs less than serializing the updates again.
 */
export function encodeUpdates(record: UpdatesRecord, contents: Uint8Array): Uint8Array[] {
  const { atMs, confirmedOffset: passed, retryOf, histories } = record;
  const [seqs, ids] = [packRanges(record.seqs), packRanges(record.ids)];
  const places = packRanges(record.contentIndexes);
  const rows = histories.map(([of, history]) => [of, ...packHistory(history)]);
  const marks = packMarks(record.marks);
  return [...withIndex({ atMs, passed, retryOf, seqs, ids, places, rows, marks }), contents];
}

export function encodeMarks(marks: Marks): Buffer[] {
  return [json(packMarks(marks))];
}

export function encodeDeadLetter(letter: DeadLetter, content: Uint8Array): Uint8Array[] {
  const { seq, updateId, key, kind, why, attempts, atMs, error } = letter;
  return [...withIndex({ seq, updateId, key, kind, why, attempts, atMs, error }), content];
}

export function encodeRemovals(removed: readonly Seq[]): Buffer[] {
  return [json(packRanges(removed))];
}

export function decodeHeader(payload: Buffer): Header {
  const { format, bot, run, nextSeq, recent } = fields(parse(payload));
  const isKnown = isReadable(number(format));
  return {
    format: number(format),
    bot: string(bot),
    ...(typeof run === 'string' && { runId: run }),
    // Of another format no more is known.
    nextSeq: seq(isKnown ? number(nextSeq) : 0),
    recent: isKnown ? list(recent).map(decodeArrival) : [],
  };
}

function decodeArrival(row: unknown): Arrival {
  const [atMs, ids] = list(row);
  return { atMs: number(atMs), ids: unpackRanges(ids, updateId) };
}

export interface DecodedUpdates extends UpdatesRecord {
  /** Parses the contents anew at each call, because whoever gets them may change them. */
  contents(): readonly unknown[];
}

export function decodeUpdates(payload: Buffer): DecodedUpdates {
  const { index, end } = readIndex(payload);
  const { atMs, passed, retryOf, seqs, ids, places, rows, marks } = fields(index);
  return {
    atMs: number(atMs),
    confirmedOffset: passed === undefined ? undefined : updateId(number(passed)),
    seqs: unpackRanges(seqs, seq),
    ids: unpackRanges(ids, updateId),
    contentIndexes: unpackRanges(places, (contentIndex) => contentIndex),
    retryOf: retryOf === undefined ? undefined : seq(number(retryOf)),
    histories: list(rows).map((row) => {
      const [of, ...history] = list(row);
      return [seq(number(of)), unpackHistory(history)];
    }),
    marks: unpackMarks(marks),
    contents() {
      const contents = parse(payload.subarray(end));
      return list(Array.isArray(contents) ? contents : fields(contents)['result']);
    },
  };
}

export function decodeMarks(payload: Buffer): Marks {
  return unpackMarks(parse(payload));
}

export function decodeDeadLetter(payload: Buffer): { readonly letter: DeadLetter; readonly content: Buffer } {
  const { index, end } = readIndex(payload);
  const { why, error, ...rest } = fields(index);
  if (!isDeadReason(why)) throw unreadable();
  const letter = {
    seq: seq(number(rest['seq'])),
    updateId: updateId(number(rest['updateId'])),
    key: orderKey(string(rest['key'])),
    kind: string(rest['kind']),
    why,
    attempts: number(rest['attempts']),
    atMs: number(rest['atMs']),
    error: error === undefined ? undefined : string(error),
  } as const;
  return { letter, content: payload.subarray(end) };
}

/** Version 2 removes one letter a record. */
export function decodeRemovals(payload: Buffer): readonly Seq[] {
  const removed = parse(payload);
  return typeof removed === 'number' ? [seq(removed)] : unpackRanges(removed, seq);
}

const packHistory = ({
  attempts,
  deaths,
  begun,
  cuts,
  putBacks,
  retries,
  notBeforeMs,
}: History): number[] => [attempts, deaths, begun ? 1 : 0, cuts, putBacks, retries, notBeforeMs];

/** Version 2 ends behind `begun`. */
function unpackHistory(row: readonly unknown[]): History {
  const [attempts, deaths, begun, cuts = 0, putBacks = 0, retries = 0, notBeforeMs = 0] = row.map(number);
  if (attempts === undefined || deaths === undefined) throw unreadable();
  return { attempts, deaths, begun: begun === 1, cuts, putBacks, retries, notBeforeMs };
}

const packMarks = ({ begun, settled, cut, putBack }: Marks) => [
  packRanges(begun),
  packRanges(settled),
  packRanges(cut),
  ...(putBack.length === 0
    ? []
    : [putBack.flatMap(({ seq, notBeforeMs, isRetry }) => [seq, notBeforeMs, isRetry ? 1 : 0])]),
];

/** Where no update was put back, and in version 2, the fourth list is missing. */
function unpackMarks(rows: unknown): Marks {
  const [begun, settled, cut, putBack = []] = list(rows);
  return {
    begun: unpackRanges(begun, seq),
    settled: unpackRanges(settled, seq),
    cut: unpackRanges(cut, seq),
    putBack: unpackPutBack(list(putBack).map(number)),
  };
}

function unpackPutBack(numbers: readonly number[]): PutBack[] {
  const putBack: PutBack[] = [];
  for (let at = 0; at < numbers.length; at += 3) {
    const [of, notBeforeMs, isRetry] = numbers.slice(at, at + 3);
    if (of === undefined || notBeforeMs === undefined || isRetry === undefined) throw unreadable();
    putBack.push({ seq: seq(of), notBeforeMs, isRetry: isRetry === 1 });
  }
  return putBack;
}

/** Packs numbers that mostly follow one another as ranges: the first number and the length of each. */
function packRanges(numbers: readonly number[]): number[] {
  const ranges: number[] = [];
  let first = 0;
  let length = 0;
  for (const next of numbers) {
    if (length > 0 && next === first + length) {
      length++;
      continue;
    }
    if (length > 0) ranges.push(first, length);
    first = next;
    length = 1;
  }
  if (length > 0) ranges.push(first, length);
  return ranges;
}

/** Longer than any range in a record. */
const MAX_RANGE = 1_000_000;

function unpackRanges<T>(value: unknown, brand: (number: number) => T): readonly T[] {
  const ranges = list(value).map(number);
  const numbers: T[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [first = 0, length = 0] = ranges.slice(at, at + 2);
    if (!Number.isInteger(length) || length < 1 || length > MAX_RANGE) throw unreadable();
    for (let step = 0; step < length; step++) numbers.push(brand(first + step));
  }
  return numbers;
}

/** The index and its length, as they stand in front of the content. */
function withIndex(index: object): [Buffer, Buffer] {
  const text = json(index);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(text.length);
  return [length, text];
}

function readIndex(payload: Buffer): { readonly index: unknown; readonly end: number } {
  const end = 4 + payload.readUInt32LE(0);
  return { index: parse(payload.subarray(4, end)), end };
}

const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** The checksum has shown that the bytes are those that were written, so another program must have written them. */
const unreadable = () => new Error('a record has another form than this version of lastcall writes');

function number(value: unknown): number {
  if (typeof value !== 'number') throw unreadable();
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw unreadable();
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable();
  return value;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw unreadable();
  return value;
}
