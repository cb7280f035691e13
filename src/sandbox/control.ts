/**
 * The control API of the sandbox, under `/sandbox/`: lets a test or a person in another process drive and observe it.
 * Requests and responses are JSON; an error is `{ "error": "reason" }`. Faults do not apply to it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';
import type { NewUpdate } from './bot-account.js';
import type { CallFilter } from './calls.js';
import type { Conversation, UserMessage } from './chats.js';
import { type FaultRule, isFaultRule } from './fault-rule.js';
import type { ActiveRule } from './faults.js';
import type { SandboxBot } from './sandbox-bot.js';

const PREFIX = '/sandbox/';

/** The sandbox as the control API sees it. The sandbox itself is its first bot. */
export interface ControlledSandbox extends SandboxBot {
  bot(token: string): SandboxBot;
  botById(id: number): SandboxBot | undefined;
  addFault(rule: FaultRule): number;
  removeFaults(id?: number): void;
  faults(): readonly ActiveRule[];
}

/** Thrown for an invalid request. */
class InvalidRequest extends Error {}

type Fields = Readonly<Record<string, unknown>>;

interface ControlRequest {
  /** The fields of the query string and the body. */
  readonly fields: Fields;
  /** The bot with the id or token in the field `bot`, or the sandbox's first bot without it. */
  readonly bot: SandboxBot;
}

/** Returns the content of the response. */
type Handler = (sandbox: ControlledSandbox, request: ControlRequest) => unknown;

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['GET state', (_, { bot }) => bot.state()],
  ['POST state', setNextUpdateId],
  ['GET calls', (_, { bot, fields }) => ({ calls: bot.calls(filter(fields)) })],
  ['POST updates', addUpdates],
  ['GET chats', report],
  ['POST chats', startConversation],
  ['GET faults', (sandbox) => ({ faults: sandbox.faults() })],
  ['POST faults', addFault],
  ['DELETE faults', removeFaults],
]);

export class Control {
  readonly #sandbox: ControlledSandbox;

  constructor(sandbox: ControlledSandbox) {
    this.#sandbox = sandbox;
  }

  isFor({ url }: IncomingMessage): boolean {
    return url?.startsWith(PREFIX) ?? false;
  }

  receive({ method, url = '' }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://sandbox');
    const handler = handlers.get(`${method} ${pathname.slice(PREFIX.length)}`);
    if (!handler) {
      const paths = [...handlers.keys()].map((path) => path.replace(' ', ` ${PREFIX}`));
      reply(response, 404, { error: 'no such path', paths });
      return;
    }
    try {
      const fields = { ...Object.fromEntries(searchParams), ...parseBody(body) };
      const bot = this.#bot(fields['bot']);
      reply(response, 200, handler(this.#sandbox, { fields, bot }));
    } catch (error) {
      if (!(error instanceof InvalidRequest || error instanceof RangeError || error instanceof ApiError))
        throw error;
      reply(response, 400, { error: error.message });
    }
  }

  #bot(given: unknown): SandboxBot {
    if (given === undefined) return this.#sandbox;
    const name = `${given}`;
    if (name.includes(':')) return this.#sandbox.bot(name);
    const bot = this.#sandbox.botById(Number(name));
    if (!bot) throw new InvalidRequest(`no bot with id ${name} has been seen`);
    return bot;
  }
}

function setNextUpdateId(_: ControlledSandbox, { bot, fields }: ControlRequest): unknown {
  const nextUpdateId = number(fields, 'nextUpdateId');
  if (nextUpdateId === undefined) throw new InvalidRequest('nextUpdateId (a number) is missing');
  bot.jumpTo(nextUpdateId);
  return bot.state();
}

function addUpdates(_: ControlledSandbox, { bot, fields }: ControlRequest): unknown {
  const { updates } = fields;
  if (updates === undefined) return { ids: bot.say(userMessage(fields)) };
  if (!Array.isArray(updates) || !updates.every(isUpdate))
    throw new InvalidRequest('updates must be a list of objects');
  return { ids: bot.addUpdates(updates) };
}

function report(_: ControlledSandbox, { bot, fields }: ControlRequest): unknown {
  const chat = number(fields, 'chat');
  return { report: bot.report(chat), exchanges: bot.exchanges(chat) };
}

function startConversation(_: ControlledSandbox, { bot, fields }: ControlRequest): unknown {
  // Not awaited: the conversation ends by itself, at the latest when the sandbox closes, and is seen in the report.
  void bot.converse(conversation(fields));
  return { started: true };
}

function addFault(sandbox: ControlledSandbox, { fields }: ControlRequest): unknown {
  if (!isFaultRule(fields))
    throw new InvalidRequest('not a fault rule: unknown kind, or an unknown, missing or invalid field');
  if (fields.kind === 'refuse' && fields.forMs === undefined)
    throw new InvalidRequest('refuse needs forMs: the control API is out of reach while the rule is active');
  return { id: sandbox.addFault(fields) };
}

function removeFaults(sandbox: ControlledSandbox, { fields }: ControlRequest): unknown {
  sandbox.removeFaults(number(fields, 'id'));
  return { faults: sandbox.faults() };
}

function filter(fields: Fields): Omit<CallFilter, 'bot'> {
  const method = text(fields, 'method');
  const since = number(fields, 'since');
  return { ...(method !== undefined && { method }), ...(since !== undefined && { since }) };
}

function userMessage(fields: Fields): UserMessage {
  const content = text(fields, 'text');
  const chat = number(fields, 'chat');
  const count = number(fields, 'count');
  const from = text(fields, 'from');
  const fromId = number(fields, 'fromId');
  if (content === undefined) throw new InvalidRequest('updates (a list) or text is missing');
  return {
    text: content,
    ...(chat !== undefined && { chat }),
    ...(count !== undefined && { count }),
    ...(from !== undefined && { from }),
    ...(fromId !== undefined && { fromId }),
  };
}

function conversation(fields: Fields): Conversation {
  const { say } = fields;
  const chat = number(fields, 'chat');
  const from = text(fields, 'from');
  const rounds = number(fields, 'rounds');
  const patienceMs = number(fields, 'patienceMs');
  const pauseMs = number(fields, 'pauseMs');
  if (!Array.isArray(say) || !say.every((item) => typeof item === 'string'))
    throw new InvalidRequest('say (a list of texts) is missing');
  return {
    chat: chat ?? 1,
    say,
    ...(from !== undefined && { from }),
    ...(rounds !== undefined && { rounds }),
    ...(patienceMs !== undefined && { patienceMs }),
    ...(pauseMs !== undefined && { pauseMs }),
  };
}

function isUpdate(value: unknown): value is NewUpdate {
  return isObject(value) && (value['update_id'] === undefined || Number.isSafeInteger(value['update_id']));
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
