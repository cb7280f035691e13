/**
 * The Bot API calls that polling makes, over Node's own HTTP client and with the options that the bot was built with.
 * Telegraf's client does not notice a body that is cut off and waits 500 s for an answer; this client returns every
 * failure as a value.
 */
import type http from 'node:http';
import { urlToHttpOptions } from 'node:url';
import type { Update, UserFromGetMe } from 'telegraf/types';
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import type { ApiAnswer, BotApi, CallOptions } from '../../polling/bot-api.js';
import { type GivenAgent, pollingAgent } from './agent.js';
import { unreachable } from './answer.js';
import { type ApiRequest, exchange } from './exchange.js';
import { createDetailRedactor } from './redact-detail.js';
import { asMe, asUpdates, asWebhookInfo } from './results.js';

/** The part of `bot.telegram` that the calls need. */
export interface TelegramClient {
  readonly token: string;
  readonly options: {
    readonly apiRoot: string;
    readonly apiMode: 'bot' | 'user';
    readonly testEnv: boolean;
    readonly agent?: GivenAgent;
  };
}

export interface HttpBotApi extends BotApi<Update, UserFromGetMe> {
  /** Returns the body in which a batch of updates was received, or undefined for any other array. */
  received(batch: readonly Update[]): Uint8Array | undefined;
  /** Closes idle connections, except those of an agent that the bot brought along. */
  close(): void;
}

/**
 * Creates the Bot API client of one bot.
 *
 * @throws TypeError when `apiRoot` is not a URL
 */
export function createBotApi(telegram: TelegramClient, clock: Clock): HttpBotApi {
  const { token, options } = telegram;
  const redact = createDetailRedactor(token);
  const { agent, close } = pollingAgent(options.agent, new URL(options.apiRoot));
  /** After any answer that is not ok, the next call must not use a connection that was made before. */
  let needsNewConnection = false;
  const bodies = new WeakMap<readonly Update[], Uint8Array>();
  const addresses = new Map<string, http.RequestOptions>();
  const asReceivedUpdates: ApiRequest<readonly Update[]>['parse'] = (result, body) => {
    const updates = asUpdates(result);
    if (updates) bodies.set(updates, body);
    return updates;
  };

  /** Builds the URL as Telegraf does, so that polls and the calls of handlers reach the same server. */
  function addressOf(method: string): http.RequestOptions {
    const path = `./${options.apiMode}${token}${options.testEnv ? '/test' : ''}/${method}`;
    const key = `${options.apiRoot} ${path}`;
    const address = addresses.get(key) ?? urlToHttpOptions(new URL(path, options.apiRoot));
    addresses.set(key, address);
    return address;
  }

  async function call<T>(
    method: string,
    parameters: object,
    parse: ApiRequest<T>['parse'],
    { signal, timeoutMs }: CallOptions,
  ): Promise<ApiAnswer<T>> {
    signal.throwIfAborted();
    const body = JSON.stringify(parameters);
    const request: ApiRequest<T> = { address: addressOf(method), agent, body, parse, redact };
    let isStopped = false;
    let stopExchange = () => {};
    const stop = () => {
      isStopped = true;
      stopExchange();
    };
    const cancelTimer = clock.after(timeoutMs, stop);
    const removeListener = onAbort(signal, stop);
    try {
      // Each further round takes one idle connection out of the pool; the time limit covers all rounds.
      for (;;) {
        const outcome = await exchange(request, needsNewConnection, (stopThis) => {
          stopExchange = stopThis;
        });
        needsNewConnection = outcome.kind !== 'ok';
        if (outcome.kind === 'stale' && !isStopped) continue;
        if (outcome.kind !== 'stale' && outcome.kind !== 'stopped') return outcome;
        signal.throwIfAborted();
        return unreachable('timeout', `no whole answer to ${method} within ${timeoutMs} ms`);
      }
    } finally {
      cancelTimer();
      removeListener();
    }
  }

  return {
    getMe: (options) => call('getMe', {}, asMe, options),
    getWebhookInfo: (options) => call('getWebhookInfo', {}, asWebhookInfo, options),
    deleteWebhook: ({ dropPending }, options) =>
      call('deleteWebhook', { drop_pending_updates: dropPending }, (result) => result, options),
    getUpdates: ({ offset, timeoutSeconds, limit, allowedUpdates }, options) =>
      call(
        'getUpdates',
        { offset, timeout: timeoutSeconds, limit, allowed_updates: allowedUpdates },
        asReceivedUpdates,
        options,
      ),
    received: (batch) => bodies.get(batch),
    close,
  };
}
