/** Who is in a group, and who has blocked the bot, as people change it on the page. */
import { join, leave, setBlocked } from '../acts.js';
import { type Actor, authorOf, type Subject } from './subject.js';

export const blockings = ['block', 'unblock'] as const;
export const moves = ['join', 'leave'] as const;

/** A person blocks the bot in their private chat, or lets it write again. @throws RangeError for a group */
export function block(
  { chat, do: what }: { readonly chat: number; readonly do: (typeof blockings)[number] },
  { source, account }: Subject,
): object {
  if (chat < 0) throw new RangeError('a person blocks the bot in their private chat');
  setBlocked(account, account.chats.person(chat), what === 'block');
  source.changes.tell({ kind: 'chat', bot: account.id, chat });
  return {};
}

/** A person comes into a group, or leaves it. @throws RangeError for a private chat */
export function move(
  { chat, from, do: what }: Actor & { readonly do: (typeof moves)[number] },
  { source, account }: Subject,
): object {
  if (chat > 0) throw new RangeError('people join and leave groups only');
  const act = what === 'join' ? join : leave;
  act(account, chat, authorOf(account, { chat, from }));
  source.changes.tell({ kind: 'chat', bot: account.id, chat });
  return {};
}
