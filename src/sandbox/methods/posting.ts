/** What all methods that send a message share: its chat, the message it replies to, its keyboard, and its way out. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type Message, unixSeconds, withoutReply } from '../message.js';
import { type CallParameters, integer as integerIn, flag as isSet, structure } from '../parameters.js';
import type { MethodCall } from './method.js';
import { flag, optionalInteger, type Parameter, type Values, writableChat } from './parameter.js';
import { replyMarkup } from './reply-markup.js';

interface GivenReply {
  /** 0 for none. */
  readonly messageId: number;
  readonly isOptional: boolean;
}

const replyTo: Parameter<GivenReply> = {
  names: ['reply_parameters', 'reply_to_message_id'],
  read: (given) => {
    const inObject = given['reply_parameters'] === undefined ? given : replyParameters(given);
    const name = inObject === given ? 'reply_to_message_id' : 'message_id';
    return {
      messageId: integerIn(inObject, name, 0),
      isOptional: isSet(inObject, 'allow_sending_without_reply'),
    };
  },
};

function replyParameters(given: CallParameters): CallParameters {
  const value = structure(given, 'reply_parameters');
  if (isObject(value)) return value;
  if (value === undefined || value === null)
    throw ApiError.badRequest("can't parse reply parameters JSON object");
  throw ApiError.badRequest('object expected as reply parameters');
}

/** Where a message goes. These parameters are read after the content, as Telegram's server does. */
export const addressing = {
  chat: writableChat(),
  thread: optionalInteger('message_thread_id'),
  isProtected: flag('protect_content'),
};

/** The parameters of methods that send messages which may reply to others, but have no keyboard. */
export const replying = { ...addressing, reply: replyTo };

/** The parameters of methods that send messages which may have a keyboard. */
export const sending = { markup: replyMarkup, ...replying };

type Sending = Values<typeof addressing> & Partial<Values<typeof sending>>;

/** Sends a message from the bot, and returns it. @throws ApiError 400 */
export function post(
  { account, onMessage }: MethodCall,
  { markup, chat, reply, thread, isProtected }: Sending,
  content: object,
): Message {
  const original = reply && repliedTo(account, chat, reply);
  const message: Message = {
    message_id: account.messages.nextId(),
    ...(thread && threadFields(account, chat, thread)),
    from: account.user,
    chat: account.chats.chat(chat),
    date: unixSeconds(),
    ...(original && { reply_to_message: original }),
    ...(isProtected && { has_protected_content: true }),
    ...content,
    ...(markup?.kind === 'inline' && { reply_markup: markup.markup }),
  };
  if (markup?.kind === 'chat') account.chats.details(chat).replyMarkup = markup.markup;
  account.messages.store(message);
  onMessage(message);
  return message;
}

/** Returns the fields of a message in a topic, or in the thread below another message. @throws ApiError 400 */
function threadFields({ topics, messages }: BotAccount, chat: number, thread: number): object {
  const topic = topics.find(chat, thread);
  if (topic?.isClosed) throw ApiError.badRequest('TOPIC_CLOSED');
  if (topic) return { message_thread_id: thread, is_topic_message: true };
  // Only groups have threads.
  if (chat > 0 || !(messages.find(chat, thread) || messages.mayHaveBeen(thread)))
    throw ApiError.badRequest('message thread not found');
  return { message_thread_id: thread };
}

function repliedTo(
  account: BotAccount,
  chat: number,
  { messageId, isOptional }: GivenReply,
): Message['reply_to_message'] {
  if (messageId <= 0) return undefined;
  const known = account.messages.find(chat, messageId);
  if (known) return withoutReply(known);
  // An old message is no longer kept: what is certain of it is shown.
  if (account.messages.mayHaveBeen(messageId))
    return { message_id: messageId, chat: account.chats.chat(chat), date: unixSeconds() };
  if (isOptional) return undefined;
  throw ApiError.badRequest('message to be replied not found');
}
