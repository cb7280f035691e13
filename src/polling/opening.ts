/**
 * What is asked before the first poll: who we are, what waits, and whether a webhook stands in the way.
 */
import { LastcallError } from '../errors.js';
import type { ApiAnswer, BotApi, CallOptions, Me } from './bot-api.js';
import type { PollingEvent } from './events.js';

export interface Opening<M extends Me> {
  readonly api: BotApi<unknown, M>;
  /** Asks until Telegram answers; failures on the way are met as everywhere in polling. */
  readonly ask: <T>(call: (options: CallOptions) => Promise<ApiAnswer<T>>) => Promise<T>;
  /** False forbids removing a webhook. */
  readonly deleteWebhook: boolean;
  readonly emit: (event: PollingEvent) => void;
}

/** Asks who we are. */
export async function greet<M extends Me>({ api, ask, emit }: Opening<M>): Promise<M> {
  const me = await ask((options) => api.getMe(options));
  emit({ event: 'poll.connected', id: me.id, username: me.username });
  return me;
}

/**
 * Tells the backlog, removes a webhook and, if asked to, drops what waits.
 * Rejects with WEBHOOK_ACTIVE when there is a webhook and `deleteWebhook` is false.
 */
export async function clearTheWay(opening: Opening<Me>, dropPending: boolean): Promise<void> {
  const { api, ask, emit } = opening;
  const { url, pendingUpdateCount } = await ask((options) => api.getWebhookInfo(options));
  emit({ event: 'poll.backlog', pending: pendingUpdateCount });
  if (url !== '') await removeWebhook(opening, url, dropPending);
  else if (dropPending) await ask((options) => api.deleteWebhook({ dropPending }, options));
  if (dropPending) emit({ event: 'poll.pending-dropped', count: pendingUpdateCount });
}

/** Removes the webhook that a poll was refused for, if it is still there. Rejects as `clearTheWay` does. */
export async function clearWebhook(opening: Opening<Me>): Promise<void> {
  const { url } = await opening.ask((options) => opening.api.getWebhookInfo(options));
  if (url !== '') await removeWebhook(opening, url, false);
}

async function removeWebhook(opening: Opening<Me>, url: string, dropPending: boolean): Promise<void> {
  const { api, ask, emit, deleteWebhook } = opening;
  const host = hostOf(url);
  if (!deleteWebhook)
    throw new LastcallError(
      'WEBHOOK_ACTIVE',
      host,
      `A webhook at ${host} takes the bot's updates, and DELETE_WEBHOOK=no forbids removing it.`,
    );
  await ask((options) => api.deleteWebhook({ dropPending }, options));
  emit({ event: 'poll.webhook-deleted', host });
}

/** Only the host: the rest of a webhook's URL is often a secret. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an unreadable address');
