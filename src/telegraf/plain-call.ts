/**
 * Makes calls without files, as nearly all are, over Node's own HTTP client. Telegraf's client (node-fetch 2) takes
 * half as long again, and never settles where the answer's body is cut off. Everything that a program can see stays:
 * address, agent, parameters, results, and errors.
 */
import http from 'node:http';
import https from 'node:https';
import { isObject } from '../json.js';
import { decodeBody, isEncoded } from './bot-api/decode-body.js';
import { requestThrough } from './bot-api/unfinished-connections.js';
import type { TelegramErrorClass } from './known-clients.js';

/** The members of a Telegraf client that a call depends on. */
export interface PlainClient {
  readonly token: string;
  /** The HTTP response to a webhook request, which may carry a call. */
  readonly response?: unknown;
  readonly options: {
    readonly apiRoot: string;
    readonly apiMode: 'bot' | 'user';
    readonly testEnv: boolean;
    readonly agent?: http.Agent | ((url: URL) => http.Agent | undefined) | undefined;
  };
}

/** How long a connection may be silent; the figure is Telegraf's. */
const SILENCE_TIMEOUT_MS = 500_000;

/** Whether {@link sendPlainCall} can make the call: it has a token, goes over HTTP, and its parameters are JSON. */
export function isPlainCall(client: PlainClient, method: string, payload: unknown): payload is object {
  return (
    client.response === undefined &&
    client.token !== '' &&
    /^\w+$/.test(method) &&
    isObject(payload) &&
    !Object.values(payload).some(mayHoldFile)
  );
}

/** Whether Telegraf could find a file in a parameter. A wrong yes only leaves the call to Telegraf's client. */
function mayHoldFile(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => isObject(item) && 'media' in item);
  return isObject(value) && ('source' in value || 'url' in value || 'media' in value);
}

export interface PlainCall {
  readonly client: PlainClient;
  readonly method: string;
  readonly payload: object;
  /** The TelegramError class of the client's copy of Telegraf. */
  readonly errorClass: TelegramErrorClass;
  readonly signal: AbortSignal;
  /** Makes the same call with Telegraf's client. */
  readonly callByTelegraf: () => Promise<unknown>;
}

/**
 * Makes the call. Resolves with the result. Rejects with a TelegramError where the Bot API refuses, with an error like
 * node-fetch's where it could not be reached, and with the signal's reason, whatever the state of the call, when that
 * aborts. Leaves a redirect to Telegraf's client, which follows it.
 */
export function sendPlainCall(call: PlainCall): Promise<unknown> {
  const { client, method, payload, errorClass, signal, callByTelegraf } = call;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { apiRoot, apiMode, testEnv, agent } = client.options;
    const url = new URL(`./${apiMode}${client.token}${testEnv ? '/test' : ''}/${method}`, apiRoot);
    const body = JSON.stringify(payload, withoutNull);

    let stopListening = () => {};
    let isSettled = false;
    const fail = (error: unknown) => {
      isSettled = true;
      stopListening();
      reject(error);
      request.destroy();
    };
    const end = (result: unknown) => {
      isSettled = true;
      stopListening();
      resolve(result);
    };
    // The connection stays in use: only a failure of the connection itself ends it.
    const refuse = (answer: object) => end(Promise.reject(new errorClass(answer, { method, payload })));
    const unreachable = (why: string, type: string, cause?: NodeJS.ErrnoException) =>
      fail(
        Object.assign(
          new FetchError(redacted(why)),
          { type },
          cause && { code: cause.code, errno: cause.code },
        ),
      );

    const options = {
      method: 'POST',
      agent: typeof agent === 'function' ? agent(url) : agent,
      timeout: SILENCE_TIMEOUT_MS,
      headers: {
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'keep-alive',
        'content-length': Buffer.byteLength(body),
        'content-type': 'application/json',
      },
    };
    const { request: open } = url.protocol === 'https:' ? https : http;
    const request = requestThrough(options.agent, () => open(url, options));
    // Without the option `once`, which takes 2 % of the time of an answered update.
    const onAbort = () => fail(signal.reason);
    signal.addEventListener('abort', onAbort);
    stopListening = () => signal.removeEventListener('abort', onAbort);
    request.on('timeout', () => unreachable(`network timeout at: ${url}`, 'request-timeout'));
    let describeFailure = (why: string) => `request to ${url} failed, reason: ${why}`;
    // From Node 24 on, the request is told of a reset before the response is.
    const failed = (error: Error) => unreachable(describeFailure(error.message), 'system', error);
    request.on('error', failed);
    let hasAnswer = false;
    // Node tells no more than this of a connection that is switched to another protocol.
    request.on('close', () => {
      if (!hasAnswer && !isSettled) failed(new Error('the connection was closed without an answer'));
    });
    request.on('response', (response) => {
      const { statusCode = 0, statusMessage, headers } = response;
      hasAnswer = true;
      const read = (text: string) => {
        // The signal may have aborted while the answer was decoded.
        if (isSettled) return;
        if (isRedirect(statusCode)) return end(callByTelegraf());
        if (statusCode >= 500) return refuse({ error_code: statusCode, description: statusMessage });
        let answer: unknown;
        try {
          answer = JSON.parse(text);
        } catch (error) {
          const { message } = error as SyntaxError;
          return unreachable(`invalid json response body at ${url} reason: ${message}`, 'invalid-json');
        }
        if (!isObject(answer) || !answer['ok']) return refuse(Object(answer));
        end(answer['result']);
      };
      describeFailure = (why) => `Invalid response body while trying to fetch ${url}: ${why}`;
      response.on('error', failed);
      const encoding = headers['content-encoding'];
      if (isEncoded(encoding)) {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          decodeBody(Buffer.concat(chunks), encoding).then((decoded) => read(decoded.toString()), failed);
        });
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => read(text));
    });
    request.end(body);
  });
}

const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status);

/** Leaves out parameters that are null, as Telegraf does. */
const withoutNull = (_: string, value: unknown) => value ?? undefined;

/** The name by which programs know the errors of Telegraf's client. */
class FetchError extends Error {
  override readonly name = 'FetchError';
}

/** The text without the token, marked as Telegraf does it. */
const redacted = (text: string): string => text.replace(/\/(bot|user)(\d+):[^/]+\//, '/$1$2:[REDACTED]/');
