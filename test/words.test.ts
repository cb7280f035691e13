import { describe, expect, it } from '@jest/globals';
import { count, durationInWords, firstFew, sizeInWords } from '../src/words.js';

describe('a duration in words', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '<1 ms'],
    [1, '1 ms'],
    [41.4, '41 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1_234, '1.2 s'],
    [2_000, '2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [123_000, '2 min 3 s'],
    [3_599_400, '59 min 59 s'],
    [3_599_600, '1 h'],
    [11_040_000, '3 h 4 min'],
    [86_380_000, '1 d'],
    [183_600_000, '2 d 3 h'],
    [Number.POSITIVE_INFINITY, 'no limit'],
  ])('formats %d ms as %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words);
  });
});

describe('a count', () => {
  it('has a singular for 1 and a plural for other numbers', () => {
    expect([0, 1, 2].map((number) => count(number, 'update'))).toEqual([
      '0 updates',
      '1 update',
      '2 updates',
    ]);
  });
});

describe('the first few of a list', () => {
  it('are all items if there are few, and are followed by the number of the others if not', () => {
    expect(firstFew([])).toBe('');
    expect(firstFew([1, 2, 3], 3)).toBe('1, 2, 3');
    expect(firstFew(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });
});

describe('a size in words', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [12_345, '12.3 kB'],
    [262_144, '262 kB'],
    [999_600, '1 MB'],
    [4_100_000_000, '4.1 GB'],
    [5e15, '5000 TB'],
  ])('formats %d bytes as %s', (bytes, words) => {
    expect(sizeInWords(bytes)).toBe(words);
  });
});
