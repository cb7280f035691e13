/** Where a message is that somebody waits for in vain: it was written before, or in another chat. */
import { type Expected, matches } from './expected.js';
import { messageInWords, type SeenMessage } from './seen-message.js';
import type { Shared } from './shared.js';

/** A message that is as expected, but not heard, in a sentence; and what to do about it. */
export interface Missed {
  readonly what: string;
  readonly nextStep: string;
}

/**
 * Returns where else the bot has written what was expected. A function that tells what is expected is not asked, since it
 * may count or throw.
 */
export function missed(
  { heard, account }: Shared,
  {
    expected,
    chat,
    passed,
  }: { expected: Expected | undefined; chat: number; passed: readonly SeenMessage[] },
): Missed | undefined {
  if (expected === undefined || typeof expected === 'function') return undefined;
  const isExpected = (message: SeenMessage) => matches(message, expected);
  const before = passed.findLast(isExpected);
  if (before)
    return {
      what: `${messageInWords(before)} was heard or passed over before`,
      nextStep: 'hear it earlier, in the order in which the bot writes, or look for it in messages()',
    };
  const other = heard.except(chat).findLast(isExpected);
  if (!other) return undefined;
  const { title, first_name: name } = account.chats.chat(other.chat);
  const isGroup = other.chat < 0;
  return {
    what: `The bot has written ${messageInWords(other)} in ${isGroup ? `the group ${JSON.stringify(title)}` : `the private chat with ${name}`}`,
    nextStep: isGroup
      ? 'hear it there, with person.in(group).hears()'
      : 'hear it there, with hears() of the person',
  };
}
