/**
 * The records of the inbox as bytes. A record of updates begins with an index, so that much is known of its updates
 * without parsing their contents. The names in the JSON are part of the format on disk and stay as they are. Decoders
 * throw when a payload has another form than this version writes.
 */
import { orderKey, type Seq, seq, updateId } from '../ids.js';
import { isDeadReason } from '../inbox.js';
import type { Arrival } from '../recent-ids.js';
import { fields, list, number, packRanges, parse, string, unpackRanges, unreadable } from './packing.js';
import {
  type DeadLetter,
  type DecodedUpdates,
  type Header,
  type History,
  isReadable,
  type Marks,
  type PutBack,
  type UpdatesRecord,
} from './records.js';

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
