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
