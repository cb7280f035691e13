/** Methods that send messages. */
import { isObject } from '../../json.js';
import { ApiError, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { contentOf, type Message, unixSeconds } from '../message.js';
import { type CallParameters, flag, integer, structure, text } from '../parameters.js';
import { caption, file, inlineKeyboard, location, media, messageText, poll } from './content.js';
import { chatId, type Method, type MethodCall, type Methods } from './method.js';

/** Sends a message from the bot, and returns it. */
function post({ account, parameters, onMessage }: MethodCall, content: object): Message {
  const target = account.chats.chat(chatId(parameters));
  const original = repliedTo(account, target.id, parameters);
  const message: Message = {
    message_id: account.messages.nextId(),
    from: account.user,
    chat: target,
    date: unixSeconds(),
    ...(original && { reply_to_message: original }),
    ...content,
    ...inlineKeyboard(parameters),
  };
  account.messages.store(message);
  onMessage(message);
  return message;
}

function repliedTo(
  account: BotAccount,
  chatId: number,
  parameters: CallParameters,
): Message['reply_to_message'] {
  const given = structure(parameters, 'reply_parameters');
  const reply = isObject(given) ? given : parameters;
  const id = isObject(given)
    ? integer(given, 'message_id', 0)
    : integer(parameters, 'reply_to_message_id', 0);
  if (id <= 0) return undefined;
  const known = account.messages.find(chatId, id);
  if (known) {
    const { reply_to_message: _nested, ...original } = known;
    return original;
  }
  if (account.messages.mayHaveBeen(id)) return { message_id: id };
  if (flag(reply, 'allow_sending_without_reply')) return undefined;
  throw ApiError.badRequest('message to be replied not found');
}

/** Creates a method that sends the content that `content` makes from the parameters. */
const sends =
  (content: (parameters: CallParameters, account: BotAccount) => object): Method =>
  (call) =>
    success(post(call, content(call.parameters, call.account)));

/** Creates a method that sends the file in the parameter `kind`. */
const sendsFile = (kind: string): Method =>
  sends((parameters, account) => ({
    ...media(kind, file(account, parameters, kind)),
    ...caption(parameters),
  }));

const sendMediaGroup: Method = (call) => {
  const items = structure(call.parameters, 'media');
  if (!Array.isArray(items) || items.length === 0)
    throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
  const media_group_id = call.account.nextId();
  // Nothing is sent if one of the items is refused.
  const contents = items.filter(isObject).map((item) => {
    const kind = text(item, 'type');
    const shown = file(call.account, { ...call.parameters, ...item }, 'media', kind);
    return { media_group_id, ...media(kind, shown), ...caption(item) };
  });
  return success(contents.map((content) => post(call, content)));
};

/** Returns the message to forward or copy. @throws ApiError 400 if there is none */
function source(account: BotAccount, parameters: CallParameters, what: string): Message {
  const chat = chatId(parameters, 'from_chat_id');
  const message = account.messages.find(chat, integer(parameters, 'message_id', 0));
  if (!message) throw ApiError.badRequest(`message to ${what} not found`);
  return message;
}

/** Returns the author of a message: a person, or the chat itself for the post of a channel. */
const origin = ({ from, chat, date, message_id }: Message): object =>
  from ? { type: 'user', date, sender_user: from } : { type: 'channel', date, chat, message_id };

const copyMessage: Method = (call) => {
  const { message_id } = post(call, {
    ...contentOf(source(call.account, call.parameters, 'copy')),
    ...caption(call.parameters),
  });
  return success({ message_id });
};

export const sendMethods: Methods = {
  sendMessage: sends(messageText),
  sendPhoto: sendsFile('photo'),
  sendAnimation: sendsFile('animation'),
  sendAudio: sendsFile('audio'),
  sendDocument: sendsFile('document'),
  sendSticker: sendsFile('sticker'),
  sendVideo: sendsFile('video'),
  sendVideoNote: sendsFile('video_note'),
  sendVoice: sendsFile('voice'),
  sendMediaGroup,
  sendLocation: sends((parameters) => ({ location: location(parameters) })),
  sendVenue: sends((parameters) => ({
    venue: {
      location: location(parameters),
      title: text(parameters, 'title'),
      address: text(parameters, 'address'),
    },
  })),
  sendContact: sends((parameters) => ({
    contact: {
      phone_number: text(parameters, 'phone_number'),
      first_name: text(parameters, 'first_name'),
    },
  })),
  sendPoll: sends((parameters, account) => ({ poll: poll(account, parameters) })),
  sendDice: sends((parameters) => ({ dice: { emoji: text(parameters, 'emoji') || '🎲', value: 1 } })),
  forwardMessage: sends((parameters, account) => {
    const message = source(account, parameters, 'forward');
    return { ...contentOf(message), forward_origin: origin(message) };
  }),
  copyMessage,
};
