import { expect, it } from '@jest/globals';
import { fatesOf } from '../../../src/cli/demo/fates.js';

const answers = [{ text: 'an answer', atMs: 0 }];
const message = (updateId: number, isAnswered = false) => ({ updateId, answers: isAnswered ? answers : [] });
const stock = (alive: readonly number[], dead: readonly number[] = []) => ({
  alive: new Set(alive),
  dead: new Set(dead),
});

it('is told of each message that has no answer', () => {
  const messages = [message(1, true), message(2), message(3), message(4), message(5)];
  expect(fatesOf(messages, stock([2], [3]), 5)).toEqual({ kept: 2, dead: 1, lost: 1 });
  expect(fatesOf(messages, stock([]), undefined)).toEqual({ kept: 4, dead: 0, lost: 0 });
});

it('of one that is lost is not hidden by one that is answered and kept', () => {
  expect(fatesOf([message(1, true), message(2)], stock([1]), 3)).toEqual({ kept: 0, dead: 0, lost: 1 });
});
