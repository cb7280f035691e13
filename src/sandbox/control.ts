/**
 * The control API of the sandbox, under `/sandbox/`: lets a test or a person in another process drive and observe it.
 * Requests and responses are JSON; an error is `{ "error": "reason" }`. Faults do not apply to it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';
import type { NewUpdate } from './bot-account.js';
import { isFaultRule } from './fault-rule.js';
import type { Sandbox } from './sandbox.js';
import type { SandboxBot } from './sandbox-bot.js';

const PREFIX = '/sandbox/';

/** Thrown for an invalid request. */
class InvalidRequest extends Error {}

type Fields = Readonly<Record<string, unknown>>;

interface ControlRequest {
  readonly sandbox: Sandbox;
  /** The bot with the id or token in the field `bot`, or the sandbox's first bot without it. */
  readonly bot: SandboxBot;
  /** The fields of the query string and the body. */
  readonly fields: Fields;
}

/** Returns the content of the response. */
type Handler = (request: ControlRequest) => unknown;

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['GET state', ({ bot }) => bot.state()],
  ['POST state', setNextUpdateId],
  ['GET calls', listCalls],
  ['POST updates', addUpdates],
  ['GET chats', report],
  ['POST chats', startConversation],
  ['GET faults', ({ sandbox }) => ({ faults: sandbox.faults() })],
  ['POST faults', addFault],
  ['DELETE faults', removeFaults],
]);

export const isControlRequest = ({ url }: IncomingMessage): boolean => url?.startsWith(PREFIX) ?? false;

/** Refuses a control request without looking at it. */
export function refuseControlRequest(reason: string, response: ServerResponse): void {
  reply(response, 403, { error: reason });
}

/** Serves a control request whose body is complete. */
export function serveControlRequest(
  sandbox: Sandbox,
  { method, url = '' }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  const handler = handlers.get(`${method} ${pathname.slice(PREFIX.length)}`);
  if (!handler) {
    const paths = [...handlers.keys()].map((path) => path.replace(' ', ` ${PREFIX}`));
    reply(response, 404, { error: 'no such path', paths });
    return;
  }
  try {
    const fields = { ...Object.fromEntries(searchParams), ...parseBody(body) };
    reply(response, 200, handler({ sandbox, bot: findBot(sandbox, fields['bot']), fields }));
  } catch (error) {
    if (!(error instanceof InvalidRequest || error instanceof RangeError || error instanceof ApiError))
      throw error;
    reply(response, 400, { error: error.message });
  }
}

function findBot(sandbox: Sandbox, idOrToken: unknown): SandboxBot {
  if (idOrToken === undefined) return sandbox;
  const name = `${idOrToken}`;
  return name.includes(':') ? sandbox.bot(name) : sandbox.botById(Number(name));
}

function setNextUpdateId({ bot, fields }: ControlRequest): unknown {
  bot.jumpTo(required(number(fields, 'nextUpdateId'), 'nextUpdateId (a number)'));
  return bot.state();
}

function listCalls({ bot, fields }: ControlRequest): unknown {
  return { calls: bot.calls({ method: text(fields, 'method'), since: number(fields, 'since') }) };
}

function addUpdates({ bot, fields }: ControlRequest): unknown {
  const { updates } = fields;
  if (updates === undefined) {
    const message = {
      text: required(text(fields, 'text'), 'updates (a list) or text'),
      chat: number(fields, 'chat'),
      count: number(fields, 'count'),
      from: text(fields, 'from'),
      fromId: number(fields, 'fromId'),
    };
    return { ids: bot.say(message) };
  }
  if (!Array.isArray(updates) || !updates.every(isUpdate))
    throw new InvalidRequest('updates must be a list of objects');
  return { ids: bot.addUpdates(updates) };
}

function report({ bot, fields }: ControlRequest): unknown {
  const chat = number(fields, 'chat');
  return { report: bot.report(chat), exchanges: bot.exchanges(chat) };
}

function startConversation({ bot, fields }: ControlRequest): unknown {
  const { say } = fields;
  const isListOfTexts = Array.isArray(say) && say.every((item) => typeof item === 'string');
  const conversation = {
    chat: number(fields, 'chat') ?? 1,
    say: required(isListOfTexts ? say : undefined, 'say (a list of texts)'),
    from: text(fields, 'from'),
    rounds: number(fields, 'rounds'),
    patienceMs: number(fields, 'patienceMs'),
    pauseMs: number(fields, 'pauseMs'),
  };
  // Not awaited, because the conversation ends by itself, at the latest when the sandbox closes. The report shows it.
  void bot.converse(conversation);
  return { started: true };
}

function addFault({ sandbox, fields }: ControlRequest): unknown {
  if (!isFaultRule(fields))
    throw new InvalidRequest('not a fault rule: unknown kind, or an unknown, missing or invalid field');
  if (fields.kind === 'refuse' && fields.forMs === undefined)
    throw new InvalidRequest('refuse needs forMs: the control API is out of reach while the rule is active');
  return { id: sandbox.addFault(fields) };
}

function removeFaults({ sandbox, fields }: ControlRequest): unknown {
  sandbox.removeFaults(number(fields, 'id'));
  return { faults: sandbox.faults() };
}

function isUpdate(value: unknown): value is NewUpdate {
  return isObject(value) && (value['update_id'] === undefined || Number.isSafeInteger(value['update_id']));
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new InvalidRequest(`${name} is missing`);
  return value;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new InvalidRequest(`${name} must be a text`);
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (value !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidRequest(`${name} must be a number`);
}

function parseBody(body: Buffer): Fields {
  if (body.length === 0) return {};
  const value = parseJson(body.toString());
  if (!isObject(value)) throw new InvalidRequest('the body must be a JSON object');
  return value;
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(content)}\n`);
}
