/** Reads which dead letters an inbox has, and where each is, but not their contents. */
import { join } from 'node:path';
import type { Seq } from '../ids.js';
import type { Disk } from '../log/disk.js';
import { findFrame, frameAt } from '../log/frame.js';
import { type Extent, type Position, position } from '../log/position.js';
import { type Reading, readNow } from '../log/reading.js';
import { DamagedRecordError, readPayload, type Scan, scanning } from '../log/scan.js';
import { decodeDeadLetter, decodeRemovals } from './record-codec.js';
import { type DeadLetter, RecordKind } from './records.js';

/** What is kept in memory of a dead letter. The error is not: its stack may be longer than the update. */
export type LetterSummary = Omit<DeadLetter, 'error'>;

export interface IndexedLetter {
  readonly summary: LetterSummary;
  readonly extent: Extent;
  /** Whether the letter is in the only file that versions before format 3 had. */
  readonly isInOldFile: boolean;
}

/** The dead letters by the numbers of their updates, the oldest first. */
export class DeadLetterIndex {
  #letters = new Map<Seq, IndexedLetter>();
  #bytes = 0;

  [Symbol.iterator](): Iterator<IndexedLetter> {
    return this.#letters.values();
  }

  get size(): number {
    return this.#letters.size;
  }

  /** How many bytes the letters take on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  get(seq: Seq): IndexedLetter | undefined {
    return this.#letters.get(seq);
  }

  /** All letters, the oldest first. */
  list(): readonly LetterSummary[] {
    return Array.from(this.#letters.values(), ({ summary }) => summary);
  }

  /** Adds a letter, or changes where it is. */
  set(letter: IndexedLetter): void {
    const { seq } = letter.summary;
    this.#bytes += letter.extent.length - (this.#letters.get(seq)?.extent.length ?? 0);
    this.#letters.set(seq, letter);
  }

  delete(seq: Seq): void {
    this.#bytes -= this.#letters.get(seq)?.extent.length ?? 0;
    this.#letters.delete(seq);
  }

  /** Restores the order by age, which rewriting changes on disk. */
  sort(): void {
    const sorted = [...this.#letters].sort(
      ([oneSeq, { summary: one }], [otherSeq, { summary: other }]) =>
        one.atMs - other.atMs || oneSeq - otherSeq,
    );
    this.#letters = new Map(sorted);
  }
}

export interface DeadLettersOnDisk {
  readonly index: DeadLetterIndex;
  readonly scan: Scan;
  /** How many bytes of the old file cannot be read; undefined if there is no such file. */
  readonly oldDamagedBytes: number | undefined;
}

/** The folder of the dead letters' log in the folder of the inbox. */
export const deadLettersFolder = (folder: string): string => join(folder, 'dead-letters');

const OLD_FILE_NAME = 'dead-letters.log';
export const oldDeadLettersPath = (folder: string): string => join(folder, OLD_FILE_NAME);

/** Throws what the disk throws. */
export function readDeadLetters(disk: Disk, folder: string): DeadLettersOnDisk {
  return readNow(disk, readingDeadLetters(disk, folder));
}

/** As `readDeadLetters`, in steps. */
export function* readingDeadLetters(disk: Disk, folder: string): Reading<DeadLettersOnDisk> {
  const index = new DeadLetterIndex();
  const replay = (kind: number, payload: Buffer, extent: Extent, isInOldFile: boolean) => {
    if (kind === RecordKind.removal) for (const seq of decodeRemovals(payload)) index.delete(seq);
    if (kind !== RecordKind.deadLetter) return;
    const { error: _, ...summary } = decodeDeadLetter(payload).letter;
    index.set({ summary, extent, isInOldFile });
  };
  const oldDamagedBytes = disk.list(folder).includes(OLD_FILE_NAME)
    ? scanOldFile(yield oldDeadLettersPath(folder), replay)
    : undefined;
  const scan = yield* scanning(disk, deadLettersFolder(folder), ({ kind, payload }, extent) =>
    replay(kind, payload, extent, false),
  );
  index.sort();
  return { index, scan, oldDamagedBytes };
}

/** Returns how many bytes are damaged; a torn end does not count. */
function scanOldFile(
  content: Buffer,
  replay: (kind: number, payload: Buffer, extent: Extent, isInOldFile: boolean) => void,
): number {
  let damagedBytes = 0;
  let end = 0;
  for (let frame = findFrame(content, 0); frame; frame = findFrame(content, end)) {
    const { kind, payload, offset, length } = frame;
    damagedBytes += offset - end;
    end = offset + length;
    replay(kind, payload, { position: position(offset), length }, true);
  }
  return damagedBytes;
}

/**
 * Reads the record of a letter. Throws what the disk throws, and DamagedRecordError: the process at work may have removed
 * the letter.
 *
 * @param segments where each segment of the log begins, the oldest first
 */
export function readLetterPayload(
  disk: Disk,
  folder: string,
  segments: readonly Position[],
  { extent, isInOldFile }: IndexedLetter,
): Buffer {
  if (!isInOldFile) return readPayload(disk, deadLettersFolder(folder), segments, extent);
  const path = oldDeadLettersPath(folder);
  const frame = frameAt(disk.read(path, extent.position, extent.length), 0);
  if (!frame) throw new DamagedRecordError(`the dead letter at ${extent.position} in ${path} is damaged`);
  return frame.payload;
}
