/**
 * One bot's way from Telegram to its handlers: poller → inbox → dispatcher → bot, and the same way back at a stop.
 */
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { Clock } from './clock.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import type { DispatchEvent } from './dispatch/events.js';
import type { Entry, Inbox, InboxReport } from './inbox/inbox.js';
import { MemoryInbox } from './inbox/memory.js';
import type { ReceiptCounts } from './logging/receipt.js';
import type { PollingEvent } from './polling/events.js';
import { Poller, type PollingEnd } from './polling/poller.js';
import { type PreparedBot, prepareBot } from './telegraf/handling.js';
import { orderKey, updateKind } from './telegraf/order-key.js';
import { createBotApi, type HttpBotApi } from './telegraf/transport.js';

export type PipelineEvent = PollingEvent | DispatchEvent<Entry>;

/** How a bot does at a moment. */
export interface Vitals {
  /** Handlers at work. */
  readonly running: number;
  readonly handled: number;
  /** When the step at work has to have ended, in the clock's milliseconds; Infinity where nothing is under way. */
  readonly latestEnd: number;
}

export interface PipelineOptions {
  readonly bot: Telegraf;
  readonly allowedUpdates: readonly string[];
  readonly dropPending: boolean;
  readonly deleteWebhook: boolean;
  readonly pollTimeoutMs: number;
  readonly conflictPatienceMs: number;
  /** The most that the last confirm may add to a stop. */
  readonly confirmTimeoutMs: number;
  readonly concurrency: number;
  readonly handlerTimeoutMs: number;
  readonly clock: Clock;
  /** Called once, when `getMe` has answered. */
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  emit(event: PipelineEvent): void;
}

export class Pipeline {
  readonly #prepared: PreparedBot;
  readonly #api: HttpBotApi;
  readonly #inbox: Inbox<Update>;
  readonly #dispatcher: Dispatcher<Entry>;
  readonly #poller: Poller<Update, NonNullable<Telegraf['botInfo']>>;
  readonly #intake = new AbortController();
  #polling: Promise<PollingEnd> | undefined;
  #end: PollingEnd | undefined;
  #report: InboxReport | undefined;

  constructor(options: PipelineOptions) {
    const { bot, clock } = options;
    // First, as an API root that is no URL makes it throw, and the bot should then be as it was.
    this.#api = createBotApi(bot.telegram, clock);
    this.#prepared = prepareBot(bot);
    this.#inbox = new MemoryInbox<Update>({
      keyOf: orderKey,
      kindOf: updateKind,
      deliver: (entries) => this.#dispatcher.push(entries),
    });
    this.#dispatcher = new Dispatcher({
      ...options,
      keyOf: (entry) => entry.key,
      nameOf: (entry) => `update ${entry.updateId} (${entry.kind})`,
      handle: (entry, run) => this.#handle(entry, run),
      settled: (entry, result, error) => this.#inbox.settle(entry, result, error),
    });
    this.#poller = new Poller({
      ...options,
      api: this.#api,
      accept: (batch) => this.#inbox.accept(batch),
    });
  }

  /** Begins to poll; resolves, never rejects, when polling has ended and all it may confirm is confirmed. */
  async poll(): Promise<PollingEnd> {
    this.#polling ??= this.#poller.run(this.#intake.signal);
    this.#end = await this.#polling;
    return this.#end;
  }

  /** The stop's first step: whatever polling waits for ends at once. */
  stopIntake(): void {
    this.#intake.abort();
  }

  /**
   * The stop's second step: lets running handlers end and the inbox close its gaps, until `latestEnd` aborts; then
   * confirms what has become safe.
   *
   * @returns the updates whose handlers were aborted
   */
  async drain(latestEnd: AbortSignal): Promise<readonly Entry[]> {
    const mayStart = (entry: Entry) => this.#inbox.startsDuringDrain(entry);
    const { aborted } = await this.#dispatcher.drain({ mayStart, latestEnd });
    this.#report = await this.#inbox.drained();
    await this.#polling;
    return aborted.map(({ item }) => item);
  }

  /** Gives the bot back as it was. */
  close(): void {
    this.#prepared.restore();
    this.#api.close();
  }

  get vitals(): Vitals {
    const { running, handled } = this.#dispatcher.counts;
    const polling = this.#poller.latestEnd;
    // While a batch is with the inbox, it is the handlers that are waited for.
    return { running, handled, latestEnd: Number.isFinite(polling) ? polling : this.#dispatcher.latestEnd };
  }

  /** What the run came to so far; the receipt's figures. */
  get counts(): ReceiptCounts {
    const { handled, failed, timedOut } = this.#dispatcher.counts;
    return {
      fetched: this.#end?.fetched ?? this.#inbox.counts.accepted,
      handled,
      failed,
      timedOut,
      left: this.#report?.unsettled.length ?? this.#inbox.counts.waiting + this.#inbox.counts.begun,
      mayRepeat:
        (this.#report?.mayRepeat.length ?? this.#inbox.counts.mayRepeat) + (this.#end?.unconfirmed ?? 0),
      confirmedUpTo: this.#end?.confirmedUpTo,
    };
  }

  async #handle(entry: Entry, run: { readonly signal: AbortSignal }): Promise<void> {
    const update = await this.#inbox.begin(entry);
    await this.#prepared.handle(update, run, entry.attempt);
  }
}
