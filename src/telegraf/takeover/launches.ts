/**
 * What `launch`, `stop` and their like mean while lastcall runs the bots: launching hands the polling over, stopping
 * asks for the stop, and `launch()`'s promise resolves when the program's turn in the stop has come.
 */
import type { Telegraf } from 'telegraf';
import { LastcallError } from '../../errors.js';
import type { TelegrafClass } from '../specimen.js';
import type { Patches } from './patches.js';

type BotInfo = NonNullable<Telegraf['botInfo']>;

/** A bot that the program has launched, and that lastcall is to poll. */
export interface Launch {
  readonly bot: Telegraf;
  /** What the program asked for; undefined where it left it to the default. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  /** `getMe` has answered: sets `bot.botInfo` and calls the program's `onLaunch`. Only the first call counts. */
  connected(me: BotInfo): void;
  /**
   * The bot is polled no longer and its handlers have ended; with an error, that is why. Settles the promise that
   * `launch()` gave the program, when the program's turn in the stop comes. Only the first call counts.
   */
  ended(error?: unknown): void;
}

export interface LaunchesOptions {
  /** Aborted: the stop has begun; nothing is launched any more. */
  readonly stopping: AbortSignal;
  launched(launch: Launch): void;
  stopRequested(bot: Telegraf, reason: string | undefined): void;
  /** The program wants something that lastcall does not do; it waits for ever for the answer. */
  refused(error: LastcallError): void;
  /** The error may come back as an unhandled rejection of the program's. */
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
  readonly #runs = new Map<Telegraf, Run>();
  #settling = false;

  constructor(options: LaunchesOptions) {
    this.#options = options;
  }

  /** Replaces what a copy's class does. */
  takeOver(telegrafClass: TelegrafClass, patches: Patches): void {
    const prototype: object = telegrafClass.prototype;
    const launches = this;
    const resolvesAt = resolutionOf(Reflect.get(prototype, 'launch'));

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
        if (launches.#runs.has(this) && !stopping.aborted) stopRequested(this, reason);
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

  /** Reports a bot that the program exports, as if it had launched it; does nothing if it has. */
  adopt(bot: Telegraf): void {
    this.#find(bot) ?? this.#begin(bot, {}, 'ended');
  }

  /**
   * The program's turn in the stop: the promises of ended launches settle now, those of others once they end.
   *
   * @returns whether the program has been given any such promise
   */
  settle(): boolean {
    this.#settling = true;
    const runs = [...this.#runs.values()];
    for (const run of runs) run.settle();
    return runs.some((run) => run.promised);
  }

  #launch(bot: Telegraf, config: LaunchConfig, resolvesAt: Resolution, onLaunch?: OnLaunch): Promise<void> {
    const known = this.#runs.get(bot);
    if (known) {
      known.add(onLaunch);
      return known.promise;
    }
    const run = new Run(bot, config, resolvesAt, this.#options.rejecting);
    run.add(onLaunch);
    this.#runs.set(bot, run);
    if (this.#settling) run.settle();
    if (this.#options.stopping.aborted) run.ended();
    else this.#options.launched(run);
    return run.promise;
  }

  #refuseWebhook(call: string): Promise<never> {
    const message = `the bot program calls ${call}, but lastcall fetches updates by long polling`;
    this.#options.refused(new LastcallError('WEBHOOK_LAUNCH', call, message));
    return new Promise(() => {});
  }
}

/** When the promise of `launch()` resolves: since Telegraf 4.11 after the last poll, before that after `getMe`. */
type Resolution = 'connected' | 'ended';

function resolutionOf(launch: unknown): Resolution {
  return /\b(?:await|return)\s+this\.startPolling\b/.test(String(launch)) ? 'ended' : 'connected';
}

class Run implements Launch {
  readonly bot: Telegraf;
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  readonly promise: Promise<void>;
  readonly #resolvesAt: Resolution;
  readonly #rejecting: (error: unknown) => void;
  readonly #onLaunch: (() => void)[] = [];
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #connected = false;
  #settling = false;
  #end: { readonly error: unknown } | undefined;

  constructor(
    bot: Telegraf,
    config: LaunchConfig,
    resolvesAt: Resolution,
    rejecting: (error: unknown) => void,
  ) {
    this.bot = bot;
    this.allowedUpdates = config.allowedUpdates;
    this.dropPendingUpdates = config.dropPendingUpdates ?? false;
    this.#resolvesAt = resolvesAt;
    this.#rejecting = rejecting;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(onLaunch: OnLaunch): void {
    if (!onLaunch) return;
    if (this.#connected) this.#call(onLaunch);
    else this.#onLaunch.push(onLaunch);
  }

  connected(me: BotInfo): void {
    if (this.#connected) return;
    this.#connected = true;
    this.bot.botInfo ??= me;
    for (const onLaunch of this.#onLaunch.splice(0)) this.#call(onLaunch);
    if (this.#resolvesAt === 'connected') this.#resolve();
  }

  ended(error?: unknown): void {
    this.#end ??= { error };
    if (this.#settling) this.settle();
  }

  settle(): void {
    this.#settling = true;
    if (!this.#end) return;
    const { error } = this.#end;
    if (error !== undefined) {
      this.#rejecting(error);
      this.promise.catch(() => {});
      this.#reject(error);
    } else if (this.#resolvesAt === 'ended') this.#resolve();
  }

  /** As in Telegraf, what `onLaunch` throws rejects `launch()`; whoever does not catch that has a fault. */
  #call(onLaunch: () => void): void {
    try {
      onLaunch();
    } catch (error) {
      this.#reject(error);
    }
  }
}
