/** Divides a text with entities into nested parts, as messages show them. Knows nothing of the page. */

export interface Entity {
  readonly type: string;
  /** In UTF-16 code units, as the length. */
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
}

/** A piece of text, or an entity with what is in it. */
export type Part =
  | string
  | { readonly entity: Entity; readonly text: string; readonly parts: readonly Part[] };

/** Returns the parts of a text. An entity that overlaps the end of the one around it is cut there. */
export function partsOf(text: string, entities: readonly Entity[]): readonly Part[] {
  const sorted = [...entities]
    .filter(({ length, offset }) => length > 0 && offset >= 0 && offset < text.length)
    .sort((one, other) => one.offset - other.offset || other.length - one.length);
  return between(text, 0, text.length, sorted);
}

function between(text: string, from: number, to: number, entities: readonly Entity[]): readonly Part[] {
  const parts: Part[] = [];
  let at = from;
  for (let index = 0; index < entities.length; ) {
    const entity = entities[index];
    if (!entity) break;
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    const next = entities.findIndex((other, place) => place > index && other.offset >= end);
    const inside = entities.slice(index + 1, next < 0 ? undefined : next);
    index = next < 0 ? entities.length : next;
    if (begin >= end) continue;
    if (begin > at) parts.push(text.slice(at, begin));
    parts.push({ entity, text: text.slice(begin, end), parts: between(text, begin, end, inside) });
    at = end;
  }
  if (at < to) parts.push(text.slice(at, to));
  return parts;
}

/** Returns the address of a link as far as it is safe to open: one of the web, of mail or of Telegram. */
export function safeUrl(given: string): string | undefined {
  const url = /^[a-z][a-z\d+.-]*:/i.test(given) ? given : `https://${given}`;
  if (!URL.canParse(url)) return undefined;
  return ['http:', 'https:', 'mailto:', 'tel:', 'tg:'].includes(new URL(url).protocol) ? url : undefined;
}
