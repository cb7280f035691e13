/** Reads reply markup: keyboards below a message and below a chat, as far as Telegram looks at them. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import { structure, text } from '../parameters.js';
import { isWebUrl } from '../text/link.js';
import type { Parameter } from './parameter.js';

export type ReplyMarkup =
  /** A keyboard that belongs to its message. */
  | { readonly kind: 'inline'; readonly markup: object }
  /** A keyboard that a person gets in place of their own, its removal, or the request to reply. */
  | { readonly kind: 'chat'; readonly markup: object }
  | undefined;

const MAX_CALLBACK_DATA_BYTES = 64;

export const replyMarkup: Parameter<ReplyMarkup> = {
  names: ['reply_markup'],
  read: (given) => {
    if (text(given, 'reply_markup') === '') return undefined;
    const value = structure(given, 'reply_markup');
    if (value === undefined) throw ApiError.badRequest("can't parse reply keyboard markup JSON object");
    return parseReplyMarkup(value);
  },
};

/**
 * Returns the fields of a message for a keyboard that belongs to it: none for a message without one.
 *
 * @throws ApiError 400 for a keyboard below the chat, which comes only with a new message
 */
export function ownKeyboard(markup: ReplyMarkup): { readonly reply_markup?: object } {
  if (!markup) return {};
  if (markup.kind !== 'inline') throw ApiError.badRequest('inline keyboard expected');
  return { reply_markup: markup.markup };
}

/** @throws ApiError 400 */
function parseReplyMarkup(value: unknown): ReplyMarkup {
  if (!isObject(value)) throw ApiError.badRequest('object expected as reply markup');
  const keyboard = rows(value['keyboard'], 'Field "keyboard" must be an Array of Arrays', keyboardButton);
  const inline = rows(
    value['inline_keyboard'],
    'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    inlineButton,
  );
  if (keyboard.length > 0) return { kind: 'chat', markup: { ...value, keyboard } };
  if (inline.length > 0) return { kind: 'inline', markup: { inline_keyboard: inline } };
  return value['remove_keyboard'] === true || value['force_reply'] === true
    ? { kind: 'chat', markup: value }
    : undefined;
}

/** Returns the rows of a keyboard that have buttons. */
function rows(value: unknown, refusal: string, button: (value: unknown) => object): readonly object[][] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw ApiError.badRequest(refusal);
  const parsed = value.map((row: unknown) => {
    if (!Array.isArray(row)) throw ApiError.badRequest(refusal);
    return row.map(button);
  });
  return parsed.filter((row) => row.length > 0);
}

function keyboardButton(value: unknown): object {
  const refuse = (why: string) => ApiError.badRequest(`can't parse keyboard button: ${why}`);
  if (typeof value === 'string') return { text: value };
  if (!isObject(value)) throw refuse('KeyboardButton must be a String or an Object');
  return { ...value, text: textOf(value['text'], refuse) };
}

/** The fields of which an inline button has one, beside its text. */
const inlineKinds = [
  'url',
  'callback_data',
  'callback_game',
  'pay',
  'switch_inline_query',
  'switch_inline_query_chosen_chat',
  'switch_inline_query_current_chat',
  'login_url',
  'web_app',
  'copy_text',
];

function inlineButton(value: unknown): object {
  const refuse = (why: string) => ApiError.badRequest(`can't parse inline keyboard button: ${why}`);
  if (!isObject(value)) throw refuse('InlineKeyboardButton must be an Object');
  const texts: Record<string, string> = { text: textOf(value['text'], refuse) };
  for (const name of ['url', 'callback_data']) {
    const content = value[name];
    if (content === undefined) continue;
    if (!isTextual(content)) throw refuse(`Field "${name}" must be of type String`);
    texts[name] = `${content}`;
  }
  const { url, callback_data: data = '' } = texts;
  const isKnown = inlineKinds.some(
    (kind) => value[kind] !== undefined && !(value[kind] === '' && ['url', 'callback_data'].includes(kind)),
  );
  if (!isKnown) throw refuse('Text buttons are unallowed in the inline keyboard');
  if (url && !isWebUrl(url))
    throw ApiError.badRequest(`inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`);
  if (Buffer.byteLength(data) > MAX_CALLBACK_DATA_BYTES) throw ApiError.badRequest('BUTTON_DATA_INVALID');
  return { ...value, ...texts };
}

function textOf(value: unknown, refuse: (why: string) => ApiError): string {
  if (value === undefined) throw refuse('Can\'t find field "text"');
  if (!isTextual(value)) throw refuse('Field "text" must be of type String');
  return `${value}`;
}

/** Telegram takes a number for a text, and shows it as one. */
const isTextual = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';
