/**
 * Replaces `launch`, `stop` and their like while lastcall runs the bots: launching hands the polling over, stopping has
 * it taken back, and the promise of `launch()` settles when the bot has ended. A bot may be launched again after that.
 */
import type { Telegraf } from 'telegraf';
import { LastcallError } from '../../errors.js';
import type { TelegrafClass } from '../internals.js';
import type { Launch } from '../launch.js';
import type { Patches } from './patches.js';
import {
  type LaunchConfig,
  type OnLaunch,
  ProgramLaunch,
  type ProgramLaunchOptions,
  type Resolution,
} from './program-launch.js';

export interface LaunchesOptions
  extends Pick<ProgramLaunchOptions, 'handlerScope' | 'pollCalls' | 'rejecting'> {
  /** Aborts when the stop begins; from then on nothing is launched. */
  readonly stopping: AbortSignal;
  launched(launch: Launch): void;
  /** Called when the program stops a bot that it has launched, unless the stop has begun. */
  stopRequested(launch: Launch, reason: string | undefined): void;
  /** Called when the program wants something that lastcall does not do. The program's promise never settles. */
  refused(error: LastcallError): void;
}

export class Launches {
  readonly #options: LaunchesOptions;
  /** The launches of the bots that are launched now. */
  readonly #current = new Map<Telegraf, ProgramLaunch>();
  /** All launches whose promises have not settled. */
  readonly #unsettled = new Set<ProgramLaunch>();
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
        launches.#stop(this, reason);
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
    if (!this.#current.has(bot)) this.#begin(bot, {});
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
    const all = [...this.#unsettled];
    for (const launch of all) launch.settle(resolving);
    return all.some((launch) => launch.isByProgram);
  }

  /** Whether a bot that the program has stopped has not ended yet. */
  get isStopping(): boolean {
    return [...this.#unsettled].some((launch) => launch.isStopping);
  }

  #launch(bot: Telegraf, config: LaunchConfig, resolvesAt: Resolution, onLaunch?: OnLaunch): Promise<void> {
    const launch = this.#current.get(bot) ?? this.#begin(bot, config);
    return launch.promise(resolvesAt, onLaunch);
  }

  #begin(bot: Telegraf, config: LaunchConfig): ProgramLaunch {
    const { stopping, handlerScope, pollCalls, rejecting, launched } = this.#options;
    const launch: ProgramLaunch = new ProgramLaunch(bot, config, {
      handlerScope,
      pollCalls,
      rejecting,
      stop: () => this.#stop(bot, undefined),
      ended: () => {
        // When the process ends, the program's own watchdog has to be left in peace.
        if (stopping.aborted) return;
        launch.hidePolling();
        this.#forget(launch);
        launch.settle(true);
      },
      settled: () => this.#unsettled.delete(launch),
    });
    this.#current.set(bot, launch);
    this.#unsettled.add(launch);
    if (this.#settling) launch.settle(this.#resolving);
    if (stopping.aborted) launch.ended();
    else launched(launch);
    return launch;
  }

  /** Stops a bot. Stopping what is not running is no error, whatever Telegraf's own `stop()` says. */
  #stop(bot: Telegraf, reason: string | undefined): void {
    const { stopping, stopRequested } = this.#options;
    const launch = this.#current.get(bot);
    if (!launch || stopping.aborted) return;
    this.#forget(launch);
    launch.stopped();
    stopRequested(launch, reason);
  }

  /** From now on, `launch()` begins anew. */
  #forget(launch: ProgramLaunch): void {
    if (this.#current.get(launch.bot) === launch) this.#current.delete(launch.bot);
  }

  #refuseWebhook(call: string): Promise<never> {
    const message = `the bot program calls ${call}, but lastcall fetches updates by long polling`;
    this.#options.refused(new LastcallError('WEBHOOK_LAUNCH', call, message));
    return new Promise(() => {});
  }
}

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
