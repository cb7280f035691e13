import { describe, expect, it } from '@jest/globals';
import { isObject, parseJson } from '../src/json.js';

describe('JSON from outside', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['5', 5],
    ['null', null],
    ['{"a":', undefined],
    ['', undefined],
  ])('%s is read as what it is, or as nothing', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it('knows what has fields', () => {
    expect([{}, { a: 1 }].every(isObject)).toBe(true);
    expect([null, undefined, 'text', 5, [], () => {}].some(isObject)).toBe(false);
  });
});
