/**
 * Arranges the entities of a text as Telegram's server does, so that what belongs to a part of a text can be told from a
 * list in order:
 *
 * - Links, code and the like are whole: of two that overlap, the one that begins first stays, and of two that begin at the
 *   same place, the longer one.
 * - Quotes do not overlap each other. What is whole lies inside of a quote or outside.
 * - Styles, such as bold, may lie across all of these. Parts of the same style that touch are one. A style is cut where a
 *   whole entity or a quote begins or ends, and where another style begins. There is none inside of code.
 */
import { overlap } from './detected.js';
import { type MessageEntity, sortedEntities } from './entity.js';

const styles = ['bold', 'italic', 'underline', 'strikethrough', 'spoiler'] as const;

const isStyle = ({ type }: MessageEntity): boolean => styles.some((style) => style === type);
const isQuote = ({ type }: MessageEntity): boolean => type.endsWith('blockquote');
const isCode = ({ type }: MessageEntity): boolean => type === 'code' || type === 'pre';

/** Whether an entity cannot be cut: neither a style nor a quote. */
export const isWhole = (entity: MessageEntity): boolean => !isStyle(entity) && !isQuote(entity);

const endOf = ({ offset, length }: MessageEntity): number => offset + length;

export function arranged(entities: readonly MessageEntity[]): readonly MessageEntity[] {
  if (entities.length === 0) return entities;
  const sorted = sortedEntities(entities);
  const quotes = firstOf(sorted.filter(isQuote));
  const whole = firstOf(sorted.filter(isWhole)).filter((entity) =>
    quotes.every((quote) => !overlap(entity, quote) || isInside(entity, quote)),
  );
  const others = [...quotes, ...whole];
  return sortedEntities([...others, ...cutStyles(sorted.filter(isStyle), others)]);
}

/** Returns those of sorted entities that do not overlap an earlier one. */
function firstOf(sorted: readonly MessageEntity[]): readonly MessageEntity[] {
  const kept: MessageEntity[] = [];
  let end = 0;
  for (const entity of sorted) {
    if (entity.offset < end) continue;
    kept.push(entity);
    end = endOf(entity);
  }
  return kept;
}

const isInside = (inner: MessageEntity, outer: MessageEntity): boolean =>
  outer.offset <= inner.offset && endOf(inner) <= endOf(outer);

function cutStyles(
  given: readonly MessageEntity[],
  others: readonly MessageEntity[],
): readonly MessageEntity[] {
  const joined = styles.flatMap((style) => joinTouching(given.filter(({ type }) => type === style)));
  const cuts = new Set([
    ...joined.map(({ offset }) => offset),
    ...others.flatMap((other) => [other.offset, endOf(other)]),
  ]);
  const inOrder = [...cuts].sort((one, other) => one - other);
  const code = others.filter(isCode);
  return joined
    .flatMap((entity) => cutAt(entity, inOrder))
    .filter((part) => !code.some((block) => overlap(part, block)));
}

/** Joins sorted entities of one style that overlap or touch. */
function joinTouching(sorted: readonly MessageEntity[]): readonly MessageEntity[] {
  const joined: MessageEntity[] = [];
  for (const entity of sorted) {
    const last = joined.at(-1);
    if (last && entity.offset <= endOf(last))
      joined[joined.length - 1] = {
        ...last,
        length: Math.max(endOf(last), endOf(entity)) - last.offset,
      };
    else joined.push(entity);
  }
  return joined;
}

function cutAt(entity: MessageEntity, cuts: readonly number[]): readonly MessageEntity[] {
  const inside = cuts.filter((cut) => entity.offset < cut && cut < endOf(entity));
  return [entity.offset, ...inside].map((offset, index) => ({
    ...entity,
    offset,
    length: (inside[index] ?? endOf(entity)) - offset,
  }));
}
