/**
 * The sandbox's own paths, `/sandbox/…`: what a test or a person in another process steers and watches it by.
 * No fault touches them. They speak JSON; a refusal is `{ "error": "why" }`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-response.js';
import type { NewUpdate } from './bot-account.js';
import type { CallFilter } from './calls.js';
import type { Conversation, Line } from './chats.js';
import { type FaultRule, isFaultRule } from './fault-rule.js';
import type { ActiveRule } from './faults.js';
import { isRecord, parseJson } from './parameters.js';
import type { SandboxBot } from './sandbox-bot.js';

const PREFIX = '/sandbox/';

/** What is steered: a sandbox, which is its own first bot. */
export interface Steered extends SandboxBot {
  bot(token: string): SandboxBot;
  botById(id: number): SandboxBot | undefined;
  addFault(rule: FaultRule): number;
  removeFaults(id?: number): void;
  faults(): readonly ActiveRule[];
}

/** A request that cannot be granted; the message says why. */
class Refusal extends Error {}

interface Wish {
  /** Query and body in one. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The bot meant by `bot` (its id or token), or the sandbox's own. */
  readonly bot: SandboxBot;
}

type Grant = (sandbox: Steered, wish: Wish) => unknown;

const grants: ReadonlyMap<string, Grant> = new Map<string, Grant>([
  ['GET state', (_, { bot }) => bot.state()],
  ['POST state', jump],
  ['GET calls', (_, { bot, fields }) => ({ calls: bot.calls(filter(fields)) })],
  ['POST updates', addUpdates],
  ['GET chats', report],
  ['POST chats', startConversation],
  ['GET faults', (sandbox) => ({ faults: sandbox.faults() })],
  ['POST faults', addFault],
  ['DELETE faults', removeFaults],
]);

export class Control {
  readonly #sandbox: Steered;

  constructor(sandbox: Steered) {
    this.#sandbox = sandbox;
  }

  isFor({ url }: IncomingMessage): boolean {
    return url?.startsWith(PREFIX) ?? false;
  }

  receive({ method, url = '' }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://sandbox');
    const grant = grants.get(`${method} ${pathname.slice(PREFIX.length)}`);
    if (!grant) {
      const paths = [...grants.keys()].map((path) => path.replace(' ', ` ${PREFIX}`));
      reply(response, 404, { error: 'no such path', paths });
      return;
    }
    try {
      const fields = {
        ...Object.fromEntries(searchParams),
        ...parseBody(body),
      };
      const bot = this.#bot(fields['bot']);
      reply(response, 200, grant(this.#sandbox, { fields, bot }));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof RangeError || error instanceof ApiError))
        throw error;
      reply(response, 400, { error: error.message });
    }
  }

  #bot(given: unknown): SandboxBot {
    if (given === undefined) return this.#sandbox;
    const name = `${given}`;
    if (name.includes(':')) return this.#sandbox.bot(name);
    const bot = this.#sandbox.botById(Number(name));
    if (!bot) throw new Refusal(`no bot with id ${name} has been seen`);
    return bot;
  }
}

function jump(_: Steered, { bot, fields }: Wish): unknown {
  const nextUpdateId = number(fields, 'nextUpdateId');
  if (nextUpdateId === undefined) throw new Refusal('nextUpdateId (a number) is missing');
  bot.jumpTo(nextUpdateId);
  return bot.state();
}

function addUpdates(_: Steered, { bot, fields }: Wish): unknown {
  const { updates } = fields;
  if (updates === undefined) return { ids: bot.say(line(fields)) };
  if (!Array.isArray(updates) || !updates.every(isUpdate))
    throw new Refusal('updates must be a list of objects');
  return { ids: bot.addUpdates(updates) };
}

function report(_: Steered, { bot, fields }: Wish): unknown {
  const chat = number(fields, 'chat');
  return { report: bot.report(chat), exchanges: bot.exchanges(chat) };
}

function startConversation(_: Steered, { bot, fields }: Wish): unknown {
  // It ends by itself, at the latest when the sandbox closes; its course is seen in the report.
  void bot.converse(conversation(fields));
  return { started: true };
}

function addFault(sandbox: Steered, { fields }: Wish): unknown {
  if (!isFaultRule(fields)) throw new Refusal('not a fault rule: unknown kind, or a field is wrong');
  if (fields.kind === 'refuse' && fields.forMs === undefined)
    throw new Refusal('refuse needs forMs: its end could not be asked for');
  return { id: sandbox.addFault(fields) };
}

function removeFaults(sandbox: Steered, { fields }: Wish): unknown {
  sandbox.removeFaults(number(fields, 'id'));
  return { faults: sandbox.faults() };
}

function filter(fields: Wish['fields']): Omit<CallFilter, 'bot'> {
  const method = text(fields, 'method');
  const since = number(fields, 'since');
  return {
    ...(method !== undefined && { method }),
    ...(since !== undefined && { since }),
  };
}

function line(fields: Wish['fields']): Line {
  const said = text(fields, 'text');
  const chat = number(fields, 'chat');
  const count = number(fields, 'count');
  const from = text(fields, 'from');
  const fromId = number(fields, 'fromId');
  if (said === undefined) throw new Refusal('updates (a list) or text is missing');
  return {
    text: said,
    ...(chat !== undefined && { chat }),
    ...(count !== undefined && { count }),
    ...(from !== undefined && { from }),
    ...(fromId !== undefined && { fromId }),
  };
}

function conversation(fields: Wish['fields']): Conversation {
  const { say } = fields;
  const chat = number(fields, 'chat');
  const from = text(fields, 'from');
  const rounds = number(fields, 'rounds');
  const patienceMs = number(fields, 'patienceMs');
  const pauseMs = number(fields, 'pauseMs');
  if (!Array.isArray(say) || !say.every((item) => typeof item === 'string'))
    throw new Refusal('say (a list of texts) is missing');
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
  return isRecord(value) && (value['update_id'] === undefined || Number.isSafeInteger(value['update_id']));
}

function text(fields: Wish['fields'], name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new Refusal(`${name} must be a text`);
}

function number(fields: Wish['fields'], name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (value !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new Refusal(`${name} must be a number`);
}

function parseBody(body: Buffer): Wish['fields'] {
  if (body.length === 0) return {};
  const value = parseJson(body.toString());
  if (!isRecord(value)) throw new Refusal('the body must be a JSON object');
  return value;
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(content)}\n`);
}
