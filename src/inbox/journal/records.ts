/**
 * What the journal writes down, as bytes. Records of updates begin with an index, so that much can be learnt of many
 * updates without reading their contents.
 */
import type { Settlement } from '../inbox.js';

/** Written at the head of each segment; a version that this program does not know is left alone. */
export const FORMAT = 1;

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
  /** The ids that Telegram may still send again, each with the time of its arrival. */
  readonly recent: readonly (readonly [id: number, atMs: number])[];
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
  readonly history?: History;
}

/** An update's index, and which of the record's contents is its own. */
export interface Placed extends Indexed {
  readonly place: number;
}

export interface UpdatesRecord {
  /** When they arrived; milliseconds since 1970. */
  readonly atMs: number;
  /** Telegram had answered a poll from here when it sent them: it has forgotten all below. */
  readonly passed: number | undefined;
  readonly updates: readonly Placed[];
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
  return [json({ format, bot, run, nextSeq, recent })];
}

/**
 * @param contents JSON: an array of updates, or an answer of Telegram's as it was received, which has one as its `result`.
 *   To write down what is at hand costs less than to make a text of it anew.
 */
export function encodeUpdates({ atMs, passed, updates }: UpdatesRecord, contents: Uint8Array): Uint8Array[] {
  const rows = updates.map(({ seq, updateId, key, kind, place, history }) =>
    history
      ? [seq, updateId, key, kind, place, history.runs, history.deaths, history.begun ? 1 : 0]
      : [seq, updateId, key, kind, place],
  );
  return [...indexed({ atMs, passed, rows }), contents];
}

export function encodeMarks({ begun, settled, cut }: Marks): Buffer[] {
  return [json([begun, settled, cut])];
}

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
    recent:
      format === FORMAT ? list(recent).map((pair) => [number(list(pair)[0]), number(list(pair)[1])]) : [],
  };
}

export interface DecodedUpdates extends UpdatesRecord {
  /** The contents, made anew at each call, as whoever gets them may change them. */
  contents(): readonly unknown[];
}

export function decodeUpdates(payload: Buffer): DecodedUpdates {
  const { value, end } = readIndex(payload);
  const { atMs, passed, rows } = fields(value);
  const updates = list(rows).map((row) => {
    const [seq, updateId, key, kind, place, runs, deaths, begun] = list(row);
    return {
      seq: number(seq),
      updateId: number(updateId),
      key: string(key),
      kind: string(kind),
      place: number(place),
      ...(runs !== undefined && {
        history: { runs: number(runs), deaths: number(deaths), begun: begun === 1 },
      }),
    };
  });
  return {
    atMs: number(atMs),
    passed: passed === undefined ? undefined : number(passed),
    updates,
    contents() {
      const contents = parse(payload.subarray(end));
      return list(Array.isArray(contents) ? contents : fields(contents)['result']);
    },
  };
}

export function decodeMarks(payload: Buffer): Marks {
  const [begun, settled, cut] = list(parse(payload));
  return { begun: list(begun).map(number), settled: list(settled).map(number), cut: list(cut).map(number) };
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
