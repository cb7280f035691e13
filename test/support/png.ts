/** Reads PNG files as Chromium writes them: 8 bits a channel, RGB with or without alpha, not interlaced. */
import { inflateSync } from 'node:zlib';

export type Colour = readonly [red: number, green: number, blue: number];

export interface Picture {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): Colour;
}

const SIGNATURE_BYTES = 8;

export function readPng(file: Buffer): Picture {
  const data: Buffer[] = [];
  let [width, height, channels] = [0, 0, 0];
  for (let offset = SIGNATURE_BYTES; offset < file.length; ) {
    const length = file.readUInt32BE(offset);
    const kind = file.toString('latin1', offset + 4, offset + 8);
    const chunk = file.subarray(offset + 8, offset + 8 + length);
    if (kind === 'IHDR') {
      [width, height] = [chunk.readUInt32BE(0), chunk.readUInt32BE(4)];
      channels = chunk[9] === 6 ? 4 : 3;
    }
    if (kind === 'IDAT') data.push(chunk);
    offset += length + 12;
  }
  const rows = unfiltered(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  return {
    ...{ width, height },
    at(x, y) {
      const [red = 0, green = 0, blue = 0] =
        rows[y]?.subarray((x + 1) * channels, (x + 1) * channels + 3) ?? [];
      return [red, green, blue];
    },
  };
}

/**
 * Each row begins with the number of the way in which it is written as a difference to its neighbours. The rows that this
 * returns begin with a pixel of zeros, so that each pixel has a neighbour on its left.
 */
function unfiltered(raw: Buffer, rowBytes: number, height: number, channels: number): readonly Uint8Array[] {
  const rows: Uint8Array[] = [];
  let above = new Uint8Array(rowBytes + channels);
  for (let y = 0; y < height; y++) {
    const start = y * (rowBytes + 1);
    const row = new Uint8Array(rowBytes + channels);
    row.set(raw.subarray(start + 1, start + 1 + rowBytes), channels);
    const predict = predictions[raw[start] ?? 0] ?? nothing;
    if (predict !== nothing)
      for (let i = channels; i < row.length; i++)
        row[i] =
          byteAt(row, i) + predict(byteAt(row, i - channels), byteAt(above, i), byteAt(above, i - channels));
    rows.push(row);
    above = row;
  }
  return rows;
}

const byteAt = (row: Uint8Array, index: number): number => row[index] as number;

const { abs } = Math;

type Prediction = (left: number, up: number, corner: number) => number;

const nothing: Prediction = () => 0;

const predictions: readonly Prediction[] = [
  nothing,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const a = abs(up - corner);
    const b = abs(left - corner);
    const c = abs(left + up - 2 * corner);
    return a <= b && a <= c ? left : b <= c ? up : corner;
  },
];
