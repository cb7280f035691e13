/** The reactions of people to messages. A bot is told of each change, and cannot ask for them later. */
import type { BotAccount } from './bot-account.js';

interface Reaction {
  readonly emoji: string;
  readonly by: string;
}

/** By message, then by the person's id. */
type Reactions = Map<string, Map<number, Reaction>>;

const ofAccount = new WeakMap<BotAccount, Reactions>();

/** Sets or takes back a person's reaction to a message. Returns the emoji that it had before. */
export function setReaction(
  account: BotAccount,
  { chat, message }: { readonly chat: number; readonly message: number },
  person: { readonly id: number; readonly name: string },
  emoji: string | undefined,
): string | undefined {
  const reactions: Reactions = ofAccount.get(account) ?? new Map();
  ofAccount.set(account, reactions);
  const key = keyOf(chat, message);
  const ofMessage = reactions.get(key) ?? new Map<number, Reaction>();
  reactions.set(key, ofMessage);
  const before = ofMessage.get(person.id)?.emoji;
  if (emoji === undefined) ofMessage.delete(person.id);
  else ofMessage.set(person.id, { emoji, by: person.name });
  return before;
}

export const personReactions = (account: BotAccount, chat: number, message: number): readonly Reaction[] => [
  ...(ofAccount.get(account)?.get(keyOf(chat, message))?.values() ?? []),
];

const keyOf = (chat: number, message: number): string => `${chat}/${message}`;
