/**
 * The calls that polling makes, over Node's own HTTP client and with what the bot was built with. Telegraf's client
 * never notices a body that is cut off, and waits 500 s for an answer; this one tells every failure as a value.
 */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { Update, UserFromGetMe } from 'telegraf/types';
import { type Clock, systemClock } from '../clock.js';
import type { Answer, BotApi, CallOptions, UnreachableWhy, WebhookInfo } from '../polling/bot-api.js';

/** As much of `bot.telegram` as the calls need. */
export interface TelegramClient {
  readonly token: string;
  readonly options: {
    readonly apiRoot: string;
    readonly apiMode: 'bot' | 'user';
    readonly testEnv: boolean;
    readonly agent?: GivenAgent;
  };
}

type GivenAgent = http.Agent | ((url: URL) => http.Agent | undefined) | undefined;

export interface HttpBotApi extends BotApi<Update, UserFromGetMe> {
  /** The body in which a batch of updates came; undefined for any other array. */
  received(batch: readonly Update[]): Uint8Array | undefined;
  /** Closes the idle connection, where it is not the pool of an agent that the bot brought along. */
  close(): void;
}

/** A call, put into the words of one HTTP request. */
interface Question<T> {
  readonly address: http.RequestOptions;
  readonly agent: http.Agent;
  readonly body: string;
  /** Undefined for a result that is not what the method returns. */
  readonly parse: (result: unknown, body: Buffer) => T | undefined;
  /** Takes the token, and all of a URL but its host, out of a text for the log. */
  readonly redact: (text: string) => string;
}

type Exchange<T> =
  | Answer<T>
  /** The connection was an idle one of the pool and no good; nothing was received on it. */
  | { readonly kind: 'stale' }
  /** The signal has ended it. */
  | { readonly kind: 'stopped' };

/** Far more than Telegram sends for 100 updates; it keeps a server gone mad from filling the memory. */
const LONGEST_BODY_BYTES = 64 * 1024 * 1024;

/** How long a connection is idle before the kernel begins to probe it; Telegraf's figure. */
const KEEP_ALIVE_MS = 10_000;

export function createBotApi(telegram: TelegramClient, clock: Clock = systemClock): HttpBotApi {
  const { token, options } = telegram;
  const redact = redactor(token);
  const { agent, close } = pollingAgent(options.agent, new URL(options.apiRoot));
  /** After anything but an ok answer nothing may travel on a connection that was made before. */
  let distrustful = false;
  const bodies = new WeakMap<readonly Update[], Uint8Array>();
  const addresses = new Map<string, http.RequestOptions>();
  const asKnownUpdates: Question<readonly Update[]>['parse'] = (result, body) => {
    const updates = asUpdates(result);
    if (updates) bodies.set(updates, body);
    return updates;
  };

  /** Put together as Telegraf does it, so that polls and the handlers' calls reach the same server. */
  function addressOf(method: string): http.RequestOptions {
    const path = `./${options.apiMode}${token}${options.testEnv ? '/test' : ''}/${method}`;
    const place = `${options.apiRoot} ${path}`;
    const address = addresses.get(place) ?? urlToHttpOptions(new URL(path, options.apiRoot));
    addresses.set(place, address);
    return address;
  }

  async function call<T>(
    method: string,
    parameters: object,
    parse: Question<T>['parse'],
    { signal, timeoutMs }: CallOptions,
  ): Promise<Answer<T>> {
    signal.throwIfAborted();
    const question: Question<T> = {
      address: addressOf(method),
      agent,
      body: JSON.stringify(parameters),
      parse,
      redact,
    };
    let isStopped = false;
    let stopExchange = () => {};
    const stop = () => {
      isStopped = true;
      stopExchange();
    };
    const cancelTimer = clock.after(timeoutMs, stop);
    signal.addEventListener('abort', stop, { once: true });
    try {
      // Each further turn takes one idle connection out of the pool, and the time limit holds for all of them.
      for (;;) {
        const outcome = await exchange(question, distrustful, (end) => {
          stopExchange = end;
        });
        distrustful = outcome.kind !== 'ok';
        if (outcome.kind === 'stale' && !isStopped) continue;
        if (outcome.kind !== 'stale' && outcome.kind !== 'stopped') return outcome;
        signal.throwIfAborted();
        return unreachable('timeout', `no whole answer to ${method} within ${timeoutMs} ms`);
      }
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', stop);
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
        asKnownUpdates,
        options,
      ),
    received: (batch) => bodies.get(batch),
    close,
  };
}

/**
 * Polls keep to a pool of their own, so that none travels on a connection that lay idle since some handler's call;
 * an agent that makes its connections in its own way, such as a proxy's, is used as it is.
 */
function pollingAgent(given: GivenAgent, apiRoot: URL): { agent: http.Agent; close: () => void } {
  const brought = typeof given === 'function' ? given(apiRoot) : given;
  if (brought && !isPlain(brought)) return { agent: brought, close: () => {} };
  const Agent = apiRoot.protocol === 'https:' ? https.Agent : http.Agent;
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, ...brought?.options });
  return { agent, close: () => agent.destroy() };
}

/** Whether an agent is told wholly by its options, as Telegraf's default is. */
const isPlain = (agent: http.Agent): agent is https.Agent =>
  Object.getPrototypeOf(agent) === https.Agent.prototype && !Object.hasOwn(agent, 'createConnection');

/**
 * One request on one connection. With `fresh`, an idle connection that the pool offers is thrown away.
 *
 * @param stoppable is given what ends it. As an argument, not a signal, which takes longer to make than all else that is
 * done for a call; nor in a field of some object: V8 then kept each batch of updates until a full collection (Node 20).
 */
function exchange<T>(
  question: Question<T>,
  fresh: boolean,
  stoppable: (stop: () => void) => void,
): Promise<Exchange<T>> {
  return new Promise((resolve) => {
    const { address, agent, body, redact } = question;
    let socket: Socket | undefined;
    let bytesReadBefore = 0;

    let hasEnded = false;
    const end = (outcome: Exchange<T>) => {
      if (hasEnded) return;
      hasEnded = true;
      // The agent, which learns only after this turn that the answer was read, does not keep a destroyed socket.
      if (outcome.kind !== 'ok') {
        socket?.destroy();
        request.destroy();
      }
      resolve(outcome);
    };
    const fail = (why: UnreachableWhy, detail: string) => end(unreachable(why, redact(detail)));

    const request = (address.protocol === 'https:' ? https : http).request({
      ...address,
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'accept-encoding': 'identity',
      },
    });
    stoppable(() => end({ kind: 'stopped' }));
    request.on('socket', (given) => {
      socket = given;
      bytesReadBefore = given.bytesRead;
      if (fresh && request.reusedSocket) end({ kind: 'stale' });
    });
    request.on('error', (error) => {
      const nothingReceived = socket?.bytesRead === bytesReadBefore;
      if (request.reusedSocket && nothingReceived) end({ kind: 'stale' });
      else fail('network', describe(error));
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 500 || (status >= 300 && status < 400)) return fail('http', describeStatus(response));

      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > LONGEST_BODY_BYTES) fail('not-json', `a body of more than ${LONGEST_BODY_BYTES} bytes`);
      });
      response.on('end', () => {
        const [only] = chunks;
        end(readAnswer(only && chunks.length === 1 ? only : Buffer.concat(chunks), response, question));
      });
      response.on('error', (error) => fail('cut', `${describe(error)} after ${length} bytes of the body`));
    });
    request.end(body);
  });
}

/** What a whole body says. */
function readAnswer<T>(
  body: Buffer,
  response: http.IncomingMessage,
  { parse, redact }: Question<T>,
): Answer<T> {
  const text = body.toString();
  const answer = parseJson(text);
  if (isObject(answer)) {
    const { ok, result, error_code: errorCode, description, parameters } = answer;
    if (ok === true) {
      const parsed = parse(result, body);
      return parsed === undefined
        ? unreachable('not-json', 'the result is not what the method returns')
        : { kind: 'ok', result: parsed };
    }
    if (ok === false && isInteger(errorCode) && typeof description === 'string') {
      if (errorCode >= 500) return unreachable('http', redact(`${errorCode} ${description}`));
      const retryAfterSeconds = isObject(parameters) ? parameters['retry_after'] : undefined;
      return {
        kind: 'refused',
        errorCode,
        description: redact(description),
        ...(isInteger(retryAfterSeconds) && { retryAfterSeconds }),
      };
    }
  }
  const type = response.headers['content-type'] ?? 'unnamed type';
  return unreachable(
    response.statusCode === 200 ? 'not-json' : 'http',
    redact(`${describeStatus(response)}, ${text.length} characters of ${type} that are no Bot API answer`),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may quote the URL with the token.
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

const isMe = (value: unknown): value is UserFromGetMe =>
  isObject(value) && isInteger(value['id']) && typeof value['username'] === 'string';

const asMe = (result: unknown): UserFromGetMe | undefined => (isMe(result) ? result : undefined);

function asWebhookInfo(result: unknown): WebhookInfo | undefined {
  if (!isObject(result)) return undefined;
  const { url, pending_update_count: pendingUpdateCount } = result;
  return typeof url === 'string' && isInteger(pendingUpdateCount) ? { url, pendingUpdateCount } : undefined;
}

const isUpdate = (value: unknown): value is Update => isObject(value) && isInteger(value['update_id']);

const asUpdates = (result: unknown): readonly Update[] | undefined =>
  Array.isArray(result) && result.every(isUpdate) ? result : undefined;

/** An update as it comes back from the JSON in which it was kept: only what was one is kept. */
export const restoredUpdate = (content: unknown): Update => content as Update;

const unreachable = (why: UnreachableWhy, detail: string): Extract<Answer<never>, { why: unknown }> => ({
  kind: 'unreachable',
  why,
  detail,
});

function describeStatus({ statusCode, statusMessage, headers }: http.IncomingMessage): string {
  const status = `HTTP ${statusCode} ${statusMessage ?? ''}`.trim();
  return headers.location === undefined ? status : `${status}, a redirect to ${headers.location}`;
}

/** An attempt at several addresses fails with an AggregateError, whose own message is empty. */
function describe(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  return error.message;
}

/** Of a URL its scheme and host. */
const URL_PATTERN = /([a-z]+:\/\/)(?:[^\s/@]*@)?([^\s/?#"'<>]+)[^\s"'<>]*/gi;

function redactor(token: string): (text: string) => string {
  const secrets = [token, encodeURIComponent(token)].filter((secret) => secret !== '');
  return (text) =>
    secrets.reduce((left, secret) => left.replaceAll(secret, '<token>'), text.replace(URL_PATTERN, '$1$2/…'));
}
