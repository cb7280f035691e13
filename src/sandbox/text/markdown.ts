/** Parses the old Markdown, whose entities cannot be nested, by the rules of Telegram's server. */
import { byteOffset, type FormattedText, MarkupError, type MessageEntity, sortedEntities } from './entity.js';
import { type FindPerson, linkEntity } from './link.js';

/** @throws MarkupError */
export function parseMarkdown(source: string, person: FindPerson): FormattedText {
  const entities: MessageEntity[] = [];
  let text = '';
  let index = 0;
  while (index < source.length) {
    const character = source.charAt(index);
    if (character === '\\' && '_*`['.includes(source.charAt(index + 1) || ' ')) {
      text += source.charAt(index + 1);
      index += 2;
    } else if ('_*`['.includes(character)) {
      const { content, end, entity } = entityAt(source, index, person);
      if (entity && content !== '') entities.push({ ...entity, offset: text.length, length: content.length });
      text += content;
      index = end;
    } else {
      text += character;
      index++;
    }
  }
  return { text, entities: sortedEntities(entities) };
}

interface ParsedEntity {
  readonly content: string;
  /** The index behind it. */
  readonly end: number;
  /** Undefined for a link whose URL is none. */
  readonly entity: Omit<MessageEntity, 'offset' | 'length'> | undefined;
}

function entityAt(source: string, from: number, person: FindPerson): ParsedEntity {
  const block = /^```(?:([^\s`]+)(?=\s))?(?:\r\n|\n\r|\n|\r)?/.exec(source.slice(from));
  const opening = block?.[0] ?? source.charAt(from);
  const closing = block ? '```' : opening === '[' ? ']' : opening;
  const end = source.indexOf(closing, from + opening.length);
  if (end < 0)
    throw new MarkupError(`Can't find end of the entity starting at byte offset ${byteOffset(source, from)}`);
  const content = source.slice(from + opening.length, end);
  const after = end + closing.length;
  if (opening === '[') {
    const [parentheses = '', url = content] = /^\(([^)]*)\)?/.exec(source.slice(after)) ?? [];
    return { content, end: after + parentheses.length, entity: linkEntity(url, person) };
  }
  const language = block?.[1];
  if (block) return { content, end: after, entity: { type: 'pre', ...(language && { language }) } };
  const type = opening === '_' ? 'italic' : opening === '*' ? 'bold' : 'code';
  return { content, end: after, entity: { type } };
}
