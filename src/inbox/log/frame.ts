/**
 * A record as bytes in a file: found again after a crash, and known to be whole.
 *
 *     magic (4) | length (4) | checksum (4) | safe (8) | kind (1) | payload
 *
 * The checksum covers all behind itself. `safe` is what makes a torn end and a damaged store two things: up to that
 * position the log was known to be on the disk when the record was written. What is broken behind the last such
 * position was never promised to anybody; what is broken before it has been damaged since.
 */
import { crc32 } from 'node:zlib';

/** "LCJ1": the journal of lastcall, whose framing has not changed since. */
const MAGIC = Buffer.from('LCJ1', 'latin1');
const HEADER_BYTES = 21;
const COVERED_FROM = 12;

interface Frame {
  readonly kind: number;
  /** A position in the log. */
  readonly safe: number;
  readonly payload: Buffer;
}

/** A frame, and where it stands in the buffer it was found in. */
export interface FoundFrame extends Frame {
  readonly at: number;
  readonly length: number;
}

/** @param allocate gives room for so many bytes; default: memory of its own */
export function encodeFrame(
  kind: number,
  safe: number,
  payload: readonly Uint8Array[],
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const payloadBytes = payload.reduce((sum, part) => sum + part.length, 0);
  const frame = allocate(HEADER_BYTES + payloadBytes);
  MAGIC.copy(frame);
  frame.writeUInt32LE(payloadBytes, 4);
  frame.writeDoubleLE(safe, 12);
  frame.writeUInt8(kind, 20);
  let end = HEADER_BYTES;
  for (const part of payload) {
    frame.set(part, end);
    end += part.length;
  }
  frame.writeUInt32LE(crc32(frame.subarray(COVERED_FROM)), 8);
  return frame;
}

/** The frame that begins there, if a whole and sound one does. */
export function frameAt(buffer: Buffer, at: number): FoundFrame | undefined {
  if (
    at + HEADER_BYTES > buffer.length ||
    buffer.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0
  )
    return undefined;
  const length = HEADER_BYTES + buffer.readUInt32LE(at + 4);
  if (at + length > buffer.length) return undefined;
  if (crc32(buffer.subarray(at + COVERED_FROM, at + length)) !== buffer.readUInt32LE(at + 8))
    return undefined;
  return {
    at,
    length,
    kind: buffer.readUInt8(at + 20),
    safe: buffer.readDoubleLE(at + 12),
    payload: buffer.subarray(at + HEADER_BYTES, at + length),
  };
}

/** The next sound frame from there on, however much that is none lies before it. */
export function nextFrame(buffer: Buffer, from: number): FoundFrame | undefined {
  for (let at = buffer.indexOf(MAGIC, from); at >= 0; at = buffer.indexOf(MAGIC, at + 1)) {
    const frame = frameAt(buffer, at);
    if (frame) return frame;
  }
  return undefined;
}
