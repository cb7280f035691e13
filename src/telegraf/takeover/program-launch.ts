/** One launch of a bot by the program that lastcall runs, and the promise that `launch()` returns for it. */
import type { Telegraf } from 'telegraf';
import type { HandlerScope } from '../handling.js';
import type { Launch } from '../launch.js';
import type { PollCalls } from './poll-calls.js';
import { showPolling } from './polling-stand-in.js';

/** What a program may give to `launch()`. */
export interface LaunchConfig {
  readonly allowedUpdates?: readonly string[];
  readonly dropPendingUpdates?: boolean;
  readonly webhook?: unknown;
}

/** Called once the bot is connected. */
export type OnLaunch = (() => void) | undefined;

/** When the promise of `launch()` resolves: after `getMe`, or after the last poll. */
export type Resolution = 'connected' | 'ended';

export interface ProgramLaunchOptions {
  readonly handlerScope: HandlerScope;
  readonly pollCalls: PollCalls;
  /** Called before a promise of the program's is rejected, since the error may become an unhandled rejection. */
  rejecting(error: unknown): void;
  /** Stops the bot, as `bot.stop()` does. */
  stop(): void;
  /** Called when the bot has ended. */
  ended(): void;
  /** Called when the promise has settled. */
  settled(): void;
}

export class ProgramLaunch implements Launch {
  readonly bot: Telegraf;
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  readonly handlerScope: HandlerScope;
  readonly #options: ProgramLaunchOptions;
  readonly #promise: Promise<void>;
  readonly #onLaunch: (() => void)[] = [];
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** Undefined until `launch()` has returned the promise to the program. */
  #resolvesAt: Resolution | undefined;
  #connected = false;
  #end: { readonly error: unknown } | undefined;
  #settling = false;
  #resolving = false;
  #isSettled = false;
  #isStopped = false;
  #hidePolling = () => {};

  constructor(bot: Telegraf, config: LaunchConfig, options: ProgramLaunchOptions) {
    this.bot = bot;
    this.allowedUpdates = config.allowedUpdates;
    this.dropPendingUpdates = config.dropPendingUpdates ?? false;
    this.handlerScope = options.handlerScope;
    this.#options = options;
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isByProgram(): boolean {
    return this.#resolvesAt !== undefined;
  }

  /** The promise that `launch()` returns, the same one at each call. */
  promise(resolvesAt: Resolution, onLaunch?: OnLaunch): Promise<void> {
    this.#resolvesAt ??= resolvesAt;
    if (onLaunch) this.#onLaunch.push(onLaunch);
    this.#advance();
    return this.#promise;
  }

  pollThrough(...[parameters, options, getUpdates]: Parameters<NonNullable<Launch['pollThrough']>>) {
    return this.#options.pollCalls.getUpdates(this.bot, parameters, options, getUpdates);
  }

  connected(me: NonNullable<Telegraf['botInfo']>): void {
    const { bot, allowedUpdates } = this;
    bot.botInfo ??= me;
    this.#connected = true;
    this.#hidePolling = showPolling(bot, { allowedUpdates, ended: this.#promise, stop: this.#options.stop });
    this.#advance();
  }

  ended(error?: unknown): void {
    if (this.#end) return;
    this.#end = { error };
    this.#options.ended();
    this.#advance();
  }

  settle(resolving: boolean): void {
    this.#settling = true;
    this.#resolving = resolving;
    this.#advance();
  }

  /** To be called when the program has stopped the bot. */
  stopped(): void {
    this.#isStopped = true;
    this.hidePolling();
  }

  /** From now on, the program sees that the bot is not polled. */
  hidePolling(): void {
    this.#hidePolling();
  }

  /** Whether the program has stopped the bot, and it has not ended. */
  get isStopping(): boolean {
    return this.#isStopped && !this.#end;
  }

  /** Takes every step that has become due. Each step is taken once. */
  #advance(): void {
    if (this.#connected) {
      for (const onLaunch of this.#onLaunch.splice(0)) this.#call(onLaunch);
      if (this.#resolvesAt === 'connected') this.#resolve();
    }
    if (!this.#end || !this.#settling) return;
    this.#options.settled();
    if (!this.isByProgram || this.#isSettled) return;
    this.#isSettled = true;
    const { error } = this.#end;
    if (error !== undefined) {
      this.#options.rejecting(error);
      // Before Telegraf 4.11, the promise has resolved long ago, and nobody awaits the polling.
      if (this.#resolvesAt === 'connected' && this.#connected) void Promise.reject(error);
      else this.#reject(error);
    } else if (this.#resolving && this.#resolvesAt === 'ended') this.#resolve();
  }

  /** Rejects the promise of `launch()` with what `onLaunch` throws, as Telegraf does. */
  #call(onLaunch: () => void): void {
    try {
      onLaunch();
    } catch (error) {
      this.#reject(error);
    }
  }
}
