/**
 * Parses the results of Bot API methods, and updates read back from JSON. Checks only the fields that lastcall uses, so
 * that whatever Telegram adds passes through.
 */
import type { Update, UserFromGetMe } from 'telegraf/types';
import { LastcallError } from '../../errors.js';
import { isObject } from '../../json.js';
import type { WebhookInfo } from '../../polling/bot-api.js';

export const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

/** Telegraf's type has a username, which every bot has; with `apiMode: 'user'` a person's account may have none. */
const isMe = (value: unknown): value is UserFromGetMe =>
  isObject(value) && isInteger(value['id']) && ['string', 'undefined'].includes(typeof value['username']);

const isUpdate = (value: unknown): value is Update => isObject(value) && isInteger(value['update_id']);

/** Returns the result of `getMe`, or undefined if it is malformed. */
export const asMe = (result: unknown): UserFromGetMe | undefined => (isMe(result) ? result : undefined);

/** Returns the result of `getWebhookInfo`, or undefined if it is malformed. */
export function asWebhookInfo(result: unknown): WebhookInfo | undefined {
  if (!isObject(result)) return undefined;
  const { url, pending_update_count: pendingUpdateCount } = result;
  return typeof url === 'string' && isInteger(pendingUpdateCount) ? { url, pendingUpdateCount } : undefined;
}

/** Returns the result of `getUpdates`, or undefined if it is malformed. */
export const asUpdates = (result: unknown): readonly Update[] | undefined =>
  Array.isArray(result) && result.every(isUpdate) ? result : undefined;

/**
 * Returns an update that was stored as JSON. Only results of `asUpdates` are stored.
 *
 * @throws LastcallError INTERNAL if the content is not an update
 */
export function restoreUpdate(content: unknown): Update {
  if (isUpdate(content)) return content;
  throw new LastcallError('INTERNAL', 'inbox', 'the inbox returned content that is not an update');
}
