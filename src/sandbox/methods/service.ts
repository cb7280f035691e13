/** Service messages: what the bot does to a chat, as everybody there sees it. Telegram sends them to the bot, too. */
import { type Message, unixSeconds } from '../message.js';
import type { MethodCall } from './method.js';

/** Adds a service message of the bot to a chat, and sends it to the bot as an update. */
export function postService({ account }: MethodCall, chat: number, content: object): Message {
  const message: Message = {
    message_id: account.messages.nextId(),
    from: account.user,
    chat: account.chats.chat(chat),
    date: unixSeconds(),
    ...content,
  };
  account.messages.store(message);
  account.add([{ [message.chat.type === 'channel' ? 'channel_post' : 'message']: message }]);
  return message;
}
