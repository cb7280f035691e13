/**
 * What the journal writes down, as bytes. Records of updates begin with an index, so that much can be learnt of many
 * updates without reading their contents.
 */
import type { Settlement } from '../inbox.js';
import type { Arrival } from './recent.js';

/** Written at the head of each segment; a version that this program does not know is left alone. */
export const FORMAT = 2;

export const RecordKind = {
  /** The beginning of a segment: whose log it is, and what the segments before may have taken with them. */
  head: 1,
  /** Updates, in order of arrival. */
  updates: 2,
  /** What became of them. */
  marks: 3,
  /** An update that was given up, or failed; in a file of its own. */
  deadLetter: 4,
  /** A dead letter is gone. */
  removal: 5,
  /** What was not settled of a record of updates, written anew so that its segment can go. */
  rewritten: 6,
} as const;

export interface Head {
  readonly format: number;
  /** The bot's key. */
  readonly bot: string;
  /** Which run of the program wrote the segment, by the id of the store's owner. */
  readonly run?: string;
  readonly nextSeq: number;
  /** The ids that Telegram may still send again. */
  readonly recent: readonly Arrival[];
}

/** How often an update was begun, and how it ended those times. */
export interface History {
  /** Runs of the program that have begun it. */
  readonly runs: number;
  /** Those of them that died of it, or beside it. */
  readonly deaths: number;
  /** Begun, and neither settled nor cut by a stop, as far as is written. */
  readonly begun: boolean;
}

/** An update without its content. */
export interface Indexed {
  /** The journal's own number, which only ever rises: update ids may jump, and come again. */
  readonly seq: number;
  readonly updateId: number;
  readonly key: string;
  readonly kind: string;
}

/** Updates, in order of arrival: what is said of each stands in the same place of each list. */
export interface UpdatesRecord {
  /** When they arrived; milliseconds since 1970. */
  readonly atMs: number;
  /** Telegram had answered a poll from here when it sent them: it has forgotten all below. */
  readonly passed: number | undefined;
  /** The journal's own numbers. */
  readonly seqs: readonly number[];
  readonly ids: readonly number[];
  /** Which of the record's contents is whose. */
  readonly places: readonly number[];
  /** Of those that were begun before they were written down here. */
  readonly histories: readonly (readonly [seq: number, history: History])[];
  /** What became of others before. */
  readonly marks: Marks;
}

export interface Marks {
  readonly begun: readonly number[];
  readonly settled: readonly number[];
  /** Begun, but cut by a stop. */
  readonly cut: readonly number[];
}

export interface DeadLetter extends Indexed {
  readonly why: Exclude<Settlement, 'handled'> | 'died';
  /** How often it was begun. */
  readonly attempts: number;
  readonly atMs: number;
  /** The error, in words, where there is one. */
  readonly error: string | undefined;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export function encodeHead({ format, bot, run, nextSeq, recent }: Head): Buffer[] {
  const rows = recent.map(({ atMs, ids }) => [atMs, runsOf(ids)]);
  return [json({ format, bot, run, nextSeq, recent: rows })];
}

/**
 * @param contents JSON: an array of updates, or an answer of Telegram's as it was received, which has one as its `result`.
 *   To write down what is at hand costs less than to make a text of it anew.
 */
export function encodeUpdates(record: UpdatesRecord, contents: Uint8Array): Uint8Array[] {
  const { atMs, passed, histories } = record;
  const [seqs, ids, places] = [runsOf(record.seqs), runsOf(record.ids), runsOf(record.places)];
  const rows = histories.map(([seq, { runs, deaths, begun }]) => [seq, runs, deaths, begun ? 1 : 0]);
  return [...indexed({ atMs, passed, seqs, ids, places, rows, marks: rowsOf(record.marks) }), contents];
}

export function encodeMarks(marks: Marks): Buffer[] {
  return [json(rowsOf(marks))];
}

const rowsOf = ({ begun, settled, cut }: Marks) => [runsOf(begun), runsOf(settled), runsOf(cut)];

export function encodeDeadLetter(letter: DeadLetter, text: Uint8Array): Uint8Array[] {
  const { seq, updateId, key, kind, why, attempts, atMs, error } = letter;
  return [...indexed({ seq, updateId, key, kind, why, attempts, atMs, error }), text];
}

export function encodeRemoval(seq: number): Buffer[] {
  return [json(seq)];
}

export function decodeHead(payload: Buffer): Head {
  const { format, bot, run, nextSeq, recent } = fields(parse(payload));
  return {
    format: number(format),
    bot: string(bot),
    ...(typeof run === 'string' && { run }),
    // Of a newer format nothing more is known.
    nextSeq: format === FORMAT ? number(nextSeq) : 0,
    recent: format === FORMAT ? list(recent).map(arrivalOf) : [],
  };
}

function arrivalOf(row: unknown): Arrival {
  const [atMs, ids] = list(row);
  return { atMs: number(atMs), ids: numbersOf(ids) };
}

export interface DecodedUpdates extends UpdatesRecord {
  /** The contents, made anew at each call, as whoever gets them may change them. */
  contents(): readonly unknown[];
}

export function decodeUpdates(payload: Buffer): DecodedUpdates {
  const { value, end } = readIndex(payload);
  const { atMs, passed, seqs, ids, places, rows, marks } = fields(value);
  return {
    atMs: number(atMs),
    passed: passed === undefined ? undefined : number(passed),
    seqs: numbersOf(seqs),
    ids: numbersOf(ids),
    places: numbersOf(places),
    histories: list(rows).map((row) => {
      const [seq, runs, deaths, begun] = list(row);
      return [number(seq), { runs: number(runs), deaths: number(deaths), begun: begun === 1 }];
    }),
    marks: marksOf(marks),
    contents() {
      const contents = parse(payload.subarray(end));
      return list(Array.isArray(contents) ? contents : fields(contents)['result']);
    },
  };
}

export function decodeMarks(payload: Buffer): Marks {
  return marksOf(parse(payload));
}

function marksOf(rows: unknown): Marks {
  const [begun, settled, cut] = list(rows);
  return { begun: numbersOf(begun), settled: numbersOf(settled), cut: numbersOf(cut) };
}

export function decodeDeadLetter(payload: Buffer): { readonly letter: DeadLetter; readonly text: Buffer } {
  const { value, end } = readIndex(payload);
  const { seq, updateId, key, kind, why, attempts, atMs, error } = fields(value);
  if (why !== 'failed' && why !== 'timed-out' && why !== 'died') throw unreadable();
  const letter = {
    seq: number(seq),
    updateId: number(updateId),
    key: string(key),
    kind: string(kind),
    why,
    attempts: number(attempts),
    atMs: number(atMs),
    error: error === undefined ? undefined : string(error),
  } as const;
  return { letter, text: payload.subarray(end) };
}

export function decodeRemoval(payload: Buffer): number {
  return number(parse(payload));
}

/** Numbers most of which follow the one before, in short: where each such run begins, and its length. */
function runsOf(numbers: readonly number[]): number[] {
  const runs: number[] = [];
  let first = 0;
  let length = 0;
  for (const next of numbers) {
    if (length > 0 && next === first + length) {
      length++;
      continue;
    }
    if (length > 0) runs.push(first, length);
    first = next;
    length = 1;
  }
  if (length > 0) runs.push(first, length);
  return runs;
}

function numbersOf(value: unknown): readonly number[] {
  const runs = list(value).map(number);
  const numbers: number[] = [];
  for (let at = 0; at < runs.length; at += 2) {
    const [first = 0, length = 0] = runs.slice(at, at + 2);
    if (!Number.isInteger(length) || length < 1 || length > LONGEST_RUN) throw unreadable();
    for (let step = 0; step < length; step++) numbers.push(first + step);
  }
  return numbers;
}

/** No record holds so many. */
const LONGEST_RUN = 1_000_000;

/** An index in front of what it is the index of. */
function indexed(index: object): [Buffer, Buffer] {
  const text = json(index);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(text.length);
  return [length, text];
}

function readIndex(payload: Buffer): { readonly value: unknown; readonly end: number } {
  const end = 4 + payload.readUInt32LE(0);
  return { value: parse(payload.subarray(4, end)), end };
}

const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** The bytes are those that were written, their checksum says so: they can only be from a program that differs. */
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
  if (typeof value !== 'object' || value === null) throw unreadable();
  return { ...value };
}
