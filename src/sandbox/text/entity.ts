/** The entities of a text, such as bold words and links, in the format of the Bot API. */
import type { User } from '../message.js';

export interface MessageEntity {
  readonly type: EntityType;
  /** In UTF-16 code units, as the length. */
  readonly offset: number;
  readonly length: number;
  /** Of a `text_link`. */
  readonly url?: string;
  /** Of a `text_mention`. */
  readonly user?: User;
  /** Of a `pre`. */
  readonly language?: string;
  /** Of a `custom_emoji`. */
  readonly custom_emoji_id?: string;
}

/** Entities that a text shows by its own characters: Telegram finds them by itself, and takes none from a bot. */
export const detectedTypes = [
  'mention',
  'hashtag',
  'cashtag',
  'bot_command',
  'url',
  'email',
  'phone_number',
] as const;

/** Entities that a bot gives to a part of a text, each with its rank among entities of the same part: TDLib's order. */
const ranks = {
  blockquote: 0,
  expandable_blockquote: 0,
  pre: 11,
  code: 20,
  text_link: 49,
  text_mention: 49,
  bold: 90,
  italic: 91,
  underline: 92,
  strikethrough: 93,
  spoiler: 94,
  custom_emoji: 99,
} as const;

export type FormatType = keyof typeof ranks;
export type EntityType = FormatType | (typeof detectedTypes)[number];

export const formatTypes = Object.keys(ranks);

const rankOf = (type: EntityType): number => (type in ranks ? ranks[type as FormatType] : 50);

/** Returns entities in the order of their beginnings, outer ones first. */
export const sortedEntities = (entities: readonly MessageEntity[]): readonly MessageEntity[] =>
  [...entities].sort(
    (one, other) =>
      one.offset - other.offset || other.length - one.length || rankOf(one.type) - rankOf(other.type),
  );

/** A text that has been parsed: without markup, and with its entities. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/** What a text cannot be parsed for, in the words of Telegram. */
export class MarkupError extends Error {
  override readonly name = 'MarkupError';
}

/** Telegram's errors count in bytes of UTF-8. */
export const byteOffset = (text: string, index: number): number => Buffer.byteLength(text.slice(0, index));
