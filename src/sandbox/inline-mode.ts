/** People who use a bot's inline mode: they ask by a query, and send one of the results that the bot answers with. */
import { isObject, parseJson } from '../json.js';
import type { BotAccount } from './bot-account.js';
import { location } from './methods/location.js';
import { fileIn, fileOf } from './methods/media.js';
import { ownKeyboard, replyMarkup } from './methods/reply-markup.js';
import { stickerOf } from './methods/stickers.js';
import { captionOf, messageText } from './methods/texts.js';

export interface InlineQuestion {
  /** The chat in which the person writes the query. Default 1. */
  readonly chat?: number | undefined;
  readonly query: string;
  /** What an earlier answer gave as `next_offset`. Default: empty. */
  readonly offset?: string | undefined;
  /** The id of the person. Default: the chat's id. */
  readonly fromId?: number | undefined;
}

/** Asks the bot. Returns the id of the query, and that of its update, which is undefined if the bot gets no such updates. */
export function askInline(
  account: BotAccount,
  { chat = 1, query, offset = '', fromId = chat }: InlineQuestion,
): { readonly id: string; readonly updateId: number | undefined } {
  const id = account.nextId();
  const { type } = account.chats.chat(chat);
  const [updateId] = account.add([
    {
      inline_query: {
        id,
        from: account.chats.person(fromId),
        chat_type: type === 'private' ? 'sender' : type,
        query,
        offset,
      },
    },
  ]);
  return { id, updateId };
}

type Result = Readonly<Record<string, unknown>>;

/** Returns a result of the bot's answer to a query. @throws RangeError if there is none */
export function inlineResult({ queries }: BotAccount, query: string, id: string): Result {
  const answer = queries.find('inline_query', query)?.answer;
  if (!answer) throw new RangeError('the bot has not answered this inline query');
  const results: readonly unknown[] = Array.isArray(answer['results']) ? answer['results'] : [];
  const found = results.find((result): result is Result => isObject(result) && `${result['id']}` === id);
  if (!found) throw new RangeError(`the bot's answer has no result ${id}`);
  return found;
}

/** The kinds of results that are files, each with the kind of its file. */
const fileKinds: Readonly<Record<string, string>> = {
  photo: 'photo',
  gif: 'animation',
  mpeg4_gif: 'animation',
  video: 'video',
  audio: 'audio',
  voice: 'voice',
  document: 'document',
};

/**
 * Returns the content of the message that a person sends by choosing a result.
 *
 * @throws ApiError 400 for a text or a place that Telegram refuses, and a RangeError for a result that is none
 */
export function resultContent(account: BotAccount, result: Result): object {
  const keyboard = ownKeyboard(replyMarkup.read(result, account));
  return { ...shownContent(account, result), via_bot: account.user, ...keyboard };
}

function shownContent(account: BotAccount, result: Result): object {
  const { input_message_content: given, type } = result;
  if (isObject(given)) return inputContent(account, given);
  const kind = fileKinds[`${type}`];
  if (kind !== undefined) return { ...fileContent(account, result, kind), ...captionOf(result, account) };
  switch (type) {
    case 'sticker':
      return { sticker: stickerOf(fileIn(account, result, 'sticker_file_id')) };
    case 'game':
      return { game: { title: `${result['game_short_name']}`, description: '', photo: [] } };
    case 'article':
      throw new RangeError('the result needs an input_message_content');
    default:
      return inputContent(account, result);
  }
}

/** A text, a venue, a place or a contact, told apart by their fields. */
function inputContent(account: BotAccount, given: Result): object {
  if (given['message_text'] !== undefined)
    return messageText.read({ ...given, text: given['message_text'] }, account);
  if (given['address'] !== undefined) {
    const { title, address } = given;
    const place = location.read(given, account);
    return { venue: { location: place, title, address }, location: place };
  }
  if (given['latitude'] !== undefined) return { location: location.read(given, account) };
  const { phone_number, first_name } = given;
  if (phone_number !== undefined) return { contact: { phone_number, first_name } };
  throw new RangeError('the result has no content that the sandbox models');
}

/** The file of a result: one of which the bot knows the id, or one behind a URL, which the sandbox does not fetch. */
function fileContent(account: BotAccount, result: Result, kind: string): object {
  const type = `${result['type']}`;
  const file = result[`${type}_file_id`] ?? result[`${type}_url`];
  const { [`${type}_width`]: width, [`${type}_height`]: height, [`${type}_duration`]: duration } = result;
  return fileOf(kind).read({ ...result, [kind]: file, width, height, duration }, account);
}

/**
 * Tells the bot which result a person has sent as the newest message of a chat. With a keyboard, the bot gets an id by
 * which it can edit the message. Returns the id of the update, if the bot gets such updates.
 */
export function tellChosen(
  account: BotAccount,
  {
    chat,
    query,
    result,
    fromId,
  }: { readonly chat: number; readonly query: string; readonly result: string; readonly fromId: number },
): number | undefined {
  const message = account.messages.in(chat).at(-1);
  const inlineId = message?.['reply_markup'] === undefined ? undefined : `sandbox-inline-${account.nextId()}`;
  if (message && inlineId !== undefined)
    account.inlineMessages.add(inlineId, { chat, messageId: message.message_id });
  const [updateId] = account.add([
    {
      chosen_inline_result: {
        result_id: result,
        from: account.chats.person(fromId),
        query: textOf(account, query),
        ...(inlineId !== undefined && { inline_message_id: inlineId }),
      },
    },
  ]);
  return updateId;
}

/** The words of a query, as far as its update is still known. */
function textOf({ queries, updates }: BotAccount, query: string): string {
  const { updateId } = queries.find('inline_query', query) ?? {};
  const json = updateId === undefined ? undefined : updates.find(updateId)?.json;
  const update = json === undefined ? undefined : parseJson(json);
  const asked = isObject(update) ? update['inline_query'] : undefined;
  return isObject(asked) ? `${asked['query']}` : '';
}
