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
import { AddressTimeout } from '../takeover/address-timeout.js';
import { type GivenAgent, PollingAgents } from './agent.js';
import { unreachable } from './answer.js';
import { describeError } from './describe-error.js';
import { type ApiRequest, type ConnectionState, exchange } from './exchange.js';
import { createDetailRedactor } from './redact-detail.js';
import { asMe, asUpdates, asWebhookInfo } from './results.js';
import { ServerTime } from './server-time.js';
import { watchAgent } from './unfinished-connections.js';

/** The part of `bot.telegram` that the calls need. */
export interface TelegramClient {
  readonly token: string;
  readonly options: {
    readonly apiRoot: string;
    readonly apiMode: 'bot' | 'user';
    readonly testEnv: boolean;
    readonly agent?: GivenAgent;
    /** The agent by which Telegraf downloads what is sent on. */
    readonly attachmentAgent?: GivenAgent;
  };
}

export interface HttpBotApi extends BotApi<Update, UserFromGetMe> {
  /** Returns the body in which a batch of updates was received, or undefined for any other array. */
  received(batch: readonly Update[]): Uint8Array | undefined;
  readonly time: Omit<ServerTime, 'read'>;
  /** Closes idle connections, except those of an agent that the bot brought along. */
  close(): void;
}

/**
 * Creates the Bot API client of one bot.
 *
 * @param agentUsed called with each agent of the bot's before it is first used; must not throw
 * @throws TypeError when `apiRoot` is not a URL; LastcallError BOT_AGENT when the bot's agent is for another protocol
 */
export function createBotApi(
  telegram: TelegramClient,
  clock: Clock,
  agentUsed?: (agent: http.Agent) => void,
): HttpBotApi {
  const { token, options } = telegram;
  const redact = createDetailRedactor(token);
  const agents = new PollingAgents(agentUsed);
  const root = new URL(options.apiRoot);
  // A function may choose another agent next time.
  if (typeof options.agent !== 'function') agents.agentFor(options.agent, root);
  const { attachmentAgent } = options;
  if (attachmentAgent && typeof attachmentAgent !== 'function') watchAgent(attachmentAgent);
  const connections: ConnectionState = { needsNew: false, addressTimeout: new AddressTimeout() };
  const time = new ServerTime();
  const bodies = new WeakMap<readonly Update[], Uint8Array>();
  const urls = new Map<string, URL>();
  const asReceivedUpdates: ApiRequest<readonly Update[]>['parse'] = (result, body) => {
    const updates = asUpdates(result);
    if (updates) bodies.set(updates, body);
    return updates;
  };

  /** Builds the URL as Telegraf does, so that polls and the calls of handlers reach the same server. */
  function urlOf(method: string): URL {
    const path = `./${options.apiMode}${token}${options.testEnv ? '/test' : ''}/${method}`;
    const key = `${options.apiRoot} ${path}`;
    const url = urls.get(key) ?? new URL(path, options.apiRoot);
    urls.set(key, url);
    return url;
  }

  async function call<T>(
    method: string,
    parameters: object,
    parse: ApiRequest<T>['parse'],
    { signal, endWithinMs = Number.POSITIVE_INFINITY, ...limits }: CallOptions,
  ): Promise<ApiAnswer<T>> {
    signal.throwIfAborted();
    const body = JSON.stringify(parameters);
    let url = urlOf(method);
    let redirects = 0;
    let isStopped = false;
    let stopExchange = () => {};
    const stop = () => {
      isStopped = true;
      stopExchange();
    };
    const cancelTimer = clock.after(endWithinMs, stop);
    const removeListener = onAbort(signal, stop);
    try {
      // Each further round takes one idle connection out of the pool, or follows a redirect.
      for (;;) {
        let agent: http.Agent;
        let address: http.RequestOptions;
        try {
          agent = agents.agentFor(options.agent, url);
          address = urlToHttpOptions(url);
        } catch (error) {
          return unreachable('network', redact(`no connection can be made: ${describeError(error)}`));
        }
        const request = { method, address, agent, body, parse, redact, limits, clock, time };
        const outcome = await exchange<T>(request, connections, (stopThis) => {
          stopExchange = stopThis;
        });
        // After any answer that is not ok, the next call must not use a connection that was made before.
        connections.needsNew = outcome.kind !== 'ok';
        if (outcome.kind === 'stale' && !isStopped) continue;
        if (outcome.kind === 'stale' || outcome.kind === 'stopped') {
          signal.throwIfAborted();
          return unreachable('timeout', `no whole answer to ${method} within ${endWithinMs} ms`);
        }
        if (outcome.kind !== 'redirected') return outcome;
        const target = redirectTarget(url, outcome.location);
        if (!target || ++redirects > MOST_REDIRECTS) return unreachable('http', outcome.detail);
        url = target;
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
    time,
    close: () => {
      agents.close();
      connections.addressTimeout.end();
    },
  };
}

/** Half of what browsers follow, since each is a connection of its own. */
const MOST_REDIRECTS = 10;

/** Returns where a redirect leads; undefined for no URL, and where a request that was encrypted would travel in clear. */
export function redirectTarget(from: URL, location: string): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from);
  const isHttp = target.protocol === 'http:' && from.protocol === 'http:';
  return isHttp || target.protocol === 'https:' ? target : undefined;
}
