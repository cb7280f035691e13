/** Tells which bot a Telegraf instance is, by its token and server. */
import type { Telegraf } from 'telegraf';

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
