/**
 * The order key of an update: updates that share a key are handled one at a time, in order of arrival. The key follows
 * from the fields that the kinds of updates have in common, not from a list of kinds, so that new kinds get a key too.
 */
import type { Update } from 'telegraf/types';

/** The fields that identify the chat or the user, in any kind of update. */
interface Fields {
  readonly id?: unknown;
  readonly chat?: unknown;
  readonly voter_chat?: unknown;
  readonly message?: unknown;
  readonly from?: unknown;
  readonly user?: unknown;
  readonly business_connection_id?: unknown;
  readonly media_group_id?: unknown;
  readonly [name: string]: unknown;
}

/** What updates are kept in order by: the chat, each user in it, or nothing. */
export type Order = 'chat' | 'user' | 'none';

/** A bot's own rule of order: returns the key of an update, or undefined where the setting ORDER decides. */
export type OrderKeyFunction = (update: Update) => string | undefined;

/** Kinds of queries that Telegram wants answered within seconds, and whose order means nothing. */
const unordered: ReadonlySet<string> = new Set(['inline_query', 'shipping_query', 'pre_checkout_query']);

/**
 * Returns the order key of an update of any kind. Never throws, and never returns an empty string.
 *
 * - The id of the chat, for everything that happens in a chat: the update's own chat, the chat in whose name an
 *   anonymous voter votes, or the chat of the message that a callback query belongs to.
 * - Otherwise the id of the user (payments, callback queries of inline messages, votes, …). A private chat has the id of
 *   its user, so these updates share the key of what the user writes to the bot.
 * - `business:CONNECTION:CHAT` in the chats of a business account. The same customer has one chat id with the bot and
 *   with every business account, but these are different conversations that should not wait for each other.
 * - `KIND:ID` for an update without chat and user (`poll:5`), and for inline, shipping and pre-checkout queries, each of
 *   which has a key of its own.
 * - The kind alone for any other shape, because nothing shows that such updates are independent of each other.
 *
 * With the order `user`, what a user does in a chat has the key `CHAT:USER`, except in the user's own private chat. With
 * `none`, the key is `KIND:UPDATE_ID`.
 */
export function orderKey(update: unknown, order: Order = 'chat'): string {
  const { kind, content } = contentOf(update);
  if (order === 'none') return withId(kind, isFields(update) ? update['update_id'] : undefined);
  if (content === undefined || unordered.has(kind)) return withId(kind, content?.id);

  const message = isFields(content.message) ? content.message : content;
  const chat = idOf(content.chat) ?? idOf(content.voter_chat) ?? idOf(message.chat);
  const user = idOf(content.from) ?? idOf(content.user);
  if (chat === undefined) return user ?? withId(kind, content.id);
  const connection = text(message.business_connection_id);
  const place = connection === undefined ? chat : `business:${connection}:${chat}`;
  // The user of an anonymous vote is a stand-in, the same one for everybody.
  const isAnonymous = isFields(content.voter_chat);
  return order === 'chat' || user === undefined || user === chat || isAnonymous ? place : `${place}:${user}`;
}

/**
 * Returns what the messages of one album have in common, or undefined for an update that is no part of an album. An edit
 * is not handled beside the message that it edits, so the kind is part of it. Never throws.
 */
export function albumOf(update: unknown): string | undefined {
  const { kind, content } = contentOf(update);
  const album = text(content?.media_group_id);
  return album === undefined ? undefined : `${kind}:${idOf(content?.chat) ?? ''}:${album}`;
}

/**
 * Makes a function that never throws of a bot's own rule of order, whatever that is. Where it fails, the result is undefined,
 * and `failed` is called the first time.
 *
 * @param rule what the bot gave as its {@link OrderKeyFunction}
 */
export function guardedOrderKey(rule: unknown, failed: (error: unknown) => void): OrderKeyFunction {
  let hasFailed = false;
  const fail = (error: unknown) => {
    if (!hasFailed) failed(error);
    hasFailed = true;
    return undefined;
  };
  if (typeof rule !== 'function') {
    fail(new TypeError(`orderKey is ${nameOf(rule)}, not a function`));
    return () => undefined;
  }
  return (update) => {
    try {
      const key: unknown = Reflect.apply(rule, undefined, [update]);
      if (key === undefined || (typeof key === 'string' && key !== '')) return key;
      // A rejection that nobody handles would end the run.
      if (key instanceof Promise) key.catch(() => {});
      return fail(new TypeError(`orderKey returned ${nameOf(key)}, not a string or undefined`));
    } catch (error) {
      return fail(error);
    }
  };
}

/** Returns the kind of an update as the Bot API names it (`message`, `callback_query`, …), or `unknown`. */
export function updateKind(update: unknown): string {
  if (isFields(update)) for (const name in update) if (name !== '' && isFields(update[name])) return name;
  return 'unknown';
}

function contentOf(update: unknown): { readonly kind: string; readonly content: Fields | undefined } {
  const kind = updateKind(update);
  const content = isFields(update) ? update[kind] : undefined;
  return { kind, content: isFields(content) ? content : undefined };
}

function withId(kind: string, id: unknown): string {
  const known = text(id);
  return known === undefined ? kind : `${kind}:${known}`;
}

function nameOf(value: unknown): string {
  if (value === '') return 'an empty string';
  if (value === null) return 'null';
  if (value instanceof Promise) return 'a promise';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function idOf(owner: unknown): string | undefined {
  return isFields(owner) ? text(owner.id) : undefined;
}

function text(id: unknown): string | undefined {
  if (typeof id === 'number') return `${id}`;
  return typeof id === 'string' && id !== '' ? id : undefined;
}
