/** A Bot API request that is being served. It gets one response, an invalid response, or none. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { ApiError, type ApiResponse, failure } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import { MAX_BODY_LENGTH, type MutableCall } from './calls.js';
import type { AppliedFault } from './faults.js';
import type { Responder } from './get-updates.js';
import type { HttpServer } from './http-server.js';

export interface ApiRequestOptions {
  readonly call: MutableCall;
  readonly account: BotAccount;
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** The delay between the response and its delivery to the caller. */
  readonly responseDelayMs: number;
  readonly http: HttpServer;
  /** Called when the response has been sent, or it is certain that none will be. */
  readonly onEnd: (request: ApiRequest) => void;
}

export class ApiRequest implements Responder {
  readonly call: MutableCall;
  readonly account: BotAccount;
  readonly #options: ApiRequestOptions;
  #state: 'open' | 'responding' | 'ended' = 'open';
  #corruption: 'truncated' | 'invalid-json' | undefined;

  constructor(options: ApiRequestOptions) {
    this.#options = options;
    this.call = options.call;
    this.account = options.account;
    options.response.once('close', () => this.end());
  }

  /** Whether the request has no response yet and its connection still works. */
  get open(): boolean {
    const { http, response } = this.#options;
    return this.#state === 'open' && !http.isSilent(response);
  }

  get callNumber(): number {
    return this.call.number;
  }

  send({ status, body, retryAfterSeconds }: ApiResponse): void {
    this.#respond(status, body, {
      'content-type': 'application/json',
      ...(retryAfterSeconds !== undefined && { 'retry-after': retryAfterSeconds }),
    });
  }

  /** Ends the request; no response is sent from now on. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#options.onEnd(this);
  }

  /** Applies a fault to the request. Returns whether the method is still to be executed. */
  applyFault(fault: AppliedFault): boolean {
    // A request that an earlier fault has ended is not executed. A request that its caller has abandoned is executed.
    if (this.call.fault && !this.open) return false;
    if (fault) this.call.fault = fault.kind;
    switch (fault?.kind) {
      case undefined:
        return true;
      case 'truncated':
      case 'invalid-json':
        this.#corruption = fault.kind;
        return true;
      case 'too-many-requests':
        this.send(failure(ApiError.tooManyRequests(fault.retryAfterSeconds)));
        break;
      case 'error':
        this.send(failure(new ApiError(fault.status, fault.description ?? `Error ${fault.status}`)));
        break;
      case 'revoked':
        this.send(failure(new ApiError(401, 'Unauthorized')));
        break;
      case 'html':
        this.#respond(fault.status, page(fault.status), { 'content-type': 'text/html' });
        break;
      case 'half-open':
        // HTTP/1.1 responses are sent in order, so no other response can follow on the connection.
        this.end();
        break;
      case 'reset':
        this.#options.response.socket?.resetAndDestroy();
        this.end();
        break;
    }
    return false;
  }

  #respond(status: number, body: string, headers: Readonly<Record<string, string | number>>): void {
    if (this.#state !== 'open') return;
    this.#state = 'responding';
    const { clock, responseDelayMs } = this.#options;
    const deliver = () => this.#deliver(status, body, headers);
    if (responseDelayMs > 0) clock.after(responseDelayMs, deliver);
    else deliver();
  }

  #deliver(status: number, body: string, headers: Readonly<Record<string, string | number>>): void {
    if (this.#state !== 'responding') return;
    const { response, clock, http } = this.#options;
    if (http.isSilent(response)) {
      this.end();
      return;
    }
    const text = this.#corruption === 'invalid-json' ? `${body.slice(0, -1)},` : body;
    response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers });
    if (this.#corruption === 'truncated')
      response.write(text.slice(0, text.length >> 1), () => response.socket?.destroySoon());
    else response.end(text);
    this.call.answered = { atMs: clock.now(), status, ...(text.length <= MAX_BODY_LENGTH && { body: text }) };
    this.end();
  }
}

/** Returns an error page such as a proxy in front of the server would send. */
const page = (status: number): string =>
  `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
