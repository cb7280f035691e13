/**
 * Makes one call to the Bot API on a connection of its own, over IPv4 or IPv6, and notes what shows how the way there is:
 * times, the certificate, the server's clock. Polls go through `src/telegraf/bot-api`, which keeps connections and retries.
 */
import http from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import type { ApiAnswer } from '../../polling/bot-api.js';
import { codeOf } from '../../system-error.js';
import { readAnswer, unreachable } from '../../telegraf/bot-api/answer.js';
import { describeError } from '../../telegraf/bot-api/describe-error.js';
import { createDetailRedactor } from '../../telegraf/bot-api/redact-detail.js';
import { userAgent } from '../../telegraf/bot-api/user-agent.js';

export type Family = 4 | 6;

export interface ApiCallOptions {
  readonly apiRoot: string;
  /** Without a token the root of the server is asked, which answers whatever it likes. */
  readonly token: string | undefined;
  readonly method: string;
  readonly parameters?: object;
  /** Default: as Node chooses. */
  readonly family?: Family;
  /** When it aborts, the call is given up. */
  readonly signal: AbortSignal;
}

export interface ApiCall {
  readonly answer: ApiAnswer<unknown>;
  /** The system's code, such as ENETUNREACH, where there was no answer; `ABORT_ERR` where it took too long. */
  readonly code: string | undefined;
  /** How long the connection took; undefined if there was none. */
  readonly connectMs: number | undefined;
  readonly tookMs: number;
  /** How far the server's clock is before this machine's; undefined if it does not tell. */
  readonly aheadMs: number | undefined;
  /** When the certificate ends, in milliseconds since 1970; undefined without TLS. */
  readonly certificateUntilMs: number | undefined;
}

const MOST_BYTES = 1_000_000;

/** Never rejects. */
export function callApi(options: ApiCallOptions): Promise<ApiCall> {
  const { apiRoot, token = '', method, parameters = {}, family, signal } = options;
  const redact = createDetailRedactor(token);
  const url = token === '' ? new URL(apiRoot) : new URL(`./bot${token}/${method}`, apiRoot);
  const begunAt = performance.now();
  const sentMs = Date.now();
  let connectMs: number | undefined;
  let certificateUntilMs: number | undefined;
  let aheadMs: number | undefined;
  return new Promise((resolve) => {
    const end = (answer: ApiAnswer<unknown>, code?: string) =>
      resolve({ answer, code, connectMs, tookMs: performance.now() - begunAt, aheadMs, certificateUntilMs });
    const fail = (error: unknown) =>
      signal.aborted
        ? end(unreachable('timeout', 'no answer in time'), 'ABORT_ERR')
        : end(unreachable('network', redact(describeError(error))), innerCode(error));
    const body = JSON.stringify(parameters);
    const { request: open } = url.protocol === 'https:' ? https : http;
    const request = open(url, {
      method: token === '' ? 'GET' : 'POST',
      agent: false,
      signal,
      ...(family !== undefined && { family }),
      headers: { 'content-type': 'application/json', 'user-agent': userAgent, 'accept-encoding': 'identity' },
    });
    request.on('error', fail);
    request.on('socket', (socket) => {
      socket.on('connect', () => {
        connectMs = performance.now() - begunAt;
      });
      socket.on('secureConnect', () => {
        if (socket instanceof TLSSocket)
          certificateUntilMs = Date.parse(socket.getPeerCertificate().valid_to);
      });
    });
    request.on('response', (response) => {
      const serverMs = Date.parse(response.headers.date ?? '');
      // The header has no fraction of its second: half a second is the best guess.
      if (!Number.isNaN(serverMs)) aheadMs = serverMs + 500 - (sentMs + Date.now()) / 2;
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MOST_BYTES) request.destroy(new Error('the answer is too long'));
      });
      response.on('error', fail);
      response.on('end', () => {
        if (token === '') return end({ kind: 'ok', result: undefined });
        end(readAnswer(Buffer.concat(chunks), response, { parse: (result) => result, redact }));
      });
    });
    request.end(token === '' ? undefined : body);
  });
}

/** The code of the failure; where several addresses have failed, that of the first. */
function innerCode(error: unknown): string | undefined {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  return codeOf(first) ?? codeOf(error);
}
