/** One HTTP request on one connection: detects stale connections, cut bodies, bodies without end, and silence. */
import http from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Clock } from '../../clock.js';
import type { ApiAnswer, CallOptions, UnreachableWhy } from '../../polling/bot-api.js';
import { type AddressTimeout, addressTimeoutMs } from '../takeover/address-timeout.js';
import { type AnswerReader, describeStatus, readAnswer, unreachable } from './answer.js';
import { decodeBody, isEncoded, LONGEST_BODY_BYTES } from './decode-body.js';
import { describeError, isAddressTimeout } from './describe-error.js';
import type { ServerTime } from './server-time.js';
import { type Stage, StageTimer } from './stage-timer.js';
import { requestThrough } from './unfinished-connections.js';
import { userAgent } from './user-agent.js';

/** A Bot API call as one HTTP request. */
export interface ApiRequest<T> extends AnswerReader<T> {
  readonly method: string;
  readonly address: http.RequestOptions;
  readonly agent: http.Agent;
  readonly body: string;
  readonly limits: Pick<CallOptions, 'answerWithinMs' | 'alive'>;
  readonly clock: Clock;
  readonly time: Pick<ServerTime, 'read'>;
}

/** What the calls of a client learn about its connections. */
export interface ConnectionState {
  /** Whether an idle connection that the pool offers is discarded as stale. */
  needsNew: boolean;
  readonly addressTimeout: AddressTimeout;
}

export type ExchangeResult<T> =
  | ApiAnswer<T>
  /** The request was given an idle connection of the pool that cannot be used; nothing was received on it. */
  | { readonly kind: 'stale' }
  /** The server wants the same request at another address. */
  | { readonly kind: 'redirected'; readonly location: string; readonly detail: string }
  /** The caller has stopped the exchange. */
  | { readonly kind: 'stopped' };

/** An agent of the bot's own may have to look up and reach a proxy before it has a connection. */
const agentStage: Stage = { awaits: 'connection from the agent', limitMs: 45_000 };
/** A resolver with two dead servers and two search domains takes 40 s before it asks the third. */
const lookUpStage: Stage = { awaits: 'address from the name server', limitMs: 60_000 };
const connectStage: Stage = { awaits: 'connection', limitMs: 15_000 };
const secureStage: Stage = { awaits: 'end of the TLS handshake', limitMs: 15_000 };
const bodyStage: Stage = { awaits: 'further byte of the answer', limitMs: 10_000 };

/** From this age of a body on, bytes count as progress only while they come faster than 1 kB/s: a trickle is no answer. */
const TRICKLE_AFTER_MS = 60_000;

/** A server of TLS closes the connection of a request in clear; there is no other sign of it. */
const MAY_SPEAK_TLS = 'where that lasts: does the address of the server begin with https://?';

const REDIRECTS = new Set([307, 308]);

/**
 * Sends the request and resolves with the answer. Never rejects.
 *
 * @param provideStop is called once, synchronously, with the function that stops the exchange. Not an AbortSignal:
 *   making one takes longer than the rest of the call. Not a field of an object either: V8 then kept each batch of
 *   updates until a full collection (Node 20).
 */
export function exchange<T>(
  apiRequest: ApiRequest<T>,
  state: ConnectionState,
  provideStop: (stop: () => void) => void,
): Promise<ExchangeResult<T>> {
  return new Promise((resolve) => {
    const { method, address, agent, body, redact, limits, clock, time } = apiRequest;
    const answerStage: Stage = { awaits: 'answer', limitMs: limits.answerWithinMs };
    let socket: Socket | undefined;
    let bytesReadBefore = 0;
    let bodyBytes = 0;
    let answeredAt: number | undefined;
    let connection: ConnectionAttempts | undefined;

    let hasEnded = false;
    const end = (result: ExchangeResult<T>) => {
      if (hasEnded) return;
      hasEnded = true;
      timer.end();
      // The agent learns only after this turn that the answer was read, and does not keep a destroyed socket.
      if (result.kind !== 'ok') {
        socket?.destroy();
        request.destroy();
      }
      resolve(result);
    };
    const fail = (why: UnreachableWhy, detail: string) => end(unreachable(why, redact(detail)));

    const timer = new StageTimer({
      clock,
      alive: (ms) => limits.alive?.(ms),
      overdue: ({ awaits, limitMs }) => {
        const detail = `no ${awaits} within ${limitMs / 1000} s${placeOf(socket, connection)}`;
        if (answeredAt !== undefined) fail('cut', `${detail}, after ${bodyBytes} bytes of the body`);
        else fail('timeout', `${method}: ${detail}`);
      },
    });
    let request: http.ClientRequest;
    try {
      const options = {
        ...address,
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'accept-encoding': 'identity',
          'user-agent': userAgent,
        },
      };
      const { request: open } = address.protocol === 'https:' ? https : http;
      request = requestThrough(agent, () => open(options));
    } catch (error) {
      // What an agent was built with may be unusable, such as a certificate.
      resolve(unreachable('network', redact(describeError(error))));
      return;
    }
    timer.begin(agentStage);
    provideStop(() => end({ kind: 'stopped' }));
    request.on('socket', (given) => {
      socket = given;
      bytesReadBefore = given.bytesRead;
      if (state.needsNew && request.reusedSocket) end({ kind: 'stale' });
      else if (given.connecting)
        connection = followConnection(given, apiRequest, state.addressTimeout, (stage) =>
          timer.begin(stage ?? answerStage),
        );
      else timer.begin(answerStage);
    });
    let failBody: ((error: Error) => void) | undefined;
    request.on('error', (error) => {
      // From Node 24 on, the request is told of a reset before the response is.
      if (failBody) return failBody(error);
      const nothingReceived = socket?.bytesRead === bytesReadBefore;
      if (request.reusedSocket && nothingReceived) return end({ kind: 'stale' });
      if (error.message === 'socket hang up' && nothingReceived && address.protocol === 'http:')
        return fail('network', `${describeError(error)} (${MAY_SPEAK_TLS})`);
      if (!isAddressTimeout(error)) return fail('network', describeError(error));
      fail('network', `${describeError(error)}; each address had ${addressTimeoutMs()} ms`);
      state.addressTimeout.raise();
    });
    request.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      if (REDIRECTS.has(status) && headers.location !== undefined)
        return end({
          kind: 'redirected',
          location: headers.location,
          detail: redact(describeStatus(response)),
        });
      if (status >= 500 || (status >= 300 && status < 400)) return fail('http', describeStatus(response));

      const chunks: Buffer[] = [];
      const begunAt = clock.now();
      answeredAt = begunAt;
      timer.begin(bodyStage);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bodyBytes += chunk.length;
        if (clock.now() - begunAt < TRICKLE_AFTER_MS + bodyBytes) timer.moved();
        if (bodyBytes > LONGEST_BODY_BYTES)
          fail('not-json', `a body of more than ${LONGEST_BODY_BYTES} bytes`);
      });
      const read = (whole: Buffer) => {
        const answer = readAnswer(whole, response, apiRequest);
        if (answer.kind === 'ok') time.read(headers.date);
        end(answer);
      };
      response.on('end', () => {
        const [only] = chunks;
        const received = only && chunks.length === 1 ? only : Buffer.concat(chunks);
        const encoding = headers['content-encoding'];
        if (!isEncoded(encoding)) return read(received);
        decodeBody(received, encoding).then(read, (error: unknown) =>
          fail('not-json', `a body in ${encoding}: ${describeError(error)}`),
        );
      });
      failBody = (error) => fail('cut', `${describeError(error)} after ${bodyBytes} bytes of the body`);
      response.on('error', failBody);
    });
    // Node tells no more than this of a connection that is switched to another protocol.
    request.on('close', () => {
      if (answeredAt === undefined) fail('network', 'the connection was closed without an answer');
    });
    request.end(body);
  });
}

/** The attempts to connect to one of a host's addresses. */
interface ConnectionAttempts {
  /** The address that is being tried, or was tried last. */
  newest?: { readonly place: string; readonly at: number };
}

/** Tells the stages of a connection that is being made; undefined once the request is under way. */
function followConnection(
  socket: Socket,
  { address: { protocol, hostname }, clock }: Pick<ApiRequest<unknown>, 'address' | 'clock'>,
  addressTimeout: AddressTimeout,
  enter: (stage: Stage | undefined) => void,
): ConnectionAttempts {
  const attempts: ConnectionAttempts = {};
  socket.on('connectionAttempt', (address: string, port: number) => {
    attempts.newest = { place: `${isIP(address) === 6 ? `[${address}]` : address}:${port}`, at: clock.now() };
  });
  const host = hostname?.replace(/^\[|\]$/g, '') ?? '';
  enter(isIP(host) === 0 ? lookUpStage : connectStage);
  socket.once('lookup', () => enter(connectStage));
  socket.once('connect', () => {
    if (attempts.newest) addressTimeout.answered(clock.now() - attempts.newest.at);
    enter(protocol === 'https:' ? secureStage : undefined);
  });
  if (protocol === 'https:') socket.once('secureConnect', () => enter(undefined));
  return attempts;
}

/** The address that a socket is connected to, or tries to, for people who look for what does not answer. */
function placeOf(socket: Socket | undefined, attempts: ConnectionAttempts | undefined): string {
  const { remoteAddress, remotePort } = socket ?? {};
  if (remoteAddress !== undefined) return ` from ${remoteAddress}:${remotePort}`;
  return attempts?.newest ? ` to ${attempts.newest.place}` : '';
}
