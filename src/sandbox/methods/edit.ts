/** Methods that change or delete messages. */
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import type { Message } from '../message.js';
import { editing, editMessage } from './editing.js';
import { inputMedia } from './media.js';
import { type Methods, method } from './method.js';
import { list, messageId, messageIds, writableChat } from './parameter.js';
import { captionOfPicture, messageText } from './texts.js';

/** The content of messages that have a caption. */
const captioned = ['photo', 'video', 'animation', 'audio', 'document', 'voice', 'paid_media'] as const;

/** How long after it was sent a bot may delete a message. */
const DELETABLE_MS = 48 * 3_600_000;
/** A bot may not take back at once, in a private chat, what it has thrown. */
const DICE_STAYS_MS = 24 * 3_600_000;

const captionFields = ['caption', 'caption_entities', 'show_caption_above_media'];

const hasAny = (message: Message, fields: readonly string[]): boolean =>
  fields.some((field) => message[field] !== undefined);

/** Returns a message without fields that an edit replaces. */
const without = (message: Message, ...fields: readonly string[]): Message => {
  const { message_id, from, chat, date, ...rest } = message;
  const kept = Object.entries(rest).filter(([field]) => !fields.includes(field));
  return { message_id, from, chat, date, ...Object.fromEntries(kept) };
};

/** Refuses a message without any of some fields. */
const needs = (what: string, fields: readonly string[]) => (message: Message) => {
  if (!hasAny(message, fields)) throw ApiError.badRequest(`there is no ${what} in the message to edit`);
};

/** Refuses to delete what a bot may not delete; a message that is not there is not refused. @throws ApiError 400 */
function checkDeletable({ id: bot, chats, members, messages }: BotAccount, chat: number, id: number): void {
  const message = messages.find(chat, id);
  const ageMs = messages.ageMs(chat, id);
  if (!message || ageMs === undefined) return;
  const isOwn = message.from?.id === bot;
  const isFreshDice = chat > 0 && message['dice'] !== undefined && ageMs < DICE_STAYS_MS;
  const { type } = chats.chat(chat);
  // In a basic group, every administrator may delete: single rights are given only in supergroups and channels.
  const mayDelete =
    chat > 0 || isOwn || members.botMay(chat, type === 'group' ? undefined : 'can_delete_messages');
  if (ageMs < DELETABLE_MS && !isFreshDice && mayDelete) return;
  const isForAll = type === 'private' || type === 'group';
  throw ApiError.badRequest(`message can't be deleted${isForAll ? ' for everyone' : ''}`);
}

export const editMethods: Methods = {
  editMessageText: method({ content: messageText, ...editing }, ({ content, ...target }, call) =>
    editMessage(call, target, {
      check: needs('text', ['text']),
      change: (before) => ({ ...without(before, 'text', 'entities'), ...content }),
    }),
  ),
  editMessageCaption: method({ content: captionOfPicture, ...editing }, ({ content, ...target }, call) =>
    editMessage(call, target, {
      check: needs('caption', captioned),
      change: (before) => ({ ...without(before, ...captionFields), ...content }),
    }),
  ),
  editMessageMedia: method({ content: inputMedia, ...editing }, ({ content, ...target }, call) =>
    editMessage(call, target, {
      check: needs('media', [...captioned, 'text']),
      change: (before) => ({
        ...without(before, ...captioned, ...captionFields, 'has_media_spoiler', 'text', 'entities'),
        ...content,
      }),
    }),
  ),
  editMessageReplyMarkup: method(editing, (target, call) =>
    editMessage(call, target, { change: (before) => before }),
  ),
  deleteMessage: method({ chat: writableChat(), id: messageId() }, ({ chat, id }, { account }) => {
    checkDeletable(account, chat, id);
    if (!account.messages.delete(chat, id) && !account.messages.mayHaveBeen(id))
      throw ApiError.badRequest('message to delete not found');
    return true;
  }),
  deleteMessages: method({ chat: writableChat(), ids: messageIds() }, ({ chat, ids }, { account }) => {
    for (const id of ids) checkDeletable(account, chat, id);
    // Those that are not there are skipped.
    for (const id of ids) account.messages.delete(chat, id);
    return true;
  }),
  setMessageReaction: method(
    { chat: writableChat(), id: messageId(), reaction: list('reaction', 'reaction types') },
    ({ chat, id, reaction = [] }, { account }) => {
      if (!account.messages.find(chat, id) && !account.messages.mayHaveBeen(id))
        throw ApiError.badRequest('message to react not found');
      account.messages.react(chat, id, reaction);
      return true;
    },
  ),
};
