/**
 * Values in the JSON of a record: numbers packed as ranges, and parsers that throw when a payload has another form than this
 * version writes.
 */
import { isObject } from '../../json.js';

/** Packs numbers that mostly follow one another as ranges: the first number and the length of each. */
export function packRanges(numbers: readonly number[]): number[] {
  const ranges: number[] = [];
  let first = 0;
  let length = 0;
  for (const next of numbers) {
    if (length > 0 && next === first + length) {
      length++;
      continue;
    }
    if (length > 0) ranges.push(first, length);
    first = next;
    length = 1;
  }
  if (length > 0) ranges.push(first, length);
  return ranges;
}

/** Longer than any range in a record. */
const MAX_RANGE = 1_000_000;

export function unpackRanges<T>(value: unknown, brand: (number: number) => T): readonly T[] {
  const ranges = list(value).map(number);
  const numbers: T[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [first = 0, length = 0] = ranges.slice(at, at + 2);
    if (!Number.isInteger(length) || length < 1 || length > MAX_RANGE) throw unreadable();
    for (let step = 0; step < length; step++) numbers.push(brand(first + step));
  }
  return numbers;
}

export const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** The checksum has shown that the bytes are those that were written, so another program must have written them. */
export const unreadable = () => new Error('a record has another form than this version of lastcall writes');

export function number(value: unknown): number {
  if (typeof value !== 'number') throw unreadable();
  return value;
}

export function string(value: unknown): string {
  if (typeof value !== 'string') throw unreadable();
  return value;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable();
  return value;
}

export function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw unreadable();
  return value;
}
