/** Which bot a Telegraf instance is, by what it was built with. */
import type { Telegraf } from 'telegraf';

/** Whose polls would end each other with a 409: bots for which all of this is the same. */
export function identityOf({ telegram }: Pick<Telegraf, 'telegram'>): {
  readonly apiRoot: string;
  readonly testEnv: boolean;
  /** The digits before the token's colon. */
  readonly botId: number;
} {
  const { apiRoot, testEnv } = telegram.options;
  return { apiRoot, testEnv, botId: Number.parseInt(telegram.token, 10) };
}

/** Telegram's own server, which a bot is built for unless it is told otherwise. */
const TELEGRAM_API_ROOT = 'https://api.telegram.org';

/** The same of a bot that is yet to be made, by its token. */
export function identityOfToken(token: string, apiRoot = TELEGRAM_API_ROOT): ReturnType<typeof identityOf> {
  return { apiRoot, testEnv: false, botId: Number.parseInt(token, 10) };
}
