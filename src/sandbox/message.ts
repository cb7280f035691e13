/**
 * Users, chats and messages as the Bot API shows them, made from no more than an id and a name.
 */

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

export const unixSeconds = (): number => Math.floor(Date.now() / 1000);

/** The person whose private chat has this id, or who writes in this group unless another is named. */
export function person(id: number, name = `Person ${Math.abs(id)}`): User {
  return {
    id: Math.abs(id),
    is_bot: false,
    first_name: name,
    language_code: 'en',
  };
}

/** As in Telegram, positive ids are private chats, negative ones groups, and those below -10^12 supergroups. */
export function chat(id: number, name?: string): Chat {
  if (id > 0) return { id, type: 'private', first_name: person(id, name).first_name };
  return {
    id,
    type: id < -1_000_000_000_000 ? 'supergroup' : 'group',
    title: `Group ${-id}`,
  };
}

/** A text with the entities bots look for: its commands. */
export function textContent(text: string): {
  readonly text: string;
  readonly entities?: readonly object[];
} {
  const entities = [...text.matchAll(/(?<![^\s])\/\w{1,64}(?:@\w+)?/g)].map(
    ({ 0: command, index: offset }) => ({
      type: 'bot_command',
      offset,
      length: command.length,
    }),
  );
  return entities.length > 0 ? { text, entities } : { text };
}
