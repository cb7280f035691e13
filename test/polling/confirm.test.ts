import { describe, expect, it } from '@jest/globals';
import { confirmingOffsets } from '../../src/polling/confirm.js';

describe('which offsets the last confirm asks for', () => {
  const now = 10_000;
  const poll = (offset: number | undefined, openSince?: number) => ({ offset, openSince });

  it.each([
    ['nothing accepted', undefined, undefined, undefined, []],
    ['nothing accepted, a poll open', undefined, undefined, poll(undefined, 9_999), []],
    ['accepted, and a poll from there was answered', 8, 8, poll(8), []],
    ['the same, and the next poll has just been sent', 8, 8, poll(8, 9_999), []],
    ['accepted from the answer to the newest poll', 8, 5, poll(5), [8]],
    ['accepted from the answer to the first poll', 8, undefined, poll(undefined), [8]],
    ['accepted ids that lie lower than before', 3, 900, poll(900), [3]],
    ['a poll from there on the wire for 250 ms', 8, 5, poll(8, 9_750), []],
    ['a poll from there on the wire for less', 8, 5, poll(8, 9_751), [7, 8]],
    ['a poll from there that was never sent', 8, 5, poll(8), [7, 8]],
    ['a poll from elsewhere on the wire for long', 8, 5, poll(5, 0), [8]],
  ])('%s', (_, accepted, confirmed, lastPoll, expected) => {
    expect(confirmingOffsets(accepted, confirmed, lastPoll, now)).toEqual(expected);
  });
});
