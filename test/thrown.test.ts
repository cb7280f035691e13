import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LastcallError } from '../src/errors.js';
import { describeThrown, isError, isLastcallError, readText, UNREADABLE } from '../src/thrown.js';
import { anyValue } from './logging/any-value.js';

const ours = new LastcallError('INTERNAL', 'test', 'boom');

describe('a thrown value', () => {
  it.each([
    [new Error('boom'), 'boom'],
    [ours, 'boom'],
    [runInNewContext('new TypeError("elsewhere")'), 'elsewhere'],
    ['text', "'text'"],
    [undefined, 'undefined'],
    [{ code: 1, deep: { deeper: 2 } }, '{ code: 1, deep: [Object] }'],
    [Object.defineProperty(new Error(), 'message', { value: 7 }), UNREADABLE],
  ])('is described in one line (%#)', (thrown, words) => {
    expect(describeThrown(thrown)).toBe(words);
  });

  it('is told from errors of lastcall, and from other errors', () => {
    expect([ours, new Error(), 'boom', undefined].map(isLastcallError)).toEqual([true, false, false, false]);
    expect([ours, new Error(), 'boom', undefined].map(isError)).toEqual([true, true, false, false]);
  });

  it('can be looked at, however hostile', () => {
    fc.assert(
      fc.property(anyValue, (make) => {
        const thrown = make();
        expect(typeof describeThrown(thrown)).toBe('string');
        expect(isLastcallError(thrown)).toBe(false);
        expect(['string', 'undefined']).toContain(typeof readText(thrown, 'message'));
      }),
    );
  });
});
