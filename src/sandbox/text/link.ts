/** Links in a marked-up text: which of them become entities, and how Telegram writes their URLs. */
import type { User } from '../message.js';
import { MarkupError, type MessageEntity } from './entity.js';

/** Returns the person with an id. */
export type FindPerson = (id: number) => User;

/** Returns the entity of a link, without its place. Undefined if the URL is none: Telegram then shows the bare text. */
export function linkEntity(
  url: string,
  person: FindPerson,
): Pick<MessageEntity, 'type' | 'url' | 'user'> | undefined {
  const userId = /^tg:(?:\/\/)?user\?(?:.*&)?id=(\d{1,15})\b/i.exec(url)?.[1];
  if (userId !== undefined) return { type: 'text_mention', user: person(Number(userId)) };
  const checked = checkedUrl(url);
  return checked === undefined ? undefined : { type: 'text_link', url: checked };
}

/** Returns a URL with its scheme, or undefined for a text that is no URL. */
function checkedUrl(given: string): string | undefined {
  const url = given.trim();
  if (/^(tg|ton):/i.test(url)) return url;
  const absolute = /^[a-z][\w+.-]*:\/\//i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(absolute)) return undefined;
  const { protocol, hostname, href } = new URL(absolute);
  return /^(https?|ftp):$/.test(protocol) && hostname.includes('.') ? href : undefined;
}

/** Whether a text is a URL that a button may have. */
export const isWebUrl = (url: string): boolean => checkedUrl(url) !== undefined;

/** Returns the id of a custom emoji that a URL names. @throws MarkupError if it names none */
export function customEmojiId(url: string): string {
  const [, scheme, rest = ''] = /^(?:(\w+):)?(.*)$/s.exec(url) ?? [];
  if (scheme?.toLowerCase() !== 'tg') throw new MarkupError('Custom emoji URL must have scheme tg');
  const [, host, query = ''] = /^(?:\/\/)?([^/?#]*)[^?#]*\??([^#]*)/.exec(rest) ?? [];
  if (host !== 'emoji') throw new MarkupError('Custom emoji URL must have host "emoji"');
  const id = new URLSearchParams(query).get('id');
  if (id === null) throw new MarkupError('Custom emoji URL must have an emoji identifier');
  return checkedEmojiId(id);
}

/** @throws MarkupError for a text that is no id of a custom emoji */
export function checkedEmojiId(id: string): string {
  if (!/^-?[1-9]\d{0,18}$/.test(id)) throw new MarkupError('Invalid custom emoji identifier specified');
  return id;
}
