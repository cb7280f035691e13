/**
 * Reads a log from its oldest record to its newest. A log is a folder of segments; a segment is a file of frames, named
 * by the position in the log of its first byte, so that positions stay what they are when old segments are removed.
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { type FoundFrame, frameAt, nextFrame } from './frame.js';

/** Where a record is: its first byte's position in the log, and how many bytes it has. */
export interface Place {
  readonly position: number;
  readonly length: number;
}

export interface Scan {
  /** Behind the newest record that counts. */
  readonly end: number;
  /** The positions at which the segments begin, in order; none of them at `end` or behind it. */
  readonly segments: readonly number[];
  /** Segments that hold nothing that counts: torn off before they were safe. */
  readonly void: readonly number[];
  /** How much of what was safe cannot be read any more. */
  readonly damagedBytes: number;
}

const SEGMENT_NAME = /^(\d{16})\.log$/;

export function segmentPath(folder: string, position: number): string {
  return join(folder, `${`${position}`.padStart(16, '0')}.log`);
}

/**
 * Calls `visit` for each record that counts, in the order in which they were written. What was torn off at the end, by a
 * kill or a power cut before anybody was told that it is safe, does not count. Where something safe is damaged, all
 * that can still be read counts. Throws what the disk throws.
 */
export function scanLog(disk: Disk, folder: string, visit: (frame: FoundFrame, place: Place) => void): Scan {
  const bases = disk.list(folder).flatMap((name) => {
    const [, digits] = SEGMENT_NAME.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  let damagedBytes = 0;
  let end = bases[0] ?? 0;
  for (const [index, base] of bases.entries()) {
    const buffer = disk.read(segmentPath(folder, base));
    // What lies behind the beginning of the next segment was torn off when that was begun.
    const limit = (bases[index + 1] ?? base + buffer.length) - base;
    const content = buffer.subarray(0, limit);
    for (let at = 0; at < limit; ) {
      const frame = frameAt(content, at);
      if (frame) {
        at += frame.length;
        visit(frame, { position: base + frame.at, length: frame.length });
        end = base + at;
        continue;
      }
      const later = { disk, folder, bases: bases.slice(index + 1) };
      if (!wasSafe(base + at, content, at, later)) {
        const kept = at > 0 ? index + 1 : index;
        return { end, segments: bases.slice(0, kept), void: bases.slice(kept), damagedBytes };
      }
      const next = nextFrame(content, at)?.at ?? limit;
      damagedBytes += next - at;
      at = next;
    }
  }
  const empty = bases.filter((base) => base >= end);
  return { end, segments: bases.filter((base) => base < end), void: empty, damagedBytes };
}

/** Whether any record that is newer says that the log was safe beyond this position. */
function wasSafe(
  position: number,
  content: Buffer,
  from: number,
  later: { readonly disk: Disk; readonly folder: string; readonly bases: readonly number[] },
): boolean {
  for (let frame = nextFrame(content, from); frame; frame = nextFrame(content, frame.at + frame.length))
    if (frame.safe > position) return true;
  const [base, ...bases] = later.bases;
  if (base === undefined) return false;
  return wasSafe(position, later.disk.read(segmentPath(later.folder, base)), 0, { ...later, bases });
}
