/**
 * A call without files, the kind that nearly all are, over Node's own HTTP client. Telegraf's client, node-fetch 2, takes
 * half as long again for it, and never settles where the answer's body is cut off. All that a program can see is kept:
 * where the call goes and by which agent, what it asks, what it resolves and rejects with.
 */
import http from 'node:http';
import https from 'node:https';
import { originalOf } from './specimen.js';

export type CallApi = (method: string, payload: object, options?: { signal?: AbortLike }) => Promise<unknown>;

/** An AbortSignal of the platform, or one of the abort-controller package, which Telegraf's types ask for. */
export type AbortLike = Pick<AbortSignal, 'aborted' | 'addEventListener' | 'removeEventListener'>;

/** As much of a context's client as a call needs. */
export interface PlainClient {
  readonly token: string;
  /** Where a webhook's answer carries a call. */
  readonly response?: unknown;
  readonly options: {
    readonly apiRoot: string;
    readonly apiMode: 'bot' | 'user';
    readonly testEnv: boolean;
    readonly agent?: http.Agent | ((url: URL) => http.Agent | undefined) | undefined;
  };
}

/** Telegraf's figure. */
const SILENCE_MS = 500_000;

/** Judged by its text; that takes longer than the rest of a call's preparation. */
const judged = new WeakMap<object, boolean>();

/**
 * Whether a client's `callApi` is the one that Telegraf was published with. A program may have put another in its place,
 * to log or to throttle calls, and no call may pass that by.
 */
export function isTelegrafsOwn(callApi: object): boolean {
  let verdict = judged.get(callApi);
  if (verdict === undefined) {
    const text = String(originalOf(callApi));
    verdict = text.includes('node_fetch') && text.includes('webhookReply');
    judged.set(callApi, verdict);
  }
  return verdict;
}

/** Whether the call is one for {@link carry}: made with a token, over HTTP, and of parameters that are JSON. */
export function isPlainCall(client: PlainClient, method: string, payload: unknown): payload is object {
  return (
    client.response === undefined &&
    client.token !== '' &&
    /^\w+$/.test(method) &&
    isObject(payload) &&
    !Object.values(payload).some(mayHoldFile)
  );
}

/** Says yes more often than Telegraf, whose own client then looks again. */
function mayHoldFile(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (Array.isArray(value)) return value.some((item) => isObject(item) && 'media' in item);
  return 'source' in value || 'url' in value || 'media' in value;
}

export interface Carried {
  readonly client: PlainClient;
  readonly method: string;
  readonly payload: object;
  /** The client's own `callApi`. */
  readonly callApi: CallApi;
  readonly signal: AbortSignal;
  /** Makes the same call with Telegraf's client. */
  readonly byTelegraf: () => Promise<unknown>;
}

/**
 * Makes the call. Resolves with the result; rejects with the TelegramError of the client's own copy of Telegraf where the
 * Bot API refuses, with an error like node-fetch's where it could not be reached, and with the signal's reason, whatever
 * the state of the call, when that aborts. Leaves a redirect to Telegraf's client, which follows it.
 */
export function carry({ client, method, payload, callApi, signal, byTelegraf }: Carried): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { apiRoot, apiMode, testEnv, agent } = client.options;
    const url = new URL(`./${apiMode}${client.token}${testEnv ? '/test' : ''}/${method}`, apiRoot);
    const body = JSON.stringify(payload, withoutNull);

    const fail = (error: unknown) => {
      signal.removeEventListener('abort', onAbort);
      reject(error);
      request.destroy();
    };
    const onAbort = () => fail(signal.reason);
    const end = (result: unknown) => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const refuse = (answer: object) => end(rejectAs(callApi, answer, { method, payload }));
    const unreachable = (why: string, type: string, cause?: NodeJS.ErrnoException) =>
      fail(
        Object.assign(
          new FetchError(redacted(why)),
          { type },
          cause && { code: cause.code, errno: cause.code },
        ),
      );

    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      agent: typeof agent === 'function' ? agent(url) : agent,
      timeout: SILENCE_MS,
      headers: {
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'keep-alive',
        'content-length': Buffer.byteLength(body),
        'content-type': 'application/json',
      },
    });
    signal.addEventListener('abort', onAbort);
    request.on('timeout', () => unreachable(`network timeout at: ${url}`, 'request-timeout'));
    request.on('error', (error) =>
      unreachable(`request to ${url} failed, reason: ${error.message}`, 'system', error),
    );
    request.on('response', (response) => {
      const { statusCode = 0, statusMessage } = response;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', (error) =>
        unreachable(`Invalid response body while trying to fetch ${url}: ${error.message}`, 'system', error),
      );
      response.on('end', () => {
        if (isRedirect(statusCode)) return end(byTelegraf());
        if (statusCode >= 500) return refuse({ error_code: statusCode, description: statusMessage });
        const answer = parseJson(text);
        if (answer instanceof SyntaxError)
          return unreachable(
            `invalid json response body at ${url} reason: ${answer.message}`,
            'invalid-json',
          );
        if (!isObject(answer) || !('ok' in answer) || !answer.ok) return refuse(Object(answer));
        end('result' in answer ? answer.result : undefined);
      });
    });
    request.end(body);
  });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status);

/** As Telegraf does it: a parameter that is null is not sent. */
const withoutNull = (_: string, value: unknown) => value ?? undefined;

/** Whatever the text holds; the error, where it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

/** The name by which programs know the errors of Telegraf's client. */
class FetchError extends Error {
  override readonly name = 'FetchError';
}

/** In Telegraf's words. */
const redacted = (text: string): string => text.replace(/\/(bot|user)(\d+):[^/]+\//, '/$1$2:[REDACTED]/');

/**
 * Rejects with a TelegramError for the answer. Its class is the one that the program compares with, that of its own copy
 * of Telegraf, and nothing of a bot leads there but such an error: a call without a token makes one, and nothing else.
 */
async function rejectAs(callApi: CallApi, answer: object, on: object): Promise<never> {
  const error: unknown = await Reflect.apply(callApi, { token: '', options: {} }, ['getMe', {}]).catch(
    (reason: unknown) => reason,
  );
  const TelegramError = Object(error).constructor as new (response: object, on: object) => Error;
  throw new TelegramError(answer, on);
}
