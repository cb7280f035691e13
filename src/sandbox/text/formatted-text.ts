/** A text that a bot sends: with a parse mode or with entities of its own, as Telegram's server takes it. */
import { isObject, parseJson } from '../../json.js';
import { ApiError } from '../api-response.js';
import { arranged, isWhole } from './arranged.js';
import { detectedEntities, overlap } from './detected.js';
import {
  detectedTypes,
  type FormattedText,
  formatTypes,
  MarkupError,
  type MessageEntity,
  sortedEntities,
} from './entity.js';
import { parseHtml } from './html.js';
import type { FindPerson } from './link.js';
import { parseMarkdown } from './markdown.js';
import { parseMarkdownV2 } from './markdown-v2.js';

/** The most bytes of a text, markup included. */
const MAX_BYTES = 32_768;

export interface GivenText {
  readonly text: string;
  readonly parseMode: string;
  /** A list of entities, or its JSON. They count only without a parse mode. */
  readonly entities: unknown;
}

const parsers = new Map([
  ['markdown', parseMarkdown],
  ['markdownv2', parseMarkdownV2],
  ['html', parseHtml],
]);

/** Returns the text as it is sent: parsed, trimmed, and with all of its entities. @throws ApiError 400 */
export function formattedText({ text, parseMode, entities }: GivenText, person: FindPerson): FormattedText {
  if (text === '') return { text, entities: [] };
  if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES)
    throw ApiError.badRequest('text is too long');
  const mode = parseMode.toLowerCase();
  if (mode === '' || mode === 'none') return finished({ text, entities: givenEntities(entities, person) });
  const parse = parsers.get(mode);
  if (!parse) throw ApiError.badRequest('unsupported parse_mode');
  return finished(parsed(() => parse(text, person)));
}

/** Returns a person's text, of which Telegram finds the entities. */
export const plainText = (text: string): FormattedText => ({ text, entities: detectedEntities(text) });

/** Returns a text with entities as the fields of a message: no list for a text without entities. */
export const textFields = ({ text, entities }: FormattedText): TextFields =>
  entities.length > 0 ? { text, entities } : { text };

/** Returns a text with entities as the fields of a file's caption. */
export const captionFields = ({ text, entities }: FormattedText): object => ({
  caption: text,
  ...(entities.length > 0 && { caption_entities: entities }),
});

interface TextFields {
  readonly text: string;
  readonly entities?: readonly MessageEntity[];
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MarkupError) throw ApiError.badRequest(`can't parse entities: ${error.message}`);
    throw error;
  }
}

/** Cleans and trims the text, arranges its entities, and adds those that Telegram finds by itself. */
function finished(given: FormattedText): FormattedText {
  const { text: untrimmed, entities } = withoutReturns(given);
  const text = untrimmed.trim();
  const start = untrimmed.length - untrimmed.trimStart().length;
  const kept = arranged(within(entities, start, text.length));
  const found = detectedEntities(text).filter(
    (entity) => !kept.some((other) => isWhole(other) && overlap(entity, other)),
  );
  return { text, entities: found.length > 0 ? arranged([...kept, ...found]) : kept };
}

/** Takes out the carriage returns, and moves the entities accordingly. */
function withoutReturns({ text, entities }: FormattedText): FormattedText {
  if (!text.includes('\r')) return { text, entities };
  const moved = (index: number) => text.slice(0, index).replaceAll('\r', '').length;
  return {
    text: text.replaceAll('\r', ''),
    entities: entities.map((entity) => {
      const offset = moved(entity.offset);
      return { ...entity, offset, length: moved(entity.offset + entity.length) - offset };
    }),
  };
}

/** Cuts entities to the part of the text that is left. Those of nothing are left out. */
const within = (
  entities: readonly MessageEntity[],
  start: number,
  length: number,
): readonly MessageEntity[] =>
  entities.flatMap((entity) => {
    const from = Math.max(entity.offset - start, 0);
    const to = Math.min(entity.offset - start + entity.length, length);
    return to > from ? [{ ...entity, offset: from, length: to - from }] : [];
  });

/** Returns the entities that a bot gives. Those that Telegram finds by itself are left out. @throws ApiError 400 */
function givenEntities(given: unknown, person: FindPerson): readonly MessageEntity[] {
  const list = typeof given === 'string' ? parseJson(given) : given;
  // Telegram's server takes a list that is none for no list.
  if (!Array.isArray(list)) return [];
  return sortedEntities(list.flatMap((item: unknown) => givenEntity(item, person) ?? []));
}

function givenEntity(value: unknown, person: FindPerson): MessageEntity | undefined {
  const refuse = (why: string) => ApiError.badRequest(`can't parse MessageEntity: ${why}`);
  if (!isObject(value)) throw refuse('expected an Object');
  const { type, url, user, language, custom_emoji_id: emoji } = value;
  const [offset, length] = [Number(value['offset']), Number(value['length'])];
  for (const [name, number] of Object.entries({ offset, length }))
    if (!Number.isInteger(number)) throw refuse(`Can't find field "${name}"`);
  if (typeof type !== 'string') throw refuse('Can\'t find field "type"');
  if (detectedTypes.some((detected) => detected === type) || type === 'bank_card_number') return undefined;
  if (!isFormatType(type)) throw refuse('Unsupported type specified');
  if (offset < 0 || length <= 0) return undefined;
  const place = { type, offset, length };
  switch (type) {
    case 'text_link':
      if (typeof url !== 'string') throw refuse('Can\'t find field "url"');
      return { ...place, url };
    case 'text_mention': {
      const id = isObject(user) ? Number(user['id']) : Number.NaN;
      if (!Number.isSafeInteger(id)) throw refuse('Can\'t find field "user"');
      return { ...place, user: person(id) };
    }
    case 'custom_emoji':
      return { ...place, custom_emoji_id: `${emoji}` };
    case 'pre':
      return typeof language === 'string' && language !== '' ? { ...place, language } : place;
    default:
      return place;
  }
}

const isFormatType = (type: string): type is MessageEntity['type'] => formatTypes.includes(type);
