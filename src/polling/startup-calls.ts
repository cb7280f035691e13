/** Prepares Telegram's queue before the first poll: counts or drops waiting updates, and removes a webhook. */
import { LastcallError } from '../errors.js';
import type { ApiAnswer, BotApi, CallOptions } from './bot-api.js';
import type { PollingEvent } from './events.js';

export interface StartupContext {
  readonly api: BotApi<unknown>;
  /**
   * Repeats a call until Telegram answers. Resolves with undefined where the method is refused as if the token were wrong
   * while `getMe` is answered: a server that is compatible with Telegram's may not have every method.
   */
  readonly callIfOffered: <T>(
    attempt: (options: CallOptions) => Promise<ApiAnswer<T>>,
  ) => Promise<T | undefined>;
  readonly deleteWebhook: boolean;
  readonly emit: (event: PollingEvent) => void;
}

/** Prepares the queue at the start. Rejects with WEBHOOK_ACTIVE if a webhook is set and may not be deleted. */
export async function prepareQueue(context: StartupContext, dropPending: boolean): Promise<void> {
  const { api, callIfOffered, emit } = context;
  const info = await callIfOffered((options) => api.getWebhookInfo(options));
  if (info) emit({ event: 'poll.backlog', pending: info.pendingUpdateCount });
  const hasWebhook = info && info.url !== '';
  if (!hasWebhook && !dropPending) return;
  const result = hasWebhook
    ? await removeWebhook(context, info.url, dropPending)
    : await callIfOffered((options) => api.deleteWebhook({ dropPending }, options));
  if (dropPending && result !== undefined)
    emit({ event: 'poll.pending-dropped', count: info?.pendingUpdateCount });
}

/** Removes the webhook because of which Telegram refused a poll, if it is still set. Rejects as `prepareQueue` does. */
export async function removeConflictingWebhook(context: StartupContext): Promise<void> {
  const info = await context.callIfOffered((options) => context.api.getWebhookInfo(options));
  if (info && info.url !== '') await removeWebhook(context, info.url, false);
}

async function removeWebhook(context: StartupContext, url: string, dropPending: boolean): Promise<unknown> {
  const { api, callIfOffered, emit, deleteWebhook } = context;
  const host = hostOf(url);
  if (!deleteWebhook)
    throw new LastcallError(
      'WEBHOOK_ACTIVE',
      host,
      `A webhook at ${host} takes the bot's updates, and DELETE_WEBHOOK=no forbids removing it.`,
    );
  const result = await callIfOffered((options) => api.deleteWebhook({ dropPending }, options));
  if (result !== undefined) emit({ event: 'poll.webhook-deleted', host });
  return result;
}

/** Returns only the host of a webhook's URL, because the rest is often a secret. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an unreadable address');
