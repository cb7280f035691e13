/** The types and helpers that all Bot API methods share. */
import { ApiError, type ApiResponse, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import type { Message } from '../message.js';
import { type CallParameters, text } from '../parameters.js';

export interface MethodCall {
  readonly account: BotAccount;
  readonly parameters: CallParameters;
  /** The time of the sandbox's clock. */
  readonly nowMs: number;
  /** Called for each message that the bot sends. */
  readonly onMessage: (message: Message) => void;
}

/** Executes a call. Throws an ApiError to respond with an error. */
export type Method = (call: MethodCall) => ApiResponse;

export type Methods = Readonly<Record<string, Method>>;

/** Returns the response `true`. */
export const done = (description?: string): ApiResponse => success(true, description);

/**
 * Returns a chat id, given as a number or text. A channel's @name gives the id of an invented supergroup.
 *
 * @throws ApiError 400 for a missing or malformed id
 */
export function chatId(parameters: CallParameters, name = 'chat_id'): number {
  const given = text(parameters, name);
  if (given === '') throw ApiError.badRequest(`${name} is empty`);
  if (/^-?\d{1,15}$/.test(given) && Number(given) !== 0) return Number(given);
  if (/^@\w{4,}$/.test(given)) return channelId(given);
  throw ApiError.badRequest('chat not found');
}

function channelId(name: string): number {
  let hash = 0;
  for (const character of name.toLowerCase())
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return -1_000_000_000_000 - hash;
}
