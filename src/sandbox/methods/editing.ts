/** What all methods that edit share: the message they name, and what Telegram refuses. */
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type Message, unixSeconds } from '../message.js';
import type { MethodCall } from './method.js';
import { integer, optionalText, type Parameter, type Values, writableChat } from './parameter.js';
import { ownKeyboard, type ReplyMarkup, replyMarkup } from './reply-markup.js';

/** A message of a chat, or one that was sent by an inline query and has an id of its own. */
type Target = { readonly chat: number; readonly messageId: number } | { readonly inlineId: string };

/** Reading it throws an ApiError 400 without the ids that it takes. */
export const target: Parameter<Target> = {
  names: ['inline_message_id', 'chat_id', 'message_id'],
  read: (given, account) => {
    const inlineId = optionalText('inline_message_id').read(given, account);
    const hasChat = given['chat_id'] !== undefined || given['message_id'] !== undefined;
    if (inlineId !== undefined && !hasChat) return { inlineId };
    const chat = writableChat().read(given, account);
    const messageId = integer('message_id').read(given, account);
    if (messageId <= 0) throw ApiError.badRequest('message identifier is not specified');
    return { chat, messageId };
  },
};

/** The parameters of every method that edits a message. */
export const editing = { markup: replyMarkup, target };

interface Edit {
  /** Refuses a message that is no longer what the edit is for, by throwing an ApiError. */
  readonly check?: (before: Message) => void;
  readonly change: (before: Message) => Message;
}

/**
 * Replaces a message by what `change` makes of it, with the new inline keyboard or without any. Returns the message, or
 * `true` for a message of an inline query.
 *
 * @throws ApiError 400 for a message that is not there, is not the bot's, or would stay the same, and for a keyboard that
 *   belongs below a chat
 */
export function editMessage(
  { account }: MethodCall,
  { target: named, markup }: Values<typeof editing>,
  edit: Edit,
): Message | true {
  if ('inlineId' in named) return editInline(account, named.inlineId, markup, edit);
  const { check, change } = edit;
  const { chat, messageId } = named;
  const known = account.messages.find(chat, messageId);
  if (!known && !account.messages.mayHaveBeen(messageId))
    throw ApiError.badRequest('message to edit not found');
  if (known && known.from?.id !== account.id) throw ApiError.badRequest("message can't be edited");
  if (known) check?.(known);
  const keyboard = ownKeyboard(markup);
  // An old message is no longer kept, and so it may have had any content.
  const before: Message = known ?? {
    message_id: messageId,
    from: account.user,
    chat: account.chats.chat(chat),
    date: unixSeconds(),
  };
  return storeEdited(account, known, { ...withoutKeyboard(change(before)), ...keyboard });
}

/** Edits a message that a person has sent through the bot's inline mode. @throws ApiError 400 as `editMessage` does */
function editInline(account: BotAccount, id: string, markup: ReplyMarkup, { check, change }: Edit): true {
  if (!account.inlineMessages.has(id)) throw ApiError.badRequest('MESSAGE_ID_INVALID');
  const keyboard = ownKeyboard(markup);
  const place = account.inlineMessages.find(id);
  const known = place && account.messages.find(place.chat, place.messageId);
  // A message that only a raw update has named is nowhere in the sandbox.
  if (!known) return true;
  check?.(known);
  storeEdited(account, known, { ...withoutKeyboard(change(known)), ...keyboard });
  return true;
}

/** @throws ApiError 400 for a message that would stay the same */
function storeEdited(account: BotAccount, before: Message | undefined, after: Message): Message {
  if (before && isSame(before, after))
    throw ApiError.badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    );
  const edited = { ...after, edit_date: unixSeconds() };
  account.messages.store(edited);
  return edited;
}

const withoutKeyboard = ({ reply_markup: _former, ...message }: Message): Message => message;

function isSame(one: Message, other: Message): boolean {
  const content = ({ edit_date: _date, ...rest }: Message) => JSON.stringify(Object.entries(rest).sort());
  return content(one) === content(other);
}
