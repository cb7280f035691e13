/** The table of the control API: path → fields → what is done → response. */
import type { FaultRule } from '../fault-rule.js';
import { parseFaultRule } from '../fault-rule-parser.js';
import type { Sandbox } from '../sandbox.js';
import type { SandboxBot } from '../sandbox-bot.js';
import { updateFilters } from '../state/update-log.js';
import { MAX_UPDATE_ID, parseUpdates } from '../update-parser.js';
import {
  anything,
  type Fields,
  id,
  listOf,
  milliseconds,
  oneOf,
  optional,
  parseFields,
  personName,
  text,
  type ValuesOf,
  whole,
} from './fields.js';

const MAX_TEXT_LENGTH = 4096;
/** The most messages of one request: more would keep the server from anything else for seconds. */
const MAX_MESSAGES = 100_000;

/** Thrown for a request that cannot be served, with the status of the response. */
export class InvalidRequest extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** What a request is about. */
interface Subject {
  readonly sandbox: Sandbox;
  /** The bot that the request names, or the sandbox's first bot. */
  readonly bot: SandboxBot;
}

type Given = Readonly<Record<string, unknown>>;

export interface Route {
  /** The HTTP method, a blank, and the path below `/sandbox/`. */
  readonly path: string;
  readonly help: string;
  /** The names of the fields; those that may be left out end with `?`. */
  readonly fields: readonly string[];
  /** The field by which a request is told from the others of its path. */
  readonly key: string | undefined;
  /** Returns the content of the response. Throws a FieldsError or a RangeError for a request that is refused. */
  readonly serve: (given: Given, subject: Subject) => unknown;
}

/** A bot is named by its id or its token. It is looked up by the server. */
const bot = optional<number | string>({
  words: 'the id or the token of a bot',
  parse: (given) => (typeof given === 'number' || typeof given === 'string' ? given : undefined),
});

function route<F extends Fields>(
  path: string,
  help: string,
  fields: F,
  serve: (values: ValuesOf<F>, subject: Subject) => unknown,
): Route {
  const [first] = Object.entries(fields);
  return {
    path,
    help,
    fields: Object.entries(fields).map(([name, field]) => (field.isOptional ? `${name}?` : name)),
    key: first && !first[1].isOptional ? first[0] : undefined,
    serve: (given, subject) => serve(parseFields({ ...fields, bot }, given) as ValuesOf<F>, subject),
  };
}

/** Whose act it is, and where. */
const actor = { chat: optional(id), fromId: optional(id) };

export const routes: readonly Route[] = [
  route('GET bots', 'the state of every bot whose token was used', {}, (_, { sandbox }) => ({
    bots: sandbox.bots().map((known) => known.state()),
  })),
  route('GET state', 'the queue, the polls, the webhook', {}, (_, subject) => subject.bot.state()),
  route(
    'POST state',
    'the id of the next update',
    { nextUpdateId: whole(1, MAX_UPDATE_ID) },
    ({ nextUpdateId }, subject) => {
      subject.bot.jumpTo(nextUpdateId);
      return subject.bot.state();
    },
  ),
  route(
    'GET updates',
    'the updates and their way',
    {
      state: optional(oneOf(updateFilters)),
      chat: optional(id),
      kind: optional(text(40)),
      since: optional(whole(0, MAX_UPDATE_ID)),
    },
    (filter, subject) => ({ updates: subject.bot.updates(filter) }),
  ),
  route(
    'POST updates',
    "a person's message to the bot",
    {
      text: text(MAX_TEXT_LENGTH),
      ...actor,
      from: optional(personName),
      count: optional(whole(1, MAX_MESSAGES)),
    },
    (message, subject) => ({ ids: subject.bot.say(message) }),
  ),
  route(
    'POST updates',
    'a person presses a button: its text or data',
    { press: text(256), ...actor, message: optional(id) },
    ({ press: button, ...pressed }, subject) =>
      withReason(subject.bot, subject.bot.press({ ...pressed, button })),
  ),
  route(
    'POST updates',
    "a person's vote in a poll: options from 0",
    { vote: listOf(whole(0, 100)), ...actor, message: optional(id) },
    ({ vote: options, ...cast }, subject) => withReason(subject.bot, subject.bot.vote({ ...cast, options })),
  ),
  route(
    'POST updates',
    'a list of raw Bot API updates',
    { updates: anything('a list of updates') },
    ({ updates: given }, subject) => {
      const updates = parseUpdates(given);
      return withReason(subject.bot, subject.bot.addUpdates(updates), updates.length);
    },
  ),
  route(
    'GET chats',
    'what was said and answered; all chats, or the messages of one',
    { chat: optional(id) },
    ({ chat }, subject) => ({
      report: subject.bot.report(chat),
      exchanges: subject.bot.exchanges(chat),
      ...(chat === undefined ? { chats: subject.bot.chats() } : { messages: subject.bot.messages(chat) }),
    }),
  ),
  route(
    'POST chats',
    'a conversation: each text waits for an answer',
    {
      say: listOf(text(MAX_TEXT_LENGTH)),
      chat: optional(id),
      from: optional(personName),
      rounds: optional(whole(1, MAX_MESSAGES)),
      patienceMs: optional(milliseconds),
      pauseMs: optional(milliseconds),
    },
    ({ chat = 1, ...conversation }, subject) => {
      // Not awaited, because the conversation ends by itself, at the latest when the sandbox closes. The report shows it.
      void subject.bot.converse({ chat, ...conversation });
      return { started: true };
    },
  ),
  route('GET people', 'the people whom messages have named', {}, (_, subject) => ({
    people: subject.bot.people(),
  })),
  route(
    'GET commands',
    'the commands that a person is shown in a chat',
    { chat: id, fromId: optional(id) },
    ({ chat, fromId }, subject) => ({ commands: subject.bot.commands(chat, fromId) }),
  ),
  route('GET queries', "presses, inline queries and payments, with the bot's answers", {}, (_, subject) => ({
    queries: subject.bot.queries(),
  })),
  route(
    'GET calls',
    'the calls of the bot',
    { method: optional(text(100)), since: optional(whole(0, Number.MAX_SAFE_INTEGER)) },
    (filter, subject) => ({ calls: subject.bot.calls(filter) }),
  ),
  route('GET faults', 'the faults in force', {}, (_, { sandbox }) => ({ faults: sandbox.faults() })),
  {
    path: 'POST faults',
    help: 'a fault; answers with its id',
    fields: ['kind', 'with the fields of the kind'],
    key: undefined,
    serve: (given, { sandbox }) => ({ id: sandbox.addFault(controllable(parseFaultRule(given))) }),
  },
  route(
    'DELETE faults',
    'end one fault, or all',
    { id: optional(whole(1, Number.MAX_SAFE_INTEGER)) },
    ({ id: rule }, { sandbox }) => {
      if (rule !== undefined && !sandbox.faults().some((active) => active.id === rule))
        throw new InvalidRequest(`there is no fault with the id ${rule}`, 404);
      sandbox.removeFaults(rule);
      return { faults: sandbox.faults() };
    },
  ),
];

/** The width of paths with their fields. */
const COLUMN = 58;

/** Describes all paths with their fields. */
export function controlHelp(): string {
  const lines = routes.map(({ path, fields, help }) => {
    const [verb = '', name = ''] = path.split(' ');
    const shown = `${verb.padEnd(6)} /sandbox/${name.padEnd(8)} ${fields.join(', ')}`;
    // What is too long for the column has its words in the next line.
    return shown.length > COLUMN
      ? `  ${shown}\n  ${' '.repeat(COLUMN)}  ${help}`
      : `  ${shown.padEnd(COLUMN)}  ${help}`;
  });
  return lines.join('\n');
}

/** Returns the ids of updates, and why there are fewer than there might be. */
function withReason(named: SandboxBot, ids: readonly number[], expected = 1): unknown {
  if (ids.length >= expected) return { ids };
  const { allowedUpdates } = named.state();
  const wanted = allowedUpdates
    ? `its allowed_updates are ${allowedUpdates.join(', ')}`
    : 'it has to name it in the allowed_updates of a getUpdates call';
  return {
    ids,
    dropped: `${expected - ids.length}: the bot does not get updates of this kind; ${wanted}`,
  };
}

/** Refuses a rule that nothing could end. */
function controllable(rule: FaultRule): FaultRule {
  if (rule.kind === 'refuse' && rule.forMs === undefined)
    throw new InvalidRequest('refuse needs forMs: the control API is out of reach while the rule is active');
  return rule;
}
