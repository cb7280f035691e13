/** The only file that imports the telegraf package. */
import type { Context, Telegraf } from 'telegraf';

export type { Context, Telegraf };

/**
 * Makes a bot for modules that only register handlers. Loads the package, which takes long, only then, since other bots
 * bring a copy of their own.
 */
export async function createBot<C extends Context>(
  token: string,
  apiRoot: string | undefined,
): Promise<Telegraf<C>> {
  const { Telegraf } = await import('telegraf');
  return new Telegraf<C>(token, apiRoot === undefined ? {} : { telegram: { apiRoot } });
}

/** The bot as one with plain contexts, for code that does not depend on the type of its contexts. */
export function withoutContextType<C extends Context>(bot: Telegraf<C>): Telegraf {
  return bot as unknown as Telegraf;
}
