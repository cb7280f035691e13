/** Users, chats and messages in the format of the Bot API, made from an id and a name. */
import { isObject } from '../json.js';

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

export interface Chat {
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup';
  readonly title?: string;
  readonly first_name?: string;
}

export interface Message {
  readonly message_id: number;
  readonly from: User;
  readonly chat: Chat;
  /** Seconds since 1970. */
  readonly date: number;
  readonly text?: string;
  readonly reply_to_message?: { readonly message_id: number };
  readonly [field: string]: unknown;
}

/** Whether a value from a raw update is a message that is accessible: Telegram dates one that is not with 0. */
export function isMessage(value: unknown): value is Message {
  if (!isObject(value)) return false;
  const { message_id: id, date, chat, from } = value;
  return (
    Number.isSafeInteger(id) &&
    Number(date) > 0 &&
    isObject(chat) &&
    Number.isSafeInteger(chat['id']) &&
    (from === undefined || (isObject(from) && Number.isSafeInteger(from['id'])))
  );
}

const commonFields = /^(message_id|from|chat|date|edit_date|reply_to_message|reply_markup|media_group_id)$/;

/** Returns the content of a message: all fields except those that messages of every kind may have. */
export const contentOf = (message: Message): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(message).filter(([field]) => !commonFields.test(field)));

export const unixSeconds = (): number => Math.floor(Date.now() / 1000);

/** Returns the person with an id. The id of a group gives the default person who writes in the group. */
export function person(id: number, name = `Person ${Math.abs(id)}`): User {
  return { id: Math.abs(id), is_bot: false, first_name: name, language_code: 'en' };
}

/** Returns the chat with an id. As in Telegram, ids above 0 are private chats, below -10^12 supergroups, else groups. */
export function chat(id: number, name?: string): Chat {
  if (id > 0) return { id, type: 'private', first_name: person(id, name).first_name };
  return { id, type: id < -1_000_000_000_000 ? 'supergroup' : 'group', title: `Group ${-id}` };
}

/** Returns a text with entities for its commands. */
export function textContent(text: string): { readonly text: string; readonly entities?: readonly object[] } {
  const commands = text.matchAll(/(?<![^\s])\/\w{1,64}(?:@\w+)?/g);
  const entities = Array.from(commands, ({ 0: command, index: offset }) => ({
    type: 'bot_command',
    offset,
    length: command.length,
  }));
  return entities.length > 0 ? { text, entities } : { text };
}
