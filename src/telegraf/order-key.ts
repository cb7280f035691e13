/**
 * The order key of an update: updates that share a key are handled one at a time, in order of arrival. The key follows
 * from the fields that the kinds of updates have in common, not from a list of kinds, so that new kinds get a key too.
 */

/** The fields that identify the chat or the user, in any kind of update. */
interface Fields {
  readonly id?: unknown;
  readonly chat?: unknown;
  readonly voter_chat?: unknown;
  readonly message?: unknown;
  readonly from?: unknown;
  readonly user?: unknown;
  readonly business_connection_id?: unknown;
  readonly [name: string]: unknown;
}

/**
 * Returns the order key of an update of any kind. Never throws, and never returns an empty string.
 *
 * - The id of the chat, for everything that happens in a chat: the update's own chat, the chat in whose name an
 *   anonymous voter votes, or the chat of the message that a callback query belongs to.
 * - Otherwise the id of the user (inline queries, payments, callback queries of inline messages, votes, …). A private
 *   chat has the id of its user, so these updates share the key of what the user writes to the bot.
 * - `business:CONNECTION:CHAT` in the chats of a business account. The same customer has one chat id with the bot and
 *   with every business account, but these are different conversations that should not wait for each other.
 * - `KIND:ID` for an update without chat and user (`poll:5`).
 * - The kind alone for any other shape, because nothing shows that such updates are independent of each other.
 */
export function orderKey(update: unknown): string {
  const kind = updateKind(update);
  const content = isFields(update) ? update[kind] : undefined;
  if (!isFields(content)) return kind;

  const message = isFields(content.message) ? content.message : content;
  const chat = idOf(content.chat) ?? idOf(content.voter_chat) ?? idOf(message.chat);
  if (chat !== undefined) {
    const connection = text(message.business_connection_id);
    return connection === undefined ? chat : `business:${connection}:${chat}`;
  }
  const user = idOf(content.from) ?? idOf(content.user);
  if (user !== undefined) return user;
  const id = text(content.id);
  return id === undefined ? kind : `${kind}:${id}`;
}

/** Returns the kind of an update as the Bot API names it (`message`, `callback_query`, …), or `unknown`. */
export function updateKind(update: unknown): string {
  if (isFields(update)) for (const name in update) if (name !== '' && isFields(update[name])) return name;
  return 'unknown';
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
