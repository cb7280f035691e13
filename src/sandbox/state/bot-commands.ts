/** The commands that a bot shows: one list for each scope and language. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import { type CallParameters, structure, text } from '../parameters.js';

const MAX_COMMANDS = 100;
const MAX_DESCRIPTION_LENGTH = 256;

interface BotCommand {
  readonly command: string;
  readonly description: string;
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

  /** All lists that are set, each with its scope and language. */
  lists(): readonly { readonly scope: string; readonly commands: readonly BotCommand[] }[] {
    return Array.from(this.#lists, ([scope, commands]) => ({ scope, commands }));
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
  return JSON.stringify([type, `${chat_id}`, `${user_id}`, text(parameters, 'language_code')]);
}
