/** Methods that send messages. */
import { isObject } from '../../json.js';
import { ApiError, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { chat, contentOf, type Message, unixSeconds } from '../message.js';
import { type CallParameters, integer, structure, text } from '../parameters.js';
import { caption, file, inlineKeyboard, location, messageText } from './content.js';
import { chatId, type Method, type MethodCall, type Methods } from './method.js';

/** Sends a message from the bot, and returns it. */
function post({ account, parameters, onMessage }: MethodCall, content: object): Message {
  const target = chat(chatId(parameters));
  const message: Message = {
    message_id: account.nextMessageId(),
    from: account.user,
    chat: target,
    date: unixSeconds(),
    ...repliedTo(account, target.id, parameters),
    ...content,
    ...inlineKeyboard(parameters),
  };
  account.storeMessage(message);
  onMessage(message);
  return message;
}

function repliedTo(account: BotAccount, chatId: number, parameters: CallParameters): object {
  const replyParameters = structure(parameters, 'reply_parameters');
  const id = isObject(replyParameters)
    ? integer(replyParameters, 'message_id', 0)
    : integer(parameters, 'reply_to_message_id', 0);
  if (id <= 0) return {};
  const placeholder = { message_id: id, chat: chat(chatId), date: unixSeconds() };
  return { reply_to_message: account.findMessage(chatId, id) ?? placeholder };
}

/** Creates a method that sends the content that `content` makes from the parameters. */
const sends =
  (content: (parameters: CallParameters, account: BotAccount) => object): Method =>
  (call) =>
    success(post(call, content(call.parameters, call.account)));

/** Creates a method that sends the file in the parameter `field`. */
const sendsFile = (field: string, details: object = {}): Method =>
  sends((parameters) => ({ [field]: { ...file(parameters, field), ...details }, ...caption(parameters) }));

const picture = { width: 640, height: 480 };

const sendMediaGroup: Method = (call) => {
  const media = structure(call.parameters, 'media');
  if (!Array.isArray(media) || media.length === 0)
    throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
  const group = `${call.account.nextMessageId()}`;
  return success(
    media.filter(isObject).map((item) => {
      const type = text(item, 'type');
      const shown = file({ ...call.parameters, ...item }, 'media');
      return post(call, {
        media_group_id: group,
        [type]: type === 'photo' ? [{ ...shown, ...picture }] : shown,
        ...caption(item),
      });
    }),
  );
};

/** Returns the content of the message to forward or copy; it is empty if the sandbox does not know the message. */
function sourceContent(parameters: CallParameters, account: BotAccount): object {
  const chat = chatId(parameters, 'from_chat_id');
  const source = account.findMessage(chat, integer(parameters, 'message_id', 0));
  return source ? contentOf(source) : { text: '' };
}

const copyMessage: Method = (call) => {
  const { message_id } = post(call, {
    ...sourceContent(call.parameters, call.account),
    ...caption(call.parameters),
  });
  return success({ message_id });
};

export const sendMethods: Methods = {
  sendMessage: sends(messageText),
  sendPhoto: sends((parameters) => ({
    photo: [{ ...file(parameters, 'photo'), ...picture }],
    ...caption(parameters),
  })),
  sendAnimation: sendsFile('animation', { ...picture, duration: 1 }),
  sendAudio: sendsFile('audio', { duration: 1 }),
  sendDocument: sendsFile('document'),
  sendSticker: sendsFile('sticker', { ...picture, type: 'regular' }),
  sendVideo: sendsFile('video', { ...picture, duration: 1 }),
  sendVideoNote: sendsFile('video_note', { length: 240, duration: 1 }),
  sendVoice: sendsFile('voice', { duration: 1 }),
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
  sendPoll: sends((parameters, account) => ({
    poll: {
      id: `${account.nextMessageId()}`,
      question: text(parameters, 'question'),
      options: structure(parameters, 'options'),
    },
  })),
  sendDice: sends((parameters) => ({ dice: { emoji: text(parameters, 'emoji') || '🎲', value: 1 } })),
  forwardMessage: sends((parameters, account) => ({
    ...sourceContent(parameters, account),
    forward_origin: {
      type: 'chat',
      date: unixSeconds(),
      sender_chat: chat(chatId(parameters, 'from_chat_id')),
    },
  })),
  copyMessage,
};
