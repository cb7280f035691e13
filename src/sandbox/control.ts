/**
 * The control API of the sandbox, under `/sandbox/`: lets a test or a person in another process drive and observe it.
 * Requests and responses are JSON; an error is `{ "error": "reason" }`. Faults do not apply to it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';
import { parseFaultRule } from './fault-rule-parser.js';
import type { Sandbox } from './sandbox.js';
import type { SandboxBot } from './sandbox-bot.js';
import { MAX_UPDATE_ID, parseUpdates } from './update-parser.js';

const PREFIX = '/sandbox/';

const MAX_TEXT_LENGTH = 4096;
const MAX_NAME_LENGTH = 64;
/** The most messages of one request: more would keep the server from anything else for seconds. */
const MAX_MESSAGES = 100_000;
/** The largest id that a JSON number of the Bot API may have: 52 bits. */
const MAX_ID = 4_503_599_627_370_495;
/** The longest time that a timer of Node can wait. */
const MAX_MS = 2_147_483_647;

/** Thrown for an invalid request. */
class InvalidRequest extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

type Fields = Readonly<Record<string, unknown>>;

interface ControlRequest {
  readonly sandbox: Sandbox;
  /** The bot with the id or token in the field `bot`, or the sandbox's first bot without it. Looked up when it is read. */
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
    const request: ControlRequest = {
      sandbox,
      fields,
      get bot() {
        return findBot(sandbox, fields['bot']);
      },
    };
    reply(response, 200, handler(request));
  } catch (error) {
    if (!(error instanceof InvalidRequest || error instanceof RangeError || error instanceof ApiError))
      throw error;
    reply(response, error instanceof InvalidRequest ? error.status : 400, { error: error.message });
  }
}

function findBot(sandbox: Sandbox, idOrToken: unknown): SandboxBot {
  if (idOrToken === undefined) return sandbox;
  const name = `${idOrToken}`;
  return name.includes(':') ? sandbox.bot(name) : sandbox.botById(Number(name));
}

function setNextUpdateId({ bot, fields }: ControlRequest): unknown {
  bot.jumpTo(required(whole(fields, 'nextUpdateId', 1, MAX_UPDATE_ID), 'nextUpdateId (a number)'));
  return bot.state();
}

function listCalls({ bot, fields }: ControlRequest): unknown {
  return { calls: bot.calls({ method: text(fields, 'method'), since: number(fields, 'since') }) };
}

function addUpdates({ bot, fields }: ControlRequest): unknown {
  if (fields['updates'] === undefined) return { ids: sayOnRequest(bot, fields) };
  onlyFields(fields, ['bot', 'updates']);
  const updates = parseUpdates(fields['updates']);
  const ids = bot.addUpdates(updates);
  if (ids.length === updates.length) return { ids };
  return {
    ids,
    dropped: `${updates.length - ids.length}: the bot does not get updates of this kind; ${wanted(bot)}`,
  };
}

function sayOnRequest(bot: SandboxBot, fields: Fields): readonly number[] {
  onlyFields(fields, ['bot', 'text', 'chat', 'count', 'from', 'fromId']);
  const message = {
    text: required(text(fields, 'text', MAX_TEXT_LENGTH), 'updates (a list) or text'),
    chat: id(fields, 'chat'),
    count: whole(fields, 'count', 1, MAX_MESSAGES),
    from: text(fields, 'from', MAX_NAME_LENGTH),
    fromId: id(fields, 'fromId'),
  };
  return bot.say(message);
}

function report({ bot, fields }: ControlRequest): unknown {
  const chat = number(fields, 'chat');
  return { report: bot.report(chat), exchanges: bot.exchanges(chat) };
}

function startConversation({ bot, fields }: ControlRequest): unknown {
  onlyFields(fields, ['bot', 'chat', 'say', 'from', 'rounds', 'patienceMs', 'pauseMs']);
  const { say } = fields;
  const isListOfTexts =
    Array.isArray(say) && say.every((item) => typeof item === 'string' && item.trim() !== '');
  const conversation = {
    chat: id(fields, 'chat') ?? 1,
    say: required(isListOfTexts ? say : undefined, 'say (a list of texts)'),
    from: text(fields, 'from', MAX_NAME_LENGTH),
    rounds: whole(fields, 'rounds', 1, MAX_MESSAGES),
    patienceMs: whole(fields, 'patienceMs', 0, MAX_MS),
    pauseMs: whole(fields, 'pauseMs', 0, MAX_MS),
  };
  // Not awaited, because the conversation ends by itself, at the latest when the sandbox closes. The report shows it.
  void bot.converse(conversation);
  return { started: true };
}

function addFault({ sandbox, fields }: ControlRequest): unknown {
  const rule = parseFaultRule(fields);
  if (rule.kind === 'refuse' && rule.forMs === undefined)
    throw new InvalidRequest('refuse needs forMs: the control API is out of reach while the rule is active');
  return { id: sandbox.addFault(rule) };
}

function removeFaults({ sandbox, fields }: ControlRequest): unknown {
  const id = number(fields, 'id');
  if (id !== undefined && !sandbox.faults().some((active) => active.id === id))
    throw new InvalidRequest(`there is no fault with the id ${id}`, 404);
  sandbox.removeFaults(id);
  return { faults: sandbox.faults() };
}

/** Says which kinds of updates a bot gets. */
function wanted(bot: SandboxBot): string {
  const { allowedUpdates } = bot.state();
  return allowedUpdates
    ? `its allowed_updates are ${allowedUpdates.join(', ')}`
    : 'it has to name it in the allowed_updates of a getUpdates call';
}

/** @throws InvalidRequest for a field that the request cannot have */
function onlyFields(fields: Fields, known: readonly string[]): void {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new InvalidRequest(`there is no field ${unknown.join(', ')}; expected ${known.join(', ')}`);
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new InvalidRequest(`${name} is missing`);
  return value;
}

function text(fields: Fields, name: string, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new InvalidRequest(`${name} must be a text`);
  if (value.trim() === '') throw new InvalidRequest(`${name} must not be empty`);
  if (value.length > maxLength)
    throw new InvalidRequest(`${name} must have at most ${maxLength} characters, not ${value.length}`);
  return value;
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof given === 'number' && Number.isFinite(given)) return given;
  throw new InvalidRequest(`${name} must be a number, not ${JSON.stringify(value)}`);
}

function whole(fields: Fields, name: string, min: number, max: number): number | undefined {
  const value = number(fields, name);
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return value;
  throw new InvalidRequest(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}

/** Returns the id of a chat or a person. */
function id(fields: Fields, name: string): number | undefined {
  const value = whole(fields, name, -MAX_ID, MAX_ID);
  if (value === 0) throw new InvalidRequest(`${name} must not be 0`);
  return value;
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
