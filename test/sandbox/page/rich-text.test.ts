import { describe, expect, it } from '@jest/globals';
import { type Part, partsOf, safeUrl } from '../../../src/sandbox/page/rich-text.js';

/** Parts as a text in which each entity is in brackets, after its type. */
const inBrackets = (parts: readonly Part[]): string =>
  parts
    .map((part) => (typeof part === 'string' ? part : `${part.entity.type}[${inBrackets(part.parts)}]`))
    .join('');

const divided = (text: string, ...entities: readonly (readonly [string, number, number])[]): string =>
  inBrackets(
    partsOf(
      text,
      entities.map(([type, offset, length]) => ({ type, offset, length })),
    ),
  );

describe('the parts of a text', () => {
  it('are the text alone without entities', () => {
    expect(divided('plain')).toBe('plain');
    expect(partsOf('', [])).toEqual([]);
  });

  it('are entities with the text between them, in any order of the list', () => {
    expect(divided('one two three', ['italic', 8, 5], ['bold', 0, 3])).toBe('bold[one] two italic[three]');
  });

  it('nest, also where both begin or end together', () => {
    expect(divided('abcdef', ['bold', 0, 6], ['italic', 0, 3], ['code', 4, 2])).toBe(
      'bold[italic[abc]dcode[ef]]',
    );
    expect(divided('abc', ['bold', 0, 3], ['italic', 0, 3])).toBe('bold[italic[abc]]');
  });

  it('cut what overlaps or goes beyond the text, and lose no character', () => {
    expect(divided('abcdef', ['bold', 0, 4], ['italic', 2, 4])).toBe('bold[abitalic[cd]]ef');
    expect(divided('abc', ['bold', 1, 99], ['code', 9, 1], ['code', -1, 2], ['code', 1, 0])).toBe(
      'abold[bc]',
    );
  });

  it('count as Telegram does, in UTF-16 code units', () => {
    expect(divided('👍 ok', ['bold', 3, 2])).toBe('👍 bold[ok]');
  });
});

describe('a link', () => {
  it.each([
    ['https://example.com/a', 'https://example.com/a'],
    ['example.com', 'https://example.com'],
    ['mailto:a@example.com', 'mailto:a@example.com'],
    ['tg://user?id=1', 'tg://user?id=1'],
  ])('%s is opened', (given, url) => expect(safeUrl(given)).toBe(url));

  it.each([['javascript:alert(1)'], ['data:text/html,x'], ['file:///etc/passwd'], ['JAVASCRIPT:alert(1)']])(
    '%s is not',
    (given) => expect(safeUrl(given)).toBeUndefined(),
  );
});
