/**
 * The Bot API over HTTP: who calls, what befalls the call, what it does.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { Accounts } from './accounts.js';
import { ApiRequest } from './api-request.js';
import { type Answer, ApiError, failure } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import type { Call, Calls } from './calls.js';
import type { Faults } from './faults.js';
import type { HttpServer } from './http-server.js';
import type { Message } from './message.js';
import { findMethod } from './methods.js';
import { parseParameters, text } from './parameters.js';

export interface BotApiOptions {
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly http: HttpServer;
  /** Added to every call, one half on each way. */
  readonly roundTripMs: number;
  /** Told of each message that a bot puts into a chat. */
  readonly sent: (account: BotAccount, message: Message) => void;
  /** Told of each call when it has arrived, and when it is over. */
  readonly called: (call: Call, step: 'arrived' | 'over') => void;
  /** Told whenever a call has had its effect. */
  readonly changed: () => void;
}

export class BotApi {
  readonly #options: BotApiOptions;
  readonly #underWay = new Set<ApiRequest>();

  constructor(options: BotApiOptions) {
    this.#options = options;
  }

  /** Takes a request whose body is complete. */
  receive(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    try {
      this.#admit(request, body, response);
    } catch (error) {
      const { status, body } = failureOf(error);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    }
  }

  /** Lets a rule just added befall what is under way. */
  strikeUnderWay(ruleId: number): void {
    const requests = [...this.#underWay];
    const faults = this.#options.faults.meetUnderWay(ruleId, requests);
    for (const [index, request] of requests.entries()) {
      const fault = faults[index];
      // What waits has nothing to say yet; a spoilt answer is then a spoilt empty one.
      if (fault && request.suffer(fault)) request.send(nothingNew);
    }
  }

  #admit(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { clock, accounts, calls, faults, http, roundTripMs, called, changed } = this.#options;
    const { token, method: inPath, query } = route(request.url ?? '');
    const account = accounts.admit(token);
    const parameters = parseParameters(query, request.headers, body);
    const method = inPath || text(parameters, 'method');
    const { latencyMs, fault } = faults.meet({ bot: account.id, method });
    const apiRequest = new ApiRequest({
      call: calls.record({
        atMs: clock.now(),
        bot: account.id,
        method,
        parameters,
      }),
      account,
      response,
      clock,
      wayBackMs: roundTripMs / 2,
      http,
      over: (over) => {
        this.#underWay.delete(over);
        called(over.call, 'over');
      },
    });
    this.#underWay.add(apiRequest);
    called(apiRequest.call, 'arrived');

    const wayInMs = latencyMs + roundTripMs / 2;
    const arrive = () => {
      if (apiRequest.suffer(fault)) this.#execute(apiRequest);
      changed();
    };
    if (wayInMs > 0) clock.after(wayInMs, arrive);
    else arrive();
  }

  #execute(request: ApiRequest): void {
    const { account, call } = request;
    const { clock, sent } = this.#options;
    try {
      if (account.loggedOut) throw new ApiError(400, 'Logged out');
      if (call.method.toLowerCase() === 'getupdates') {
        account.poll(call.parameters, request);
        return;
      }
      const method = findMethod(call.method);
      if (!method) throw new ApiError(404, 'Not Found: method not found');
      request.send(
        method({
          account,
          parameters: call.parameters,
          now: clock.now(),
          sent: (message) => sent(account, message),
        }),
      );
    } catch (error) {
      request.send(failureOf(error));
    }
  }
}

const nothingNew: Answer = { status: 200, body: '{"ok":true,"result":[]}' };

/** A refusal as such; anything else is a bug of the sandbox, which the caller is to see. */
const failureOf = (error: unknown): Answer =>
  failure(error instanceof ApiError ? error : new ApiError(500, `Internal Server Error: ${error}`));

/** `/bot<token>/<method>?<query>`, with `/test` after the token in the test environment. */
function route(url: string): { token: string; method: string; query: string } {
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/.exec(url) ?? [];
  const parts = /^\/bot([^/]*)(\/test)?(?:\/(\w*))?$/.exec(decoded(path));
  if (!parts) throw new ApiError(404, 'Not Found');
  const [, token = '', test = '', method = ''] = parts;
  return { token: token + test, method, query };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ApiError(404, 'Not Found');
  }
}
