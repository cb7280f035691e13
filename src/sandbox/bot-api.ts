/** Serves the Bot API over HTTP: authenticates the bot, applies faults, and executes the method. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { unescape as decoded } from 'node:querystring';
import type { Clock } from '../clock.js';
import { ApiRequest } from './api-request.js';
import { ApiError, type ApiResponse, failure, successOfItems } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import type { BotAccounts } from './bot-accounts.js';
import type { Call, Calls, MutableCall } from './calls.js';
import type { Faults } from './faults.js';
import type { HttpServer } from './http-server.js';
import type { Message } from './message.js';
import { findMethod } from './methods.js';
import { type CallParameters, parseParameters, text } from './parameters.js';
import { Upload } from './upload.js';

export interface BotApiOptions {
  readonly clock: Clock;
  readonly accounts: BotAccounts;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly http: HttpServer;
  /** A delay added to every call, half of it in each direction. */
  readonly roundTripMs: number;
  /** Called for each message that a bot sends, with the call that sends it. */
  readonly onMessage: (account: BotAccount, message: Message, call: Call) => void;
  /** Called when a call has arrived, has been executed, and is over. */
  readonly onChange: () => void;
  /** Called when a call has arrived, and when it is over. */
  readonly onCall: (call: Call) => void;
}

export class BotApi {
  readonly #options: BotApiOptions;
  readonly #pending = new Set<ApiRequest>();

  constructor(options: BotApiOptions) {
    this.#options = options;
  }

  /** Serves a request whose body is complete. */
  receive({ url = '', headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    try {
      if (url.startsWith('/file/')) {
        this.#download(url, response);
        return;
      }
      const { token, method, query } = route(url);
      const account = this.#options.accounts.authenticate(token);
      const parameters = parseParameters(query, headers, body);
      this.#serve(account, method || text(parameters, 'method'), parameters, response);
    } catch (error) {
      reply(response, failureOf(error));
    }
  }

  /** Refuses a request without looking at it. */
  refuse(reason: string, response: ServerResponse): void {
    reply(response, failure(new ApiError(403, `Forbidden: ${reason}`)));
  }

  /** Applies a newly added fault rule to the pending requests. */
  applyToPending(ruleId: number): void {
    const requests = [...this.#pending];
    const calls = requests.map(({ call }) => call);
    const faults = this.#options.faults.applyToPending(ruleId, calls);
    for (const [index, request] of requests.entries()) {
      const fault = faults[index];
      // A pending poll has no updates, so the fault corrupts an empty response.
      if (fault && request.applyFault(fault)) request.send(successOfItems([]));
    }
  }

  /** Serves a file that the bot has sent. */
  #download(url: string, response: ServerResponse): void {
    const [, token = '', path = ''] =
      /^\/file\/bot([^/]*(?:\/test)?)\/([^?]*)/.exec(percentDecoded(url)) ?? [];
    const content = this.#options.accounts.authenticate(token).files.content(path);
    if (!content) throw new ApiError(404, 'Not Found');
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
    response.end(content);
  }

  #serve(account: BotAccount, method: string, parameters: CallParameters, response: ServerResponse): void {
    const { clock, calls, faults, http, roundTripMs, onChange, onCall } = this.#options;
    const { latencyMs, fault } = faults.apply({ bot: account.id, method });
    const apiRequest = new ApiRequest({
      call: calls.record({ atMs: clock.now(), bot: account.id, method, parameters }),
      account,
      response,
      clock,
      responseDelayMs: roundTripMs / 2,
      http,
      onEnd: (ended) => {
        this.#pending.delete(ended);
        onCall(ended.call);
        onChange();
      },
    });
    this.#pending.add(apiRequest);
    onCall(apiRequest.call);
    onChange();

    const requestDelayMs = latencyMs + roundTripMs / 2;
    const execute = () => {
      if (apiRequest.applyFault(fault)) this.#execute(apiRequest);
      for (const value of Object.values(parameters)) if (value instanceof Upload) value.release();
      onChange();
    };
    if (requestDelayMs > 0) clock.after(requestDelayMs, execute);
    else execute();
  }

  #execute(request: ApiRequest): void {
    const { account, call } = request;
    const { clock, onMessage } = this.#options;
    try {
      if (account.loggedOut) throw new ApiError(400, 'Logged out');
      if (call.method.toLowerCase() === 'getupdates') {
        account.poll(call.parameters, request);
        return;
      }
      const method = findMethod(call.method);
      if (!method) throw new ApiError(404, 'Not Found: method not found');
      let sent = 0;
      const response = method.execute({
        account,
        parameters: call.parameters,
        nowMs: clock.now(),
        call,
        onMessage: (message) => {
          sent++;
          onMessage(account, message, call);
        },
      });
      if (sent === 0) attribute(account, call);
      request.send(response);
    } catch (error) {
      request.send(failureOf(error));
    }
  }
}

/**
 * Counts a call that changes a chat, but sends no message, as an answer to the chat's last delivered update; and one that
 * changes a message of an inline query, whose chat the bot does not know, as an answer to the last update that names it.
 */
function attribute(
  { updates, inlineMessages }: BotAccount,
  { number, method, parameters }: MutableCall,
): void {
  if (method.toLowerCase().startsWith('get')) return;
  const { chat_id: chat, inline_message_id: inlineId } = parameters;
  if (chat !== undefined) {
    if (Number.isSafeInteger(Number(chat))) updates.answered({ chat: Number(chat) }, { number, method });
  } else if (inlineId !== undefined)
    updates.answered({ updateId: inlineMessages.updateOf(`${inlineId}`) }, { number, method });
}

/** Responds to a request that is not a call. */
function reply(response: ServerResponse, { status, body }: ApiResponse): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body);
}

/** Returns the response to an error. Any other error than an ApiError is a bug of the sandbox, and gives a 500. */
const failureOf = (error: unknown): ApiResponse =>
  failure(error instanceof ApiError ? error : new ApiError(500, `Internal Server Error: ${error}`));

const percentDecoded = (path: string): string => (path.includes('%') ? decoded(path) : path);

/** Parses `/bot<token>/<method>?<query>`. In the test environment, the token has `/test` after it. */
function route(url: string): { token: string; method: string; query: string } {
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/.exec(url) ?? [];
  const parts = /^\/bot([^/]*)(\/test)?(?:\/(\w*))?$/.exec(percentDecoded(path));
  if (!parts) throw new ApiError(404, 'Not Found');
  const [, token = '', test = '', method = ''] = parts;
  return { token: token + test, method, query };
}
