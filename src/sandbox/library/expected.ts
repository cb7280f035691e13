/** What a test expects of a message. */
import type { SeenMessage } from './seen-message.js';

/**
 * What a message of the bot is to be: its whole text, a pattern for a part of it, or a function that looks at it. A caption
 * counts as the text of a file, and the question as that of a poll.
 */
export type Expected = string | RegExp | ((message: SeenMessage) => boolean);

/** Whether a message is as expected; any message is, without an expectation. */
export function matches(message: SeenMessage, expected: Expected | undefined): boolean {
  if (expected === undefined) return true;
  if (typeof expected === 'string') return message.text === expected;
  // Unlike `test`, `search` does not go on where a pattern with the flag g has matched before.
  return typeof expected === 'function' ? expected(message) : message.text.search(expected) >= 0;
}

export function expectedInWords(expected: Expected | undefined): string {
  if (expected === undefined) return 'anything';
  return typeof expected === 'string' ? JSON.stringify(expected) : `${expected}`;
}
