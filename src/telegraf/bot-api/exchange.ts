/** One HTTP request on one connection: detects stale connections, cut bodies and bodies without end. */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { ApiAnswer, UnreachableWhy } from '../../polling/bot-api.js';
import { type AnswerReader, describeStatus, readAnswer, unreachable } from './answer.js';
import { userAgent } from './user-agent.js';

/** A Bot API call as one HTTP request. */
export interface ApiRequest<T> extends AnswerReader<T> {
  readonly address: http.RequestOptions;
  readonly agent: http.Agent;
  readonly body: string;
}

type ExchangeResult<T> =
  | ApiAnswer<T>
  /** The request was given an idle connection of the pool that cannot be used; nothing was received on it. */
  | { readonly kind: 'stale' }
  /** The caller has stopped the exchange. */
  | { readonly kind: 'stopped' };

/** Far more than Telegram sends for 100 updates; keeps a faulty server from filling the memory. */
const LONGEST_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Sends the request and resolves with the answer. Never rejects.
 *
 * @param needsNewConnection whether an idle connection that the pool offers is discarded as stale
 * @param provideStop is called once, synchronously, with the function that stops the exchange. Not an AbortSignal:
 *   making one takes longer than the rest of the call. Not a field of an object either: V8 then kept each batch of
 *   updates until a full collection (Node 20).
 */
export function exchange<T>(
  apiRequest: ApiRequest<T>,
  needsNewConnection: boolean,
  provideStop: (stop: () => void) => void,
): Promise<ExchangeResult<T>> {
  return new Promise((resolve) => {
    const { address, agent, body, redact } = apiRequest;
    let socket: Socket | undefined;
    let bytesReadBefore = 0;

    let hasEnded = false;
    const end = (result: ExchangeResult<T>) => {
      if (hasEnded) return;
      hasEnded = true;
      // The agent learns only after this turn that the answer was read, and does not keep a destroyed socket.
      if (result.kind !== 'ok') {
        socket?.destroy();
        request.destroy();
      }
      resolve(result);
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
        'user-agent': userAgent,
      },
    });
    provideStop(() => end({ kind: 'stopped' }));
    request.on('socket', (given) => {
      socket = given;
      bytesReadBefore = given.bytesRead;
      if (needsNewConnection && request.reusedSocket) end({ kind: 'stale' });
    });
    let failBody: ((error: Error) => void) | undefined;
    request.on('error', (error) => {
      // From Node 24 on, the request is told of a reset before the response is.
      if (failBody) return failBody(error);
      const nothingReceived = socket?.bytesRead === bytesReadBefore;
      if (request.reusedSocket && nothingReceived) end({ kind: 'stale' });
      else fail('network', describeError(error));
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
        end(readAnswer(only && chunks.length === 1 ? only : Buffer.concat(chunks), response, apiRequest));
      });
      failBody = (error) => fail('cut', `${describeError(error)} after ${length} bytes of the body`);
      response.on('error', failBody);
    });
    request.end(body);
  });
}

/** A failed attempt at several addresses is an AggregateError, whose own message is empty. */
function describeError(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  return error.message;
}
