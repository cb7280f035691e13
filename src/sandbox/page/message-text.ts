/** The text of a message with its entities. */
import { h } from './dom.js';
import { type Entity, type Part, partsOf, safeUrl } from './rich-text.js';

/** Makes the text of a message. `say` is called with a command that is pressed. */
export function messageText(text: unknown, entities: unknown, say: (text: string) => void): Node | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  return h('div', { class: 'text' }, ...nodes(parse(text, entities), say));
}

const parse = (text: string, entities: unknown): readonly Part[] =>
  partsOf(text, Array.isArray(entities) ? (entities as readonly Entity[]) : []);

function nodes(parts: readonly Part[], say: (text: string) => void): (Node | string)[] {
  return parts.map((piece) => {
    if (typeof piece === 'string') return piece;
    const { entity, text, parts: inner } = piece;
    return element(entity, text, () => nodes(inner, say), say);
  });
}

const tags = {
  bold: 'strong',
  italic: 'em',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  blockquote: 'blockquote',
  expandable_blockquote: 'blockquote',
} as const;

function element(
  { type, url, language }: Entity,
  text: string,
  inner: () => (Node | string)[],
  say: (text: string) => void,
): Node | string {
  if (type in tags) return h(tags[type as keyof typeof tags], {}, ...inner());
  switch (type) {
    case 'pre':
      return h('pre', { 'data-language': language }, h('code', {}, ...inner()));
    case 'spoiler': {
      const reveal = () => spoiler.setAttribute('aria-expanded', 'true');
      const spoiler = h(
        'button',
        { type: 'button', class: 'spoiler', 'aria-expanded': 'false', title: 'Show', on: { click: reveal } },
        ...inner(),
      );
      return spoiler;
    }
    case 'url':
    case 'text_link':
    case 'email':
    case 'phone_number': {
      const schemes: Readonly<Record<string, string>> = { email: 'mailto:', phone_number: 'tel:' };
      const href = safeUrl(url ?? `${schemes[type] ?? ''}${text}`);
      if (!href) return h('span', {}, ...inner());
      return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...inner());
    }
    case 'bot_command':
      return h('button', { type: 'button', class: 'link', on: { click: () => say(text) } }, text);
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
      return h('span', { class: 'mention' }, ...inner());
    default:
      return h('span', {}, ...inner());
  }
}
