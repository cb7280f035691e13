import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, findFrame, frameAt } from '../../../src/inbox/log/frame.js';
import { type Position, position } from '../../../src/inbox/log/position.js';

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const record = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  durableEnd: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map(position),
  parts: fc.array(bytes, { maxLength: 3 }),
});
const encode = ({
  kind,
  durableEnd,
  parts,
}: {
  kind: number;
  durableEnd: Position;
  parts: readonly Buffer[];
}) => encodeFrame(kind, durableEnd, parts);

describe('a frame', () => {
  it('comes back as it was written, wherever it stands', () => {
    fc.assert(
      fc.property(record, bytes, bytes, (written, before, behind) => {
        const frame = encode(written);
        const found = frameAt(Buffer.concat([before, frame, behind]), before.length);
        expect(found).toEqual({
          offset: before.length,
          length: frame.length,
          kind: written.kind,
          durableEnd: written.durableEnd,
          payload: Buffer.concat(written.parts),
        });
      }),
    );
  });

  it('is none when any of it is missing', () => {
    fc.assert(
      fc.property(record, fc.nat(), (written, cut) => {
        const frame = encode(written);
        expect(frameAt(frame.subarray(0, cut % frame.length), 0)).toBeUndefined();
      }),
    );
  });

  it('is none when a single bit of it is another', () => {
    fc.assert(
      fc.property(record, fc.nat(), (written, flipped) => {
        const frame = encode(written);
        const bit = flipped % (frame.length * 8);
        const at = bit >> 3;
        frame[at] = (frame[at] ?? 0) ^ (1 << (bit & 7));
        expect(frameAt(frame, 0)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('is found behind whatever is none', () => {
    fc.assert(
      fc.property(record, bytes, (written, before) => {
        const frame = encode(written);
        expect(findFrame(Buffer.concat([before, frame]), 0)?.offset).toBe(before.length);
      }),
    );
  });

  it('is not found where only its magic stands, however often', () => {
    const text = Buffer.from('LCJ1LCJ1 LCJLCJ1'.repeat(20));
    expect(findFrame(text, 0)).toBeUndefined();
    const frame = encodeFrame(1, position(0), [text]);
    expect(findFrame(Buffer.concat([text, frame]), 0)?.offset).toBe(text.length);
  });

  it('cannot be forged by a user: no length fits into JSON', () => {
    // Each byte of JSON is 0x20 or more, so what stands where the length does is half a gigabyte at least.
    const forged = encodeFrame(2, position(Number.MAX_SAFE_INTEGER), [Buffer.from('{}')]);
    const text = JSON.stringify({ text: forged.toString('latin1') });
    expect(findFrame(Buffer.from(text), 0)).toBeUndefined();
  });
});
