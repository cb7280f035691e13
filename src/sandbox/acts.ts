/** What people do to messages that are there, and to their chat with the bot. Each is told to the bot in an update. */
import type { BotAccount } from './bot-account.js';
import { type Message, type User, unixSeconds } from './message.js';
import { changeMember } from './methods/members.js';
import { postService } from './methods/service.js';
import { setReaction } from './reactions.js';
import { isInChat } from './state/members.js';
import { plainText, textFields } from './text/formatted-text.js';

/**
 * A person edits a text of theirs. Returns the id of the update; undefined if the bot gets no such updates.
 *
 * @throws RangeError for a message that is not there, or is the bot's
 */
export function editText(
  account: BotAccount,
  { chat, message: id, text }: { readonly chat: number; readonly message: number; readonly text: string },
): number | undefined {
  const message = account.messages.find(chat, id);
  if (!message || message.from?.id === account.id)
    throw new RangeError('a person can edit only their own messages');
  const { entities: _entities, ...rest } = message;
  const edited: Message = { ...rest, ...textFields(plainText(text)), edit_date: unixSeconds() };
  account.messages.store(edited);
  return account.add([{ edited_message: edited }])[0];
}

interface GivenReaction {
  readonly chat: number;
  readonly message: number;
  /** Undefined takes the reaction back. */
  readonly emoji: string | undefined;
  readonly from: User;
}

/** A person reacts to a message. Returns the id of the update; undefined if the bot gets no such updates. */
export function react(
  account: BotAccount,
  { chat, message, emoji, from: user }: GivenReaction,
): number | undefined {
  const before = setReaction(account, { chat, message }, { id: user.id, name: user.first_name }, emoji);
  const reaction = (of: string | undefined) => (of === undefined ? [] : [{ type: 'emoji', emoji: of }]);
  const content = {
    chat: account.chats.chat(chat),
    message_id: message,
    user,
    date: unixSeconds(),
    old_reaction: reaction(before),
    new_reaction: reaction(emoji),
  };
  return account.add([{ message_reaction: content }])[0];
}

/** A person comes into a group, unless they are in it: a message there says so, and administrators are told. */
export function join(account: BotAccount, chat: number, user: User): void {
  if (isIn(account, chat, user)) return;
  account.members.set(chat, { user, status: 'left' });
  postService({ account }, chat, { new_chat_members: [user] }, user);
  changeMember({ account }, chat, { user, status: 'member' }, user);
}

/** A person leaves a group that they are in. */
export function leave(account: BotAccount, chat: number, user: User): void {
  if (!isIn(account, chat, user)) return;
  postService({ account }, chat, { left_chat_member: user }, user);
  changeMember({ account }, chat, { user, status: 'left' }, user);
}

/** Whether a person is known to be in a group. */
export const isIn = ({ members }: BotAccount, chat: number, { id }: User): boolean =>
  members.in(chat).some((member) => member.user.id === id && isInChat(member));

/** A person blocks the bot, or lets it write again. */
export function setBlocked(account: BotAccount, user: User, blocked: boolean): void {
  const status = blocked ? { status: 'kicked' as const, until_date: 0 } : { status: 'member' as const };
  changeMember({ account }, user.id, { user: account.user, ...status }, user);
}
