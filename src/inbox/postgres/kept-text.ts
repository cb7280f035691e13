/** Texts as the tables can keep them. */
import { createHash } from 'node:crypto';

/** The longest key that is kept as it is. */
const LONGEST_KEY = 200;

/** A text of PostgreSQL has no NUL. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '');

/** A key as it is kept: a rule of a bot's own may give any text. */
export function storedKey(key: string): string {
  if (key.length <= LONGEST_KEY && !key.includes('\0')) return key;
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
