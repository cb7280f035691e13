/**
 * One request to the Bot API on its way through the server: answered once, well or badly, or never.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { type Answer, ApiError, failure } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import type { Recorded } from './calls.js';
import type { Encounter, RequestKind } from './faults.js';
import type { Reply } from './get-updates.js';
import type { HttpServer } from './http-server.js';

export interface ApiRequestOptions {
  readonly call: Recorded;
  readonly account: BotAccount;
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** How long the answer takes to get back. */
  readonly wayBackMs: number;
  readonly http: HttpServer;
  /** Told when the request is over: its answer is on its way out, or there will be none. */
  readonly over: (request: ApiRequest) => void;
}

export class ApiRequest implements Reply, RequestKind {
  readonly call: Recorded;
  readonly account: BotAccount;
  readonly #options: ApiRequestOptions;
  #state: 'open' | 'answering' | 'over' = 'open';
  #spoiling: 'truncated' | 'invalid-json' | undefined;

  constructor(options: ApiRequestOptions) {
    this.#options = options;
    this.call = options.call;
    this.account = options.account;
    options.response.once('close', () => this.lose());
  }

  get method(): string {
    return this.call.method;
  }

  get bot(): number {
    return this.call.bot;
  }

  /** Neither answered nor cut off. */
  get open(): boolean {
    const { http, response } = this.#options;
    return this.#state === 'open' && !http.isSilent(response);
  }

  send({ status, body, retryAfterSeconds }: Answer): void {
    this.#answer(status, body, {
      'content-type': 'application/json',
      ...(retryAfterSeconds !== undefined && {
        'retry-after': retryAfterSeconds,
      }),
    });
  }

  /** Gives the request up: nobody hears an answer any more. */
  lose(): void {
    if (this.#state !== 'over') this.#end();
  }

  /** Lets a fault befall the request. Returns whether it is still to be executed. */
  suffer(fault: Encounter['fault']): boolean {
    // One that met its end on the way in does not arrive; one that its sender gave up does.
    if (this.call.fault && !this.open) return false;
    if (fault) this.call.fault = fault.kind;
    switch (fault?.kind) {
      case undefined:
        return true;
      case 'truncated':
      case 'invalid-json':
        this.#spoiling = fault.kind;
        break;
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
        this.#answer(fault.status, page(fault.status), {
          'content-type': 'text/html',
        });
        break;
      case 'half-open':
        // Without this answer no other can follow: the connection has said its last.
        this.lose();
        break;
      case 'reset':
        this.#options.response.socket?.resetAndDestroy();
        this.lose();
        break;
    }
    return this.#spoiling !== undefined;
  }

  #answer(status: number, body: string, headers: Readonly<Record<string, string | number>>): void {
    if (this.#state !== 'open') return;
    this.#state = 'answering';
    const { clock, wayBackMs } = this.#options;
    const deliver = () => this.#deliver(status, body, headers);
    if (wayBackMs > 0) clock.after(wayBackMs, deliver);
    else deliver();
  }

  #deliver(status: number, body: string, headers: Readonly<Record<string, string | number>>): void {
    if (this.#state !== 'answering') return;
    const { response, clock, http } = this.#options;
    if (http.isSilent(response)) {
      this.#end();
      return;
    }
    const text = this.#spoiling === 'invalid-json' ? `${body.slice(0, -1)},` : body;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
    if (this.#spoiling === 'truncated')
      response.write(text.slice(0, text.length >> 1), () => response.socket?.destroySoon());
    else response.end(text);
    this.call.answered = { atMs: clock.now(), status };
    this.#end();
  }

  #end(): void {
    this.#state = 'over';
    this.#options.over(this);
  }
}

/** What a proxy in front says in the server's place. */
const page = (status: number): string =>
  `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
