/** Service messages: what has happened in a chat, as everybody there sees it. Telegram sends them to the bot, too. */
import { type Message, type User, unixSeconds } from '../message.js';
import type { MethodCall } from './method.js';

/** Adds a service message of the bot, or of somebody else, to a chat, and sends it to the bot as an update. */
export function postService(
  { account }: Pick<MethodCall, 'account'>,
  chat: number,
  content: object,
  from: User = account.user,
): Message {
  const message: Message = {
    message_id: account.messages.nextId(),
    from,
    chat: account.chats.chat(chat),
    date: unixSeconds(),
    ...content,
  };
  account.messages.store(message);
  account.add([{ [message.chat.type === 'channel' ? 'channel_post' : 'message']: message }]);
  return message;
}
