/**
 * Which updates must be handled in order, one after the other: those that share a key. Goes by the shape that the kinds
 * of the Bot API have in common instead of a list of kinds, so that one that Telegram adds tomorrow has its place too.
 */

/** The fields that say, in whatever kind of update, whose it is. */
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
 * The ordering key of an update of any kind. Never throws, never empty.
 *
 * - The chat's id for all that happens in a chat: the update's own chat, a vote's anonymous voter, or the chat of the
 *   message that a callback belongs to.
 * - Else the user's id (inline queries, payments, callbacks of inline messages, votes, …). A private chat has the id of
 *   its user, so these are in order with what the user writes to the bot.
 * - `business:CONNECTION:CHAT` in the chats of a business account: a customer's chat with the account has the id of the
 *   same customer's chat with the bot, and with every other account. They are different conversations, and none should
 *   wait for a handler of another.
 * - `KIND:ID` for what belongs to nobody (`poll:5`).
 * - The kind alone for any other shape: in order among themselves, as nothing says that less would be safe.
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

/** The update's kind, by its name in the Bot API: `message`, `callback_query`, …; `unknown` where it has none. */
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
