/** Methods about the bot's webhook. A webhook only blocks polling: nothing is sent to it. */
import { ApiError, type ApiResponse, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { ConflictDescription } from '../get-updates.js';
import { type CallParameters, flag, text } from '../parameters.js';
import { done, type Method, type Methods } from './method.js';

/** The time before another `setWebhook` call is accepted. */
const SET_WEBHOOK_INTERVAL_MS = 1_000;

const setWebhook: Method = ({ account, parameters, nowMs }) => {
  const url = text(parameters, 'url');
  if (url === '') return deleteWebhook(account, parameters);
  if (nowMs < account.nextSetWebhookAt) throw ApiError.tooManyRequests(1);
  account.nextSetWebhookAt = nowMs + SET_WEBHOOK_INTERVAL_MS;
  if (!URL.canParse(url)) throw ApiError.badRequest('invalid webhook URL specified');
  if (!url.startsWith('https:'))
    throw ApiError.badRequest('bad webhook: An HTTPS URL must be provided for webhook');
  if (flag(parameters, 'drop_pending_updates')) account.queue.clear();
  account.setAllowedUpdates(parameters);
  if (account.webhookUrl === url) return done('Webhook is already set');
  account.webhookUrl = url;
  account.getUpdates.endWaiting(ConflictDescription.webhookSet);
  return done('Webhook was set');
};

function deleteWebhook(account: BotAccount, parameters: CallParameters): ApiResponse {
  if (flag(parameters, 'drop_pending_updates')) account.queue.clear();
  if (account.webhookUrl === '') return done('Webhook is already deleted');
  account.webhookUrl = '';
  return done('Webhook was deleted');
}

export const webhookMethods: Methods = {
  setWebhook,
  deleteWebhook: ({ account, parameters }) => deleteWebhook(account, parameters),
  getWebhookInfo: ({ account }) =>
    success({
      url: account.webhookUrl,
      has_custom_certificate: false,
      pending_update_count: account.queue.size,
      max_connections: account.webhookUrl ? 40 : undefined,
      allowed_updates: account.allowedUpdates,
    }),
};
