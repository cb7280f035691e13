/** People and groups that are added on the page. */
import type { BotAccount } from '../bot-account.js';
import { unixSeconds } from '../message.js';
import type { PageSource } from './source.js';

/** The ids of the first person and of the first group that are added. */
const FIRST_PERSON = 101;
const FIRST_GROUP = -201;

interface Place {
  readonly source: PageSource;
  readonly account: BotAccount;
}

/** Adds a person with a private chat, who also joins all groups. Returns the chat. */
export function addPerson({ source, account }: Place, name: string): { readonly chat: number } {
  const id = account.chats.freeId(FIRST_PERSON, 1);
  const person = account.chats.person(id, name);
  const chats = [
    account.chats.chat(id),
    ...account.chats.list().filter(({ type }) => type.endsWith('group')),
  ];
  for (const chat of chats) {
    account.members.see(chat.id, person);
    source.changes.tell({ kind: 'chat', bot: account.id, chat: chat.id });
  }
  return { chat: id };
}

/**
 * Adds a group with everybody who is there, and the bot: Telegram tells a bot that it was added. Returns the chat.
 *
 * @throws RangeError if there is nobody yet
 */
export function addGroup({ source, account }: Place, title: string): { readonly chat: number } {
  const people = account.chats.people().filter((user) => !user.is_bot);
  const [creator] = people;
  if (!creator) throw new RangeError('Add a person first: a group needs somebody who writes there.');
  const id = account.chats.freeId(FIRST_GROUP, -1);
  const chat = account.chats.change(id, { title });
  for (const person of people) account.members.see(id, person);
  const member = (status: string) => ({ user: account.user, status });
  const added = {
    chat,
    from: creator,
    date: unixSeconds(),
    old_chat_member: member('left'),
    new_chat_member: member('member'),
  };
  account.add([{ my_chat_member: added }]);
  source.changes.tell({ kind: 'chat', bot: account.id, chat: id });
  return { chat: id };
}
