/** Methods that send a message again: as a copy, or as a forward that names its author. */
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { contentOf, isServiceMessage, type Message, unixSeconds } from '../message.js';
import { text } from '../parameters.js';
import { type Methods, method } from './method.js';
import { chatId, messageId, messageIds, type Parameter } from './parameter.js';
import { addressing, post, sending } from './posting.js';
import { captionNames, captionOf } from './texts.js';

const from = chatId('from_chat_id');

/** Returns the message to send again. @throws ApiError 400 if there is none, or if it cannot be sent */
function source(account: BotAccount, chat: number, id: number, act: 'forward' | 'copy'): Message {
  const message = account.messages.find(chat, id) ?? forgotten(account, chat, id);
  if (!message) throw ApiError.badRequest(`message to ${act} not found`);
  const done = act === 'copy' ? 'copied' : 'forwarded';
  if (isServiceMessage(message) || message['has_protected_content'] === true)
    throw ApiError.badRequest(`the message can't be ${done}`);
  return message;
}

/** Returns what stands for a message that is no longer kept, and so may have had any content. */
function forgotten({ messages, chats }: BotAccount, chat: number, id: number): Message | undefined {
  if (!messages.mayHaveBeen(id)) return undefined;
  const text = 'A message that the sandbox no longer keeps';
  return { message_id: id, from: chats.person(chat), chat: chats.chat(chat), date: unixSeconds(), text };
}

/** Returns the messages that can be sent again; the others are skipped. @throws ApiError 400 if there are none */
function sources(
  account: BotAccount,
  chat: number,
  ids: readonly number[],
  act: 'forward' | 'copy',
): readonly Message[] {
  const found = ids.flatMap((id) => {
    try {
      return [source(account, chat, id, act)];
    } catch {
      return [];
    }
  });
  // Telegram says this of copies, too.
  if (found.length === 0) throw ApiError.badRequest('message to forward not found');
  return found;
}

/** Returns where a message comes from: a person, or the chat itself for the post of a channel. */
const origin = ({ from, chat, date, message_id, forward_origin: former }: Message): unknown =>
  former ?? (from ? { type: 'user', date, sender_user: from } : { type: 'channel', date, chat, message_id });

/** The caption of a copy: undefined where it keeps that of the message. */
const newCaption: Parameter<object | undefined> = {
  names: [...captionNames, 'show_caption_above_media'],
  read: (given, account) => {
    if (given['caption'] === undefined || given['caption'] === null) return undefined;
    return text(given, 'caption') === '' ? {} : captionOf(given, account);
  },
};

/** Returns the content of a copy. Only files have a caption that can be replaced. */
function copied(message: Message, caption: object | undefined): object {
  const content = contentOf(message);
  if (!caption || content['text'] !== undefined) return content;
  const { caption: _text, caption_entities: _entities, ...rest } = content;
  return { ...rest, ...caption };
}

export const copyMethods: Methods = {
  forwardMessage: method({ from, id: messageId(), ...addressing }, ({ from: chat, id, ...to }, call) => {
    const message = source(call.account, chat, id, 'forward');
    return post(call, to, { ...contentOf(message), forward_origin: origin(message) });
  }),
  forwardMessages: method({ from, ids: messageIds(), ...addressing }, ({ from: chat, ids, ...to }, call) =>
    sources(call.account, chat, ids, 'forward').map((message) => {
      const content = { ...contentOf(message), forward_origin: origin(message) };
      return { message_id: post(call, to, content).message_id };
    }),
  ),
  copyMessage: method(
    { from, id: messageId(), caption: newCaption, ...sending },
    ({ from: chat, id, caption, ...to }, call) => {
      const message = source(call.account, chat, id, 'copy');
      return { message_id: post(call, to, copied(message, caption)).message_id };
    },
  ),
  copyMessages: method({ from, ids: messageIds(), ...addressing }, ({ from: chat, ids, ...to }, call) =>
    sources(call.account, chat, ids, 'copy').map((message) => ({
      message_id: post(call, to, contentOf(message)).message_id,
    })),
  ),
};
