import { describe, expect, it } from '@jest/globals';
import { offsetsToConfirm } from '../../src/polling/final-confirm.js';

describe('the offsets of the final confirm', () => {
  it.each([
    ['nothing accepted', undefined, undefined, undefined, []],
    ['accepted, and a poll from there was answered', 8, 8, 8, []],
    ['accepted from the answer to the newest poll', 8, 5, 5, [8]],
    ['accepted from the answer to the first poll', 8, undefined, undefined, [8]],
    ['accepted ids that lie lower than before', 3, 900, 900, [3]],
    ['a poll from there without an answer', 8, 5, 8, [7, 8]],
    ['a poll from there without an answer, the first with an offset', 8, undefined, 8, [7, 8]],
  ])('%s', (_, accepted, confirmed, requested, expected) => {
    expect(offsetsToConfirm(accepted, confirmed, requested)).toEqual(expected);
  });
});
