/** The only file that imports the telegraf package at run time. Other files import only its types. */
import type { Context, Telegraf } from 'telegraf';

export type { Context, Telegraf };

/**
 * Creates a bot for a module that only registers handlers. The package is loaded on demand, because loading takes long and
 * other bots bring their own copy.
 */
export async function createBot<C extends Context>(
  token: string,
  apiRoot: string | undefined,
): Promise<Telegraf<C>> {
  const { Telegraf } = await import('telegraf');
  return new Telegraf<C>(token, apiRoot === undefined ? {} : { telegram: { apiRoot } });
}

/** Returns the same bot with the plain context type, for code that does not depend on the type of its contexts. */
export function withoutContextType<C extends Context>(bot: Telegraf<C>): Telegraf {
  return bot as unknown as Telegraf;
}
