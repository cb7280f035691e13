/** Tells which bot a Telegraf instance is, by its token and server. */
import type { Telegraf } from 'telegraf';
import { LastcallError } from '../errors.js';

/** The identity of a bot. Bots that share it would end each other's polls with a 409. */
export function identityOf({ telegram }: Pick<Telegraf, 'telegram'>): {
  readonly apiRoot: string;
  readonly testEnv: boolean;
  /** The digits before the token's colon. */
  readonly botId: number;
} {
  const { apiRoot, testEnv } = telegram.options;
  return { apiRoot, testEnv, botId: Number.parseInt(telegram.token, 10) };
}

/** Telegraf's default API root. */
const TELEGRAM_API_ROOT = 'https://api.telegram.org';

/** The identity of a bot that is yet to be made with the token. */
export function identityOfToken(token: string, apiRoot = TELEGRAM_API_ROOT): ReturnType<typeof identityOf> {
  return { apiRoot, testEnv: false, botId: Number.parseInt(token, 10) };
}

/**
 * Checks that a bot has a token. Telegraf takes anything for one, and fails at the first call.
 *
 * @param words the bot, in words
 * @throws LastcallError BOT_WITHOUT_TOKEN
 */
export function assertToken({ telegram }: Pick<Telegraf, 'telegram'>, words: string): void {
  const token: unknown = telegram.token;
  if (typeof token === 'string' && token.trim() !== '') return;
  throw new LastcallError('BOT_WITHOUT_TOKEN', words, `${words} has no token`);
}
