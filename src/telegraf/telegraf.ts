/** The door by which the telegraf package comes in. */
import type { Context, Telegraf } from 'telegraf';

export type { Context, Telegraf };

/**
 * A bot of lastcall's own making, for modules that only register handlers. The package is loaded only here: other bots
 * bring a copy of their own, and it is the largest thing that a start loads.
 */
export async function createBot<C extends Context>(
  token: string,
  apiRoot: string | undefined,
): Promise<Telegraf<C>> {
  const { Telegraf } = await import('telegraf');
  return new Telegraf<C>(token, apiRoot === undefined ? {} : { telegram: { apiRoot } });
}

/** The same bot, for those whom the type of its contexts does not concern. */
export function withoutContextType<C extends Context>(bot: Telegraf<C>): Telegraf {
  return bot as unknown as Telegraf;
}
