/** Reads updates back from the log. The records read last are cached, because a record holds updates of several chats. */
import type { Seq, UpdateId } from '../ids.js';
import type { Log } from '../log/log.js';
import type { Extent, Position } from '../log/position.js';
import type { Batch } from './batch.js';
import { decodeUpdates } from './record-codec.js';
import type { UpdatesRecord } from './records.js';

/** An update as it was written. */
export interface StoredUpdate {
  readonly seq: Seq;
  /** When the update was accepted, in milliseconds since 1970. */
  readonly acceptedAtMs: number;
  readonly updateId: UpdateId;
  readonly content: unknown;
}

/** A record of updates with its contents parsed. */
export interface ParsedRecord extends UpdatesRecord {
  readonly contents: readonly unknown[];
}

/** With the size below, 4 MiB of JSON at most. */
const MAX_RECORDS = 32;
const MAX_RECORD_BYTES = 128 * 1024;

export class RecordCache {
  readonly #log: Log;
  /** The records that were read last, the oldest first. */
  readonly #records = new Map<Position, ParsedRecord>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Reads as `readRecord` does, unless the record is in the cache. */
  read(extent: Extent): ParsedRecord {
    const cached = this.#records.get(extent.position);
    if (cached) return cached;
    const record = readRecord(this.#log, extent);
    if (extent.length > MAX_RECORD_BYTES) return record;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined && this.#records.size >= MAX_RECORDS) this.#records.delete(oldest);
    this.#records.set(extent.position, record);
    return record;
  }
}

/** Reads a record of updates. Throws what the disk throws, and DamagedRecordError. */
export function readRecord(log: Log, extent: Extent): ParsedRecord {
  return parseRecord(log.read(extent));
}

export function parseRecord(payload: Buffer): ParsedRecord {
  const { contents, ...record } = decodeUpdates(payload);
  return { ...record, contents: contents() };
}

/** Those of the wanted updates that are in the record and not settled, in the order in which they are wanted. */
export function unsettledUpdates(
  batch: Batch,
  { atMs: acceptedAtMs, seqs, ids, contentIndexes, contents }: ParsedRecord,
  wanted: readonly Seq[],
): StoredUpdate[] {
  const found: StoredUpdate[] = [];
  for (const seq of wanted) {
    const index = batch.has(seq) ? indexOf(seqs, seq) : -1;
    const [updateId, contentIndex] = [ids[index], contentIndexes[index]];
    if (updateId === undefined || contentIndex === undefined) continue;
    found.push({ seq, updateId, acceptedAtMs, content: contents[contentIndex] });
  }
  return found;
}

/** The index of a number in ascending order; found at once where none is missing before it, as in most records. */
function indexOf(seqs: readonly Seq[], seq: Seq): number {
  const index = seq - (seqs[0] ?? seq);
  return seqs[index] === seq ? index : seqs.indexOf(seq);
}
