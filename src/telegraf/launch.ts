/** A bot that has been launched, by its program or by lastcall itself. */
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { BotApi } from '../polling/bot-api.js';
import type { HandlerScope } from './handling.js';

export type GetUpdates = BotApi<Update>['getUpdates'];

export interface Launch {
  readonly bot: Telegraf;
  /** The kinds of update that the program asked for; undefined where the settings decide. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  /** Whether the program itself launches the bot, and so may launch it again. */
  readonly isByProgram: boolean;
  /** The scope in which the bot's handlers are to be called, if there is one. */
  readonly handlerScope?: HandlerScope;
  /** Makes a poll, by the last argument, in such a way that the program sees it. Absent where nobody is to see polls. */
  readonly pollThrough?: (...args: [...Parameters<GetUpdates>, GetUpdates]) => ReturnType<GetUpdates>;
  /** To be called when `getMe` has answered. Sets `bot.botInfo`, and calls the program's `onLaunch`, once. */
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  /**
   * To be called when the bot is polled no longer and its handlers have ended, or with the error that ended its polling.
   * Settles the promise of `launch()`: at once while the run goes on, else when the stop comes to the program. Only the
   * first call counts.
   */
  ended(error?: unknown): void;
}

/** Returns the launch of a bot that lastcall launches itself, without wishes of a program. */
export function launchedByUs(bot: Telegraf): Launch {
  return {
    bot,
    allowedUpdates: undefined,
    dropPendingUpdates: false,
    isByProgram: false,
    connected(me) {
      bot.botInfo ??= me;
    },
    ended() {},
  };
}
