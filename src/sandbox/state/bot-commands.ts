/** The commands that a bot shows: one list for each scope and language. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import { type CallParameters, structure, text } from '../parameters.js';

const MAX_COMMANDS = 100;
const MAX_DESCRIPTION_LENGTH = 256;

export interface BotCommand {
  readonly command: string;
  readonly description: string;
}

/** Who looks at the commands, and where. */
interface Viewer {
  readonly chat: number;
  readonly user: number;
  readonly isAdministrator: boolean;
  /** The code of the person's language, or an empty text. */
  readonly language: string;
}

export class BotCommands {
  readonly #lists = new Map<string, readonly BotCommand[]>();

  /** Serves `setMyCommands`. @throws ApiError 400 for a list that Telegram refuses */
  set(parameters: CallParameters): void {
    const given = structure(parameters, 'commands');
    if (!Array.isArray(given)) throw ApiError.badRequest("can't parse BotCommand: Expected an Array");
    if (given.length > MAX_COMMANDS) throw ApiError.badRequest('BOT_COMMANDS_TOO_MUCH');
    this.#lists.set(listKey(parameters), given.map(parseCommand));
  }

  delete(parameters: CallParameters): void {
    this.#lists.delete(listKey(parameters));
  }

  /** The commands that a person is shown in a chat: those of the narrowest scope and of the language, if there are any. */
  shownTo({ chat, user, isAdministrator, language }: Viewer): readonly BotCommand[] {
    const isPrivate = chat > 0;
    const scopes: readonly CallParameters[] = [
      ...(isPrivate ? [] : [{ type: 'chat_member', chat_id: chat, user_id: user }]),
      ...(isPrivate || !isAdministrator ? [] : [{ type: 'chat_administrators', chat_id: chat }]),
      { type: 'chat', chat_id: chat },
      ...(isPrivate || !isAdministrator ? [] : [{ type: 'all_chat_administrators' }]),
      { type: isPrivate ? 'all_private_chats' : 'all_group_chats' },
      { type: 'default' },
    ];
    const keys = scopes.flatMap((scope) => [keyOf(scope, language), keyOf(scope, '')]);
    return keys.map((key) => this.#lists.get(key) ?? []).find(({ length }) => length > 0) ?? [];
  }

  get(parameters: CallParameters): readonly BotCommand[] {
    return this.#lists.get(listKey(parameters)) ?? [];
  }
}

function parseCommand(value: unknown): BotCommand {
  if (!isObject(value)) throw ApiError.badRequest("can't parse BotCommand: expected an Object");
  const command = text(value, 'command').replace(/^\//, '');
  const description = text(value, 'description').trim();
  if (!/^[a-z0-9_]{1,32}$/.test(command)) throw ApiError.badRequest('BOT_COMMAND_INVALID');
  if (description === '' || description.length > MAX_DESCRIPTION_LENGTH)
    throw ApiError.badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
  return { command, description };
}

const scopes: readonly unknown[] = [
  'default',
  'all_private_chats',
  'all_group_chats',
  'all_chat_administrators',
  'chat',
  'chat_administrators',
  'chat_member',
];

function listKey(parameters: CallParameters): string {
  const scope = structure(parameters, 'scope');
  const { type = 'default', chat_id, user_id }: CallParameters = isObject(scope) ? scope : {};
  if (!scopes.includes(type))
    throw ApiError.badRequest("can't parse BotCommandScope: Unsupported type specified");
  return keyOf({ type, chat_id, user_id }, text(parameters, 'language_code'));
}

const keyOf = ({ type, chat_id, user_id }: CallParameters, language: string): string =>
  JSON.stringify([type, `${chat_id}`, `${user_id}`, language]);
