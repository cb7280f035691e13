/**
 * One bot's way from Telegram to its handlers: poller → inbox → dispatcher → bot, and the same way back at a stop.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { Clock } from './clock.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import type { DispatchEvent } from './dispatch/events.js';
import { LastcallError } from './errors.js';
import type { InboxEvent } from './inbox/events.js';
import type { Entry, Inbox, InboxOptions, InboxReport } from './inbox/inbox.js';
import { JournalInbox } from './inbox/journal/journal-inbox.js';
import { MemoryInbox } from './inbox/memory/memory-inbox.js';
import type { ReceiptCounts } from './logging/receipt.js';
import type { PollingEvent } from './polling/events.js';
import { Poller, type PollingEnd } from './polling/poller.js';
import { type PreparedBot, prepareBot } from './telegraf/handling.js';
import { orderKey, updateKind } from './telegraf/order-key.js';
import { createBotApi, type HttpBotApi, restoredUpdate } from './telegraf/transport.js';

export type PipelineEvent = PollingEvent | InboxEvent | DispatchEvent<Entry>;

/** What a bot is doing at the moment. */
export interface Activity {
  /** Handlers at work. */
  readonly running: number;
  readonly handled: number;
  /** When the step at work has to have ended, in the clock's milliseconds; Infinity where nothing is under way. */
  readonly latestEnd: number;
}

/** Where the bot's updates live until their handlers have ended. */
export interface InboxSettings {
  readonly inbox: 'journal' | 'memory';
  /** One folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  readonly durability: 'power' | 'process';
  readonly maxAttempts: number;
  readonly inboxLimit: number;
}

export interface PipelineOptions extends InboxSettings {
  readonly bot: Telegraf;
  /** The bot's name for all that is kept of it on this host. */
  readonly key: string;
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
  /** An error in words, without anything secret: they are kept with the updates that failed. */
  errorText(error: unknown): string;
  emit(event: PipelineEvent): void;
}

export class Pipeline {
  readonly #prepared: PreparedBot;
  readonly #api: HttpBotApi;
  readonly #inbox: Inbox<Update>;
  readonly #dispatcher: Dispatcher<Entry, Update>;
  readonly #poller: Poller<Update, NonNullable<Telegraf['botInfo']>>;
  readonly #intake = new AbortController();
  #polling: Promise<PollingEnd> | undefined;
  #end: PollingEnd | undefined;
  #report: InboxReport | undefined;

  /** @throws LastcallError INBOX_UNAVAILABLE when there is no place for the inbox */
  constructor(options: PipelineOptions) {
    const { bot, clock } = options;
    // First, as an API root that is no URL makes it throw, and the bot should then be as it was.
    this.#api = createBotApi(bot.telegram, clock);
    this.#inbox = createInbox(options, this.#api.received, (entries) => this.#dispatcher.push(entries));
    this.#prepared = prepareBot(bot);
    this.#dispatcher = new Dispatcher({
      ...options,
      keyOf: (entry) => entry.key,
      nameOf: (entry) => `update ${entry.updateId} (${entry.kind})`,
      begin: (entries) => this.#inbox.begin(entries),
      handle: (update, run, { attempt }) => this.#prepared.handle(update, run, attempt),
      settled: (entry, result, error) => this.#inbox.settle(entry, result, error),
    });
    this.#poller = new Poller({
      ...options,
      api: this.#api,
      accept: (batch) => this.#inbox.accept(batch),
      connected: (me) => {
        options.connected(me);
        this.#inbox.resume();
      },
    });
  }

  /**
   * Opens the inbox and begins to poll; resolves, never rejects, when polling has ended and all it may confirm is
   * confirmed.
   */
  async poll(): Promise<PollingEnd> {
    this.#polling ??= this.#openAndPoll(this.#intake.signal);
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
   * @param why asked at the drain's end
   * @returns the updates whose handlers were aborted
   */
  async drain(latestEnd: AbortSignal, why: () => 'stop' | 'fault'): Promise<readonly Entry[]> {
    const mayStart = (entry: Entry) => this.#inbox.startsDuringDrain(entry);
    const { aborted } = await this.#dispatcher.drain({ mayStart, latestEnd });
    this.#report = await this.#inbox.drained(why());
    await this.#polling;
    return aborted.map(({ item }) => item);
  }

  /** Gives the bot back as it was. */
  close(): void {
    this.#prepared.restore();
    this.#api.close();
  }

  get activity(): Activity {
    const { latestEnd: polling } = this.#poller;
    const { latestEnd: handling, counts } = this.#dispatcher;
    return {
      running: counts.running,
      handled: this.#inbox.counts.handled,
      latestEnd: Math.min(polling, this.#inbox.latestEnd, handling),
    };
  }

  /** What the run came to so far; the receipt's figures. */
  get counts(): ReceiptCounts {
    const { accepted, recovered, handled, failed, timedOut, dropped, waiting, begun, mayRepeat } =
      this.#inbox.counts;
    const sentAgain = this.#inbox.recognizesRepeats ? 0 : (this.#end?.unconfirmed ?? 0);
    return {
      fetched: accepted,
      recovered,
      handled,
      failed,
      timedOut,
      dropped,
      left: this.#report?.left ?? waiting + begun,
      mayRepeat: (this.#report?.mayRepeat.length ?? mayRepeat) + sentAgain,
      confirmedUpTo: this.#end?.confirmedUpTo,
    };
  }

  async #openAndPoll(signal: AbortSignal): Promise<PollingEnd> {
    try {
      await this.#inbox.open(signal);
    } catch (error) {
      const nothing = { confirmedUpTo: undefined, fetched: 0, unconfirmed: 0 };
      return error instanceof LastcallError ? { ...nothing, error } : nothing;
    }
    return this.#poller.run(signal);
  }
}

function createInbox(
  options: PipelineOptions,
  received: HttpBotApi['received'],
  deliver: InboxOptions<Update>['deliver'],
): Inbox<Update> {
  const { inbox, stateDir, key, inboxLimit } = options;
  const shared = { keyOf: orderKey, kindOf: updateKind, deliver };
  if (inbox === 'memory') return new MemoryInbox<Update>(shared);
  if (stateDir === undefined)
    throw new LastcallError(
      'INBOX_UNAVAILABLE',
      'STATE_DIR',
      'there is no place for the inbox: no STATE_DIR, and no home directory',
    );
  return new JournalInbox<Update>({
    ...options,
    ...shared,
    folder: join(stateDir, key, 'inbox'),
    bot: key,
    limit: inboxLimit,
    holder: { place: hostname(), id: randomUUID() },
    received,
    restore: restoredUpdate,
  });
}
