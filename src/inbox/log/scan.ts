/**
 * Reads a log from its oldest record to its newest. A log is a folder of segments. A segment is a file of frames,
 * named by the position of its first byte.
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { type FoundFrame, findFrame, frameAt } from './frame.js';
import { type Extent, type Position, position } from './position.js';
import type { Reading } from './reading.js';

/** What a scan has found out about a log besides its records. */
export interface Scan {
  /** The position behind the newest valid record. */
  readonly end: Position;
  /** Where each segment with valid records begins, the oldest first. */
  readonly segments: readonly Position[];
  /** Segments without a valid record: they were torn off before they were durable. */
  readonly discarded: readonly Position[];
  /** How many bytes that were durable cannot be read any more. */
  readonly damagedBytes: number;
}

/** A record cannot be read back, though the log contains its position. */
export class DamagedRecordError extends Error {}

const SEGMENT_NAME = /^(\d{16})\.log$/;

/** The path of the segment that begins at the position. */
export function segmentPath(folder: string, start: Position): string {
  return join(folder, `${`${start}`.padStart(16, '0')}.log`);
}

type Visit = (frame: FoundFrame, extent: Extent) => void;

/**
 * Calls `visit` for each valid record, in the order in which they were written. A record is valid unless it lies in
 * the torn end of the log: what a kill or a power cut has torn was never reported as durable. Where durable bytes are
 * damaged, every other record that can be read is valid. Throws what the disk throws.
 */
export function* scanning(disk: Disk, folder: string, visit: Visit): Reading<Scan> {
  const starts = segmentStarts(disk, folder);
  let damagedBytes = 0;
  let end = starts[0] ?? position(0);
  for (const [index, start] of starts.entries()) {
    const buffer = yield segmentPath(folder, start);
    // A segment that runs on into the next one was torn there.
    const limit = (starts[index + 1] ?? start + buffer.length) - start;
    const content = buffer.subarray(0, limit);
    for (let offset = 0; offset < limit; ) {
      const at = position(start + offset);
      const frame = frameAt(content, offset);
      if (frame) {
        visit(frame, { position: at, length: frame.length });
        offset += frame.length;
        end = position(start + offset);
        continue;
      }
      const newer = starts.slice(index + 1).map((later) => segmentPath(folder, later));
      if (!(yield* wasDurable(at, content.subarray(offset), newer))) {
        const kept = offset > 0 ? index + 1 : index;
        return { end, segments: starts.slice(0, kept), discarded: starts.slice(kept), damagedBytes };
      }
      const next = findFrame(content, offset)?.offset ?? limit;
      damagedBytes += next - offset;
      offset = next;
    }
  }
  const isEmpty = (start: Position) => start >= end;
  return {
    end,
    segments: starts.filter((start) => !isEmpty(start)),
    discarded: starts.filter(isEmpty),
    damagedBytes,
  };
}

/**
 * Reads the payload of one record. Throws what the disk throws, and DamagedRecordError.
 *
 * @param segments where each segment begins, the oldest first
 */
export function readPayload(
  disk: Disk,
  folder: string,
  segments: readonly Position[],
  { position: at, length }: Extent,
): Buffer {
  const start = segments.findLast((first) => first <= at) ?? position(0);
  const path = segmentPath(folder, start);
  const frame = frameAt(disk.read(path, at - start, length), 0);
  if (!frame) throw new DamagedRecordError(`the record at ${at} in ${path} is damaged`);
  return frame.payload;
}

function segmentStarts(disk: Disk, folder: string): Position[] {
  return disk.list(folder).flatMap((name) => {
    const [, digits] = SEGMENT_NAME.exec(name) ?? [];
    return digits === undefined ? [] : [position(Number(digits))];
  });
}

/** Whether a newer record, behind the position or in a newer segment, proves that the log was durable beyond the position. */
function* wasDurable(at: Position, rest: Buffer, newer: readonly string[]): Reading<boolean> {
  if (provesDurable(at, rest)) return true;
  for (const path of newer) if (provesDurable(at, yield path)) return true;
  return false;
}

function provesDurable(at: Position, content: Buffer): boolean {
  for (let frame = findFrame(content, 0); frame; frame = findFrame(content, frame.offset + frame.length))
    if (frame.durableEnd > at) return true;
  return false;
}
