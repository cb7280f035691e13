/**
 * Replaces `launch`, `stop` and their like while lastcall runs the bots: launching hands the polling over, stopping
 * asks for the stop, and the promise of `launch()` resolves when the stop has come to the program.
 */
import type { Telegraf } from 'telegraf';
import { LastcallError } from '../../errors.js';
import type { HandlerScope } from '../handling.js';
import type { TelegrafClass } from '../internals.js';
import type { Patches } from './patches.js';

type BotInfo = NonNullable<Telegraf['botInfo']>;

/** A bot that the program has launched, and that lastcall is to poll. */
export interface Launch {
  readonly bot: Telegraf;
  /** The kinds of update that the program asked for; undefined for the default. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  /** The bot's handlers are to be called in it. */
  readonly handlerScope: HandlerScope;
  /** To be called when `getMe` has answered. Sets `bot.botInfo` and calls the program's `onLaunch`, once. */
  connected(me: BotInfo): void;
  /**
   * To be called when the bot is polled no longer and its handlers have ended; with an error if that is why. Settles
   * the promise of `launch()` when the stop comes to the program. Only the first call counts.
   */
  ended(error?: unknown): void;
}

export interface LaunchesOptions {
  /** Aborts when the stop begins; from then on nothing is launched. */
  readonly stopping: AbortSignal;
  readonly handlerScope: HandlerScope;
  launched(launch: Launch): void;
  stopRequested(bot: Telegraf, reason: string | undefined): void;
  /** Called when the program wants something that lastcall does not do. The program's promise never settles. */
  refused(error: LastcallError): void;
  /** Called before a promise of the program's is rejected, since the error may become an unhandled rejection. */
  rejecting(error: unknown): void;
}

interface LaunchConfig {
  readonly allowedUpdates?: readonly string[];
  readonly dropPendingUpdates?: boolean;
  readonly webhook?: unknown;
}

type OnLaunch = (() => void) | undefined;

export class Launches {
  readonly #options: LaunchesOptions;
  readonly #launched = new Map<Telegraf, LaunchedBot>();
  #settling = false;
  #resolving = false;

  constructor(options: LaunchesOptions) {
    this.#options = options;
  }

  /** Replaces the methods of a copy's class. */
  takeOver(telegrafClass: TelegrafClass, patches: Patches): void {
    const prototype: object = telegrafClass.prototype;
    const launches = this;
    const resolvesAt = resolutionOf(prototype);

    const methods: Record<string, (this: Telegraf, ...args: never[]) => unknown> = {
      launch(first: LaunchConfig | OnLaunch, second: OnLaunch) {
        const [config = {}, onLaunch] = typeof first === 'function' ? [{}, first] : [first, second];
        if (config.webhook !== undefined) return launches.#refuseWebhook('bot.launch({ webhook: … })');
        return launches.#launch(this, config, resolvesAt, onLaunch);
      },
      startPolling(allowedUpdates?: readonly string[]) {
        return launches.#launch(this, allowedUpdates ? { allowedUpdates } : {}, 'ended');
      },
      startWebhook() {
        void launches.#refuseWebhook('bot.startWebhook()');
        return this;
      },
      createWebhook() {
        return launches.#refuseWebhook('bot.createWebhook()');
      },
      stop(reason?: string) {
        const { stopping, stopRequested } = launches.#options;
        // Stopping what is not running is no error, whatever Telegraf's own stop() says.
        if (launches.#launched.has(this) && !stopping.aborted) stopRequested(this, reason);
      },
    };

    for (const [name, takeover] of Object.entries(methods)) {
      const original: unknown = Reflect.get(prototype, name);
      if (typeof original !== 'function') continue;
      patches.replace(prototype, name, function (this: Telegraf, ...args: never[]) {
        return Reflect.apply(patches.active ? takeover : original, this, args);
      });
    }
  }

  /** Launches a bot that the program only exports. Does nothing if the program has launched it. */
  adopt(bot: Telegraf): void {
    if (!this.#launched.has(bot)) this.#begin(bot, {});
  }

  /**
   * Settles the promises of launches that have ended now, and those of others once they end.
   *
   * @param resolving whether also those are settled that would resolve
   * @returns whether the program has been given any such promise
   */
  settle(resolving: boolean): boolean {
    this.#settling = true;
    this.#resolving = resolving;
    const all = [...this.#launched.values()];
    for (const launched of all) launched.settle(resolving);
    return all.some((launched) => launched.promised);
  }

  #launch(bot: Telegraf, config: LaunchConfig, resolvesAt: Resolution, onLaunch?: OnLaunch): Promise<void> {
    const launched = this.#launched.get(bot) ?? this.#begin(bot, config);
    return launched.promise(resolvesAt, onLaunch);
  }

  #begin(bot: Telegraf, config: LaunchConfig): LaunchedBot {
    const { stopping } = this.#options;
    const launched = new LaunchedBot(bot, config, this.#options);
    this.#launched.set(bot, launched);
    if (this.#settling) launched.settle(this.#resolving);
    if (stopping.aborted) launched.ended();
    else this.#options.launched(launched);
    return launched;
  }

  #refuseWebhook(call: string): Promise<never> {
    const message = `the bot program calls ${call}, but lastcall fetches updates by long polling`;
    this.#options.refused(new LastcallError('WEBHOOK_LAUNCH', call, message));
    return new Promise(() => {});
  }
}

/** When the promise of `launch()` resolves: after `getMe`, or after the last poll. */
type Resolution = 'connected' | 'ended';

/**
 * Tells whether `launch` awaits the polling. It does since Telegraf 4.11, where `startPolling` began to return the
 * promise of the polling loop. To see that, `startPolling` is called on a stand-in for a bot, whose loop does not poll.
 */
function resolutionOf(prototype: object): Resolution {
  const ended = {};
  const polling = { loop: () => ended };
  const standIn = Object.defineProperty({ telegram: {} }, 'polling', { get: () => polling, set: () => {} });
  try {
    return Reflect.apply(Reflect.get(prototype, 'startPolling'), standIn, []) === ended
      ? 'ended'
      : 'connected';
  } catch {
    // A class that only resembles Telegraf's.
    return 'ended';
  }
}

/** A bot that has been launched, and the promise that `launch()` returns for it. */
class LaunchedBot implements Launch {
  readonly bot: Telegraf;
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  readonly handlerScope: HandlerScope;
  readonly #rejecting: (error: unknown) => void;
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

  constructor(
    bot: Telegraf,
    config: LaunchConfig,
    { handlerScope, rejecting }: Pick<LaunchesOptions, 'handlerScope' | 'rejecting'>,
  ) {
    this.bot = bot;
    this.allowedUpdates = config.allowedUpdates;
    this.dropPendingUpdates = config.dropPendingUpdates ?? false;
    this.handlerScope = handlerScope;
    this.#rejecting = rejecting;
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get promised(): boolean {
    return this.#resolvesAt !== undefined;
  }

  /** The promise that `launch()` returns, the same one at each call. */
  promise(resolvesAt: Resolution, onLaunch: OnLaunch): Promise<void> {
    this.#resolvesAt ??= resolvesAt;
    if (onLaunch) this.#onLaunch.push(onLaunch);
    this.#advance();
    return this.#promise;
  }

  connected(me: BotInfo): void {
    this.bot.botInfo ??= me;
    this.#connected = true;
    this.#advance();
  }

  ended(error?: unknown): void {
    this.#end ??= { error };
    this.#advance();
  }

  settle(resolving: boolean): void {
    this.#settling = true;
    this.#resolving = resolving;
    this.#advance();
  }

  /** Takes every step that has become due. Each step is taken once. */
  #advance(): void {
    if (this.#connected) {
      for (const onLaunch of this.#onLaunch.splice(0)) this.#call(onLaunch);
      if (this.#resolvesAt === 'connected') this.#resolve();
    }
    if (!this.#end || !this.#settling || !this.promised) return;
    const { error } = this.#end;
    if (error !== undefined) {
      this.#rejecting(error);
      this.#promise.catch(() => {});
      this.#reject(error);
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
