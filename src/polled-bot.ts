/** One bot of a run: it waits for its lock, is polled, drains and ends, by itself or with the run. */
import { onAbort } from './abort.js';
import type { Clock } from './clock.js';
import type { BotIdentity } from './host/bot-key.js';
import type { BotLocks } from './host/bot-locks.js';
import type { Entry } from './inbox/inbox.js';
import type { Pipeline } from './pipeline.js';
import type { PollingEnd } from './polling/poller.js';
import type { Launch } from './telegraf/launch.js';

export interface PolledBotOptions {
  readonly launch: Launch;
  readonly identity: BotIdentity;
  /** The bot's key for all that is kept of it on this host. */
  readonly key: string;
  readonly locks: Pick<BotLocks, 'claim' | 'releaseOne'>;
  readonly clock: Clock;
  /** Resolves when an earlier launch of the same bot has ended, if there is one. */
  readonly after?: Promise<void> | undefined;
  createPipeline(): Pipeline;
}

export class PolledBot {
  readonly #options: PolledBotOptions;
  readonly #latestEnd = new AbortController();
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #isStopping = false;
  #pipeline: Pipeline | undefined;
  /** Resolves when this process holds the bot's lock; rejects when it will not. */
  #locked: Promise<void> | undefined;
  #drained: Promise<readonly Entry[]> | undefined;
  #cause: () => 'stop' | 'fault' = () => 'stop';

  constructor(options: PolledBotOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get launch(): Launch {
    return this.#options.launch;
  }

  get botId(): number {
    return this.#options.identity.botId;
  }

  get key(): string {
    return this.#options.key;
  }

  /** Undefined before `open`. */
  get pipeline(): Pipeline | undefined {
    return this.#pipeline;
  }

  /** Whether the bot is to be polled no longer. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Resolves when the bot has ended by itself, so that it can be launched again. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Makes the bot ready to be polled, and requests its lock.
   *
   * @throws LastcallError BOT_ALREADY_POLLED if this process polls the bot already; INBOX_UNAVAILABLE if its inbox has no place
   */
  open(): void {
    const { locks, identity, createPipeline } = this.#options;
    const pipeline = createPipeline();
    try {
      this.#locked = locks.claim(identity);
      this.#pipeline = pipeline;
    } catch (error) {
      pipeline.close();
      throw error;
    }
  }

  /**
   * Polls the bot once an earlier launch of it has ended and its lock is held; resolves when its polling has ended, with
   * undefined if it was never polled. Rejects as `open` throws, and as the lock does.
   */
  async poll(): Promise<PollingEnd | undefined> {
    if (!this.#pipeline) {
      await this.#options.after;
      if (this.#isStopping) return undefined;
      this.open();
    }
    await this.#locked;
    // The stop may have come while this process stood by.
    return this.#isStopping ? undefined : this.#pipeline?.poll();
  }

  stopIntake(): void {
    this.#isStopping = true;
    this.#pipeline?.stopIntake();
  }

  /**
   * Lets the handlers end until `latestEnd` aborts, also where a drain is under way, and closes the inbox. Resolves with the
   * updates whose handlers were aborted.
   *
   * @param cause asked at the end of the drain
   * @param withinMs when `latestEnd` is expected to abort
   */
  async drain(
    latestEnd: AbortSignal,
    cause: () => 'stop' | 'fault',
    withinMs?: number,
  ): Promise<readonly Entry[]> {
    this.#cause = cause;
    const removeListener = onAbort(latestEnd, () => this.#latestEnd.abort(latestEnd.reason));
    try {
      return await this.#drain(withinMs);
    } finally {
      removeListener();
    }
  }

  /** Ends this bot alone: its polling, its handlers, its inbox, its lock. Each handler may use up its own limit. */
  async end(): Promise<void> {
    const { clock, locks, identity, after } = this.#options;
    const drainMs = this.#pipeline?.handlerLimitMs ?? 0;
    this.stopIntake();
    const overdue = new Error(`the handlers did not end within ${drainMs} ms`);
    const cancel = clock.after(drainMs, () => this.#latestEnd.abort(overdue));
    try {
      await after;
      await this.#drain(drainMs);
    } finally {
      cancel();
      this.close();
      if (this.#pipeline) locks.releaseOne(identity);
      this.#resolveEnded();
    }
  }

  /** Gives the bot back as it was. */
  close(): void {
    this.#pipeline?.close();
  }

  #drain(withinMs: number | undefined): Promise<readonly Entry[]> {
    this.#drained ??=
      this.#pipeline?.drain(this.#latestEnd.signal, () => this.#cause(), withinMs) ?? Promise.resolve([]);
    return this.#drained;
  }
}
