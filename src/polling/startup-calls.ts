/** Prepares Telegram's queue before the first poll: counts or drops waiting updates, and removes a webhook. */
import { LastcallError } from '../errors.js';
import type { ApiAnswer, BotApi, CallOptions } from './bot-api.js';
import type { PollingEvent } from './events.js';

export interface StartupContext {
  readonly api: BotApi<unknown>;
  /** Repeats a call until Telegram answers. */
  readonly call: <T>(attempt: (options: CallOptions) => Promise<ApiAnswer<T>>) => Promise<T>;
  readonly deleteWebhook: boolean;
  readonly emit: (event: PollingEvent) => void;
}

/** Prepares the queue at the start. Rejects with WEBHOOK_ACTIVE if a webhook is set and may not be deleted. */
export async function prepareQueue(context: StartupContext, dropPending: boolean): Promise<void> {
  const { api, call, emit } = context;
  const { url, pendingUpdateCount } = await call((options) => api.getWebhookInfo(options));
  emit({ event: 'poll.backlog', pending: pendingUpdateCount });
  if (url !== '') await removeWebhook(context, url, dropPending);
  else if (dropPending) await call((options) => api.deleteWebhook({ dropPending }, options));
  if (dropPending) emit({ event: 'poll.pending-dropped', count: pendingUpdateCount });
}

/** Removes the webhook because of which Telegram refused a poll, if it is still set. Rejects as `prepareQueue` does. */
export async function removeConflictingWebhook(context: StartupContext): Promise<void> {
  const { url } = await context.call((options) => context.api.getWebhookInfo(options));
  if (url !== '') await removeWebhook(context, url, false);
}

async function removeWebhook(context: StartupContext, url: string, dropPending: boolean): Promise<void> {
  const { api, call, emit, deleteWebhook } = context;
  const host = hostOf(url);
  if (!deleteWebhook)
    throw new LastcallError(
      'WEBHOOK_ACTIVE',
      host,
      `A webhook at ${host} takes the bot's updates, and DELETE_WEBHOOK=no forbids removing it.`,
    );
  await call((options) => api.deleteWebhook({ dropPending }, options));
  emit({ event: 'poll.webhook-deleted', host });
}

/** Returns only the host of a webhook's URL, because the rest is often a secret. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an unreadable address');
