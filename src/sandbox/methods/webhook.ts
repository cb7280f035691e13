/** Methods about the bot's webhook. A webhook only blocks polling: nothing is sent to it. */
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { ConflictDescription } from '../get-updates.js';
import { Described, type Methods, method } from './method.js';
import { flag, text } from './parameter.js';

/** The time before another `setWebhook` call is accepted. */
const SET_WEBHOOK_INTERVAL_MS = 1_000;

const drops = flag('drop_pending_updates');

function deleteWebhook(account: BotAccount, dropsPending: boolean): Described {
  if (dropsPending) account.queue.clear();
  if (account.webhookUrl === '') return new Described(true, 'Webhook is already deleted');
  account.webhookUrl = '';
  return new Described(true, 'Webhook was deleted');
}

export const webhookMethods: Methods = {
  setWebhook: method({ url: text('url'), drops }, ({ url, drops: dropsPending }, call) => {
    const { account, parameters, nowMs } = call;
    if (url === '') return deleteWebhook(account, dropsPending);
    if (nowMs < account.nextSetWebhookAt) throw ApiError.tooManyRequests(1);
    account.nextSetWebhookAt = nowMs + SET_WEBHOOK_INTERVAL_MS;
    if (!URL.canParse(url)) throw ApiError.badRequest('invalid webhook URL specified');
    if (!url.startsWith('https:'))
      throw ApiError.badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    if (dropsPending) account.queue.clear();
    account.setAllowedUpdates(parameters);
    if (account.webhookUrl === url) return new Described(true, 'Webhook is already set');
    account.webhookUrl = url;
    account.getUpdates.endWaiting(ConflictDescription.webhookSet);
    return new Described(true, 'Webhook was set');
  }),
  deleteWebhook: method({ drops }, ({ drops: dropsPending }, { account }) =>
    deleteWebhook(account, dropsPending),
  ),
  getWebhookInfo: method({}, (_, { account }) => ({
    url: account.webhookUrl,
    has_custom_certificate: false,
    pending_update_count: account.queue.size,
    max_connections: account.webhookUrl ? 40 : undefined,
    allowed_updates: account.allowedUpdates,
  })),
};
