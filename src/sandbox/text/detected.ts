/** Finds the entities that a text shows by its own characters: commands, mentions, hashtags, links, addresses. */
import type { EntityType, MessageEntity } from './entity.js';

/** A text without any of these has no such entity. */
const hints = /[/@#$.]/;

/** What is found first keeps its place: an address is no mention, and a link is no command. */
const patterns: readonly (readonly [EntityType, RegExp])[] = [
  ['url', /(?<![\w@.])(?:https?|ftp|tg):\/\/[^\s<>"]*[^\s<>".,:;!?)\]}']/gi],
  ['email', /(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+[a-z]{2,}\b/gi],
  [
    'url',
    /(?<![\w@./-])(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+(?:com|org|net|io|me|dev|app|info|ru|de|uk|eu)\b(?:\/[^\s<>"]*[^\s<>".,:;!?)\]}'])?/gi,
  ],
  ['bot_command', /(?<![\w/<>@])\/\w{1,64}(?:@\w{3,32})?(?![\w/@])/g],
  ['mention', /(?<![\w@])@[a-z]\w{2,31}(?![\w@])/gi],
  ['hashtag', /(?<![\p{L}\p{N}_#])#(?=[\p{N}_]*\p{L})[\p{L}\p{N}_]{1,256}/gu],
  ['cashtag', /(?<![\w$])\$[A-Z]{1,8}(?!\w)/g],
];

/** Returns the entities in order. Phone numbers and the links of other domains are not found. */
export function detectedEntities(text: string): readonly MessageEntity[] {
  if (!hints.test(text)) return [];
  const found: MessageEntity[] = [];
  for (const [type, pattern] of patterns)
    for (const { 0: match, index: offset } of text.matchAll(pattern)) {
      const entity = { type, offset, length: match.length };
      if (!found.some((other) => overlap(entity, other))) found.push(entity);
    }
  return found.sort((one, other) => one.offset - other.offset);
}

/** Whether two parts of a text share a character. */
export const overlap = (
  one: Pick<MessageEntity, 'offset' | 'length'>,
  other: Pick<MessageEntity, 'offset' | 'length'>,
): boolean => one.offset < other.offset + other.length && other.offset < one.offset + one.length;
