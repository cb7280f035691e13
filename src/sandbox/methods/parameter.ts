/** The parameters of methods: each is read from a call by its names, checked, and refused in Telegram's words. */
import { isObject, parseJson } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import type { CallParameters } from '../parameters.js';
import * as raw from '../parameters.js';
import type { AdministratorRight } from '../state/members.js';

export interface Parameter<T> {
  /** The names of the fields that are read. */
  readonly names: readonly string[];
  /** Returns the value. @throws ApiError for a value that Telegram refuses */
  read(given: CallParameters, account: BotAccount): T;
}

/** The parameters of a method, in the order in which they are checked. */
export type Schema = Readonly<Record<string, Parameter<unknown>>>;

/** The values of the parameters of a schema. */
export type Values<S extends Schema> = {
  readonly [Key in keyof S]: S[Key] extends Parameter<infer T> ? T : never;
};

/** The names of all fields that the parameters of a schema read. */
export const namesOf = (schema: Schema): readonly string[] =>
  Object.values(schema).flatMap(({ names }) => names);

/** The parameters of a method as a function that reads all of them. */
export function readAll<S extends Schema>(
  schema: S,
): (given: CallParameters, account: BotAccount) => Values<S> {
  const entries = Object.entries(schema);
  return (given, account) => {
    const values: Record<string, unknown> = {};
    for (const [key, parameter] of entries) values[key] = parameter.read(given, account);
    return values as Values<S>;
  };
}

const parameter = <T>(name: string, read: (given: CallParameters) => T): Parameter<T> => ({
  names: [name],
  read,
});

/** A text, which is empty if it is missing. */
export const text = (name: string): Parameter<string> => parameter(name, (given) => raw.text(given, name));

/** A text that must not be empty; `refusal` says so. */
export const requiredText = (name: string, refusal = `parameter "${name}" is required`): Parameter<string> =>
  parameter(name, (given) => {
    const value = raw.text(given, name);
    if (value.trim() === '') throw ApiError.badRequest(refusal);
    return value;
  });

/** A text that is kept only if it is given. */
export const optionalText = (name: string): Parameter<string | undefined> =>
  parameter(name, (given) => raw.text(given, name) || undefined);

export const flag = (name: string, fallback = false): Parameter<boolean> =>
  parameter(name, (given) => raw.flag(given, name, fallback));

/** A whole number within bounds. As with Telegram's server, what is no number counts as 0. */
export const integer = (name: string, fallback = 0, min?: number, max?: number): Parameter<number> =>
  parameter(name, (given) => raw.integer(given, name, fallback, min, max));

/** A whole number that is kept only if it is given. */
export const optionalInteger = (name: string): Parameter<number | undefined> =>
  parameter(name, (given) => (raw.text(given, name) === '' ? undefined : raw.integer(given, name, 0)));

/** A list, as such or as JSON. Undefined if it is missing. @throws ApiError 400 for what is no list */
export const list = (name: string, of: string): Parameter<readonly unknown[] | undefined> =>
  parameter(name, (given) => {
    const value = raw.structure(given, name);
    if (raw.text(given, name) === '') return undefined;
    if (!Array.isArray(value)) throw ApiError.badRequest(`can't parse ${of}: expected an Array`);
    return value;
  });

/** An object, as such or as JSON. Undefined if it is missing. @throws ApiError 400 for what is no object */
export const object = (name: string, of: string): Parameter<CallParameters | undefined> =>
  parameter(name, (given) => {
    if (raw.text(given, name) === '') return undefined;
    const value = raw.structure(given, name);
    if (value === undefined) throw ApiError.badRequest(`can't parse ${of} JSON object`);
    if (!isObject(value)) throw ApiError.badRequest(`can't parse ${of}: expected an Object`);
    return value;
  });

/**
 * The id of a chat, given as a number or text. A channel's @name gives the id of an invented supergroup.
 *
 * Reading throws an ApiError 400 for a missing or malformed id.
 */
export const chatId = (name = 'chat_id'): Parameter<number> =>
  parameter(name, (given) => {
    const id = raw.text(given, name);
    if (id === '') throw ApiError.badRequest(`${name} is empty`);
    if (/^-?\d{1,15}$/.test(id) && Number(id) !== 0) return Number(id);
    if (/^@\w{4,}$/.test(id)) return channelId(id);
    throw ApiError.badRequest('chat not found');
  });

/** The id of a chat in which the bot is, and may write. Reading throws an ApiError 403 where it may not. */
export const writableChat = (): Parameter<number> => {
  const id = chatId();
  return {
    names: id.names,
    read: (given, account) => {
      const chat = id.read(given, account);
      const refusal = account.members.refusal(chat, account.chats.chat(chat).type);
      if (refusal !== undefined) throw new ApiError(403, `Forbidden: ${refusal}`);
      return chat;
    },
  };
};

/** The id of a group in which the bot is. Reading throws an ApiError 400 for a private chat. */
export const group = (refusal: string): Parameter<number> => {
  const id = writableChat();
  return {
    names: id.names,
    read: (given, account) => {
      const chat = id.read(given, account);
      if (chat > 0) throw ApiError.badRequest(refusal);
      return chat;
    },
  };
};

/**
 * Returns the parameter of a chat, in which the bot has to have a right: in channels, it may be another one. Reading throws an
 * ApiError 400 where it has not.
 */
export const withRight = (
  chat: Parameter<number>,
  right: AdministratorRight,
  refusal: string,
  rightInChannel = right,
): Parameter<number> => ({
  names: chat.names,
  read: (given, account) => {
    const id = chat.read(given, account);
    const needed = account.chats.chat(id).type === 'channel' ? rightInChannel : right;
    if (!account.members.botMay(id, needed)) throw ApiError.badRequest(refusal);
    return id;
  },
});

/** The id of a supergroup or channel in which the bot is. Reading throws an ApiError 400 for any other chat. */
export const supergroup = (refusal = 'method is available only in supergroups'): Parameter<number> => {
  const id = group(refusal);
  return {
    names: id.names,
    read: (given, account) => {
      const chat = id.read(given, account);
      if (account.chats.chat(chat).type === 'group') throw ApiError.badRequest(refusal);
      return chat;
    },
  };
};

export const userId = (name = 'user_id'): Parameter<number> =>
  parameter(name, (given) => {
    const id = raw.integer(given, name, 0);
    if (id <= 0) throw ApiError.badRequest(`invalid ${name} specified`);
    return id;
  });

/** The id of a message. Reading throws an ApiError 400 if it is missing. */
export const messageId = (name = 'message_id'): Parameter<number> =>
  parameter(name, (given) => {
    const id = raw.integer(given, name, 0);
    if (id <= 0) throw ApiError.badRequest('message identifier is not specified');
    return id;
  });

/** The ids of several messages, at most 100. */
export const messageIds = (): Parameter<readonly number[]> =>
  parameter('message_ids', (given) => {
    const ids = raw.structure(given, 'message_ids');
    if (!Array.isArray(ids) || ids.length === 0)
      throw ApiError.badRequest('message identifiers are not specified');
    if (ids.length > 100) throw ApiError.badRequest('too many message identifiers specified');
    return ids.map(Number);
  });

/** Returns a field of an object or of its JSON as an object. */
export const objectIn = (value: unknown): CallParameters => {
  const parsed = typeof value === 'string' ? parseJson(value) : value;
  return isObject(parsed) ? parsed : {};
};

function channelId(name: string): number {
  let hash = 0;
  for (const character of name.toLowerCase())
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return -1_000_000_000_000 - hash;
}
