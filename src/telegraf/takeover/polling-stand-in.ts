/**
 * Stands for Telegraf's own polling in the bot's property `polling` while lastcall polls. The property is private to
 * Telegraf, but programs look at it to see whether their bot is polled.
 */
import type { Telegraf } from 'telegraf';
import { Patches } from './patches.js';

export interface PollingControl {
  readonly allowedUpdates: readonly string[] | undefined;
  /** The promise of `launch()`. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Sets the property. Returns a function that puts back what it was before. */
export function showPolling(bot: Telegraf, { allowedUpdates = [], ended, stop }: PollingControl): () => void {
  const patches = new Patches();
  const abortController = new AbortController();
  // The members that Telegraf's class `Polling` has in every version.
  const polling = { telegram: bot.telegram, allowedUpdates, abortController, loop: () => ended, stop };
  patches.replace(bot, 'polling', polling);
  return () => {
    patches.undo();
    abortController.abort();
  };
}
