/** Users, chats and messages in the format of the Bot API, made from an id and a name. */
import { isObject } from '../json.js';

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly last_name?: string;
  readonly username?: string;
  readonly language_code?: string;
}

export interface Chat {
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup' | 'channel';
  readonly title?: string;
  readonly first_name?: string;
  readonly last_name?: string;
  readonly username?: string;
  readonly is_forum?: true;
}

export interface Message {
  readonly message_id: number;
  readonly from: User;
  readonly chat: Chat;
  /** Seconds since 1970. */
  readonly date: number;
  readonly text?: string;
  readonly reply_to_message?: Pick<Message, 'message_id' | 'chat' | 'date'>;
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

/** Whether a value from a raw update is a chat, as far as the sandbox looks into it. */
export const isChat = (value: unknown): value is Chat =>
  isObject(value) && Number.isSafeInteger(value['id']) && typeof value['type'] === 'string';

const commonFields =
  /^(message_id|message_thread_id|is_topic_message|from|chat|date|edit_date|reply_to_message|reply_markup|media_group_id|forward_origin|has_protected_content)$/;

/** The content of messages that say what has happened in a chat. They can be neither copied nor forwarded. */
const serviceFields =
  /^(pinned_message|new_chat_|left_chat_member$|delete_chat_photo|forum_topic_|general_forum_topic_|successful_payment|refunded_payment)/;

/** Returns the content of a message: all fields except those that messages of every kind may have. */
export const contentOf = (message: Message): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(message).filter(([field]) => !commonFields.test(field)));

export const isServiceMessage = (message: Message): boolean =>
  Object.keys(message).some((field) => serviceFields.test(field));

/** Returns a message without the one it replies to, as it is shown inside of another. */
export function withoutReply({ reply_to_message: _nested, ...message }: Message): Message {
  return message;
}

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
