/**
 * The framing of records in a file. A frame can be found again after a crash, and its checksum proves that it is whole.
 *
 *     magic (4) | payload length (4) | checksum (4) | durable end (8) | kind (1) | payload
 *
 * The checksum covers everything behind itself. The durable end is the position up to which the log was known to be
 * durable when the record was written. It tells a torn end from damage: what is broken behind the highest durable end
 * was never promised to anybody; what is broken before it has been damaged since.
 */
import { crc32 } from 'node:zlib';
import { type Position, position } from './position.js';

/** "LCJ1" stands for version 1 of lastcall's framing. */
const MAGIC = Buffer.from('LCJ1', 'latin1');
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const DURABLE_END_AT = 12;
const KIND_AT = 20;
const HEADER_BYTES = 21;

/** A frame in the buffer in which it was found. */
export interface FoundFrame {
  /** The frame's first byte in the buffer. */
  readonly offset: number;
  /** The length of the whole frame, in bytes. */
  readonly length: number;
  readonly kind: number;
  readonly durableEnd: Position;
  /** A view of the buffer, not a copy. */
  readonly payload: Buffer;
}

/** @param allocate returns a buffer of the given length; default: a new one */
export function encodeFrame(
  kind: number,
  durableEnd: Position,
  payload: readonly Uint8Array[],
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const payloadBytes = payload.reduce((sum, part) => sum + part.length, 0);
  const frame = allocate(HEADER_BYTES + payloadBytes);
  MAGIC.copy(frame);
  frame.writeUInt32LE(payloadBytes, LENGTH_AT);
  frame.writeDoubleLE(durableEnd, DURABLE_END_AT);
  frame.writeUInt8(kind, KIND_AT);
  let end = HEADER_BYTES;
  for (const part of payload) {
    frame.set(part, end);
    end += part.length;
  }
  frame.writeUInt32LE(crc32(frame.subarray(DURABLE_END_AT)), CHECKSUM_AT);
  return frame;
}

/** The frame that begins at the offset, or undefined if no whole and undamaged frame does. */
export function frameAt(buffer: Buffer, offset: number): FoundFrame | undefined {
  if (
    offset + HEADER_BYTES > buffer.length ||
    buffer.compare(MAGIC, 0, MAGIC.length, offset, offset + MAGIC.length) !== 0
  )
    return undefined;
  const length = HEADER_BYTES + buffer.readUInt32LE(offset + LENGTH_AT);
  if (offset + length > buffer.length) return undefined;
  const checksum = crc32(buffer.subarray(offset + DURABLE_END_AT, offset + length));
  if (checksum !== buffer.readUInt32LE(offset + CHECKSUM_AT)) return undefined;
  return {
    offset,
    length,
    kind: buffer.readUInt8(offset + KIND_AT),
    durableEnd: position(buffer.readDoubleLE(offset + DURABLE_END_AT)),
    payload: buffer.subarray(offset + HEADER_BYTES, offset + length),
  };
}

/** The first whole and undamaged frame that begins at the offset or behind it. */
export function findFrame(buffer: Buffer, offset: number): FoundFrame | undefined {
  for (let at = buffer.indexOf(MAGIC, offset); at >= 0; at = buffer.indexOf(MAGIC, at + 1)) {
    const frame = frameAt(buffer, at);
    if (frame) return frame;
  }
  return undefined;
}
