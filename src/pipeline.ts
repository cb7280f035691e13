/**
 * One bot's way from Telegram to its handlers: poller → inbox → dispatcher → bot, and the same way back at a stop.
 */
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import { type BotInboxOptions, createInbox, type InboxSettings, shareInbox } from './bot-inbox.js';
import { type Clock, within } from './clock.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import type { DispatchEvent } from './dispatch/events.js';
import { JamWatch } from './dispatch/jam-watch.js';
import { LastcallError } from './errors.js';
import type { InboxEvent } from './inbox/events.js';
import { GroupSettlement } from './inbox/group-settlement.js';
import type { Entry, Inbox } from './inbox/inbox.js';
import type { Disk } from './inbox/log/disk.js';
import { PipelineGauges } from './pipeline-gauges.js';
import type { PollingEvent } from './polling/events.js';
import { Poller, type PollingEnd } from './polling/poller.js';
import type { createSharedInbox, SharedInbox } from './shared-inbox.js';
import { createBotApi, type HttpBotApi } from './telegraf/bot-api/bot-api.js';
import { type HandlerScope, type PreparedBot, prepareBot } from './telegraf/handling.js';
import type { Launch } from './telegraf/launch.js';

export type PipelineEvent = PollingEvent | InboxEvent | DispatchEvent<Entry<Update>>;

/** Is told how long things took, in milliseconds. Must not throw. */
export interface Stopwatch {
  /** A handler of this kind of update has ended, or was given up. */
  handler(kind: string, durationMs: number): void;
  /** What was written to the inbox has become safe on disk. */
  inboxSync(durationMs: number): void;
}

export interface PipelineSettings extends InboxSettings {
  /** How often an update is tried again after an error that is not Telegram's absence. */
  readonly retries: number;
  readonly allowedUpdates: readonly string[];
  readonly dropPending: boolean;
  readonly deleteWebhook: boolean;
  readonly pollTimeoutMs: number;
  readonly conflictPatienceMs: number;
  /** The most that the final confirm may add to a stop. */
  readonly confirmTimeoutMs: number;
  readonly handlerTimeoutMs: number;
}

export interface PipelineOptions
  extends Pick<BotInboxOptions, 'key' | 'ownOrderKey' | 'clock' | 'errorText'> {
  readonly bot: Telegraf;
  /** The handlers are called in it, if it is given. */
  readonly handlerScope?: HandlerScope | undefined;
  /** Makes a poll in such a way that the program sees it, if it is given. */
  readonly pollThrough?: Launch['pollThrough'];
  readonly settings: PipelineSettings;
  /** Whether Telegram has answered a poll of the bot in an earlier run. Asked once the bot's lock is held. */
  hasPolledBefore(): boolean;
  /** Called once, when `getMe` has answered. */
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  /** Called with each agent of the bot's before polling first uses it. Must not throw. */
  agentUsed?(agent: object): void;
  emit(event: PipelineEvent): void;
  readonly stopwatch?: Stopwatch | undefined;
  /** Makes the inbox where `settings.inbox` names a database. */
  readonly createSharedInbox?: typeof createSharedInbox | undefined;
  /** Where the journal keeps its files; the file system, unless a test gives another. */
  readonly disk?: Disk;
}

/** How much longer a timed-out handler may take before it is given up. */
const HANDLER_GRACE_MS = 10_000;

export class Pipeline {
  readonly #prepared: PreparedBot;
  readonly #api: HttpBotApi;
  readonly #inbox: Inbox<Update>;
  /** The same inbox, where several processes share it, of which one polls at a time. */
  readonly #shared: SharedInbox | undefined;
  readonly #dispatcher: Dispatcher<Entry<Update>>;
  readonly #jamWatch: JamWatch<Entry<Update>>;
  readonly #poller: Poller<Update, NonNullable<Telegraf['botInfo']>>;
  readonly #intake = new AbortController();
  readonly #clock: Clock;
  /** How long a handler may run until it is given up, at most. */
  readonly handlerLimitMs: number;
  readonly #confirmTimeoutMs: number;
  /** What can be seen of the pipeline from outside. */
  readonly gauges: PipelineGauges;
  #polling: Promise<PollingEnd> | undefined;

  /** @throws LastcallError INBOX_UNAVAILABLE when there is no place for the inbox */
  constructor(options: PipelineOptions) {
    const { bot, clock, settings, stopwatch, emit } = options;
    this.#clock = clock;
    // The API comes first: an API root that is no URL makes it throw, and the bot should then be as it was.
    this.#api = createBotApi(bot.telegram, clock, (agent) => options.agentUsed?.(agent));
    const wake = () => this.#dispatcher.wake();
    const { time } = this.#api;
    const inboxOptions = { ...options, time, available: wake };
    const shared = shareInbox(inboxOptions, options.createSharedInbox);
    this.#shared = shared;
    this.#inbox =
      shared ??
      createInbox(inboxOptions, {
        received: this.#api.received,
        commitTimed: stopwatch && ((durationMs) => stopwatch.inboxSync(durationMs)),
        disk: options.disk,
      });
    this.#prepared = prepareBot(bot, options.handlerScope);
    const handlerTimeoutMs = Math.max(settings.handlerTimeoutMs, this.#prepared.ownHandlerTimeoutMs ?? 0);
    this.handlerLimitMs = handlerTimeoutMs + HANDLER_GRACE_MS;
    this.#dispatcher = new Dispatcher({
      source: new GroupSettlement(this.#inbox),
      concurrency: settings.concurrency,
      handlerTimeoutMs,
      graceMs: HANDLER_GRACE_MS,
      retries: settings.retries,
      clock,
      now: () => time.now(),
      historyOf: (entry) => entry,
      nameOf: ({ updateId, kind, key }) => `update ${updateId} (${kind}, key ${key})`,
      handle: ({ update, attempt }, run) => this.#prepared.handle(update, run, attempt),
      timed: ({ kind }, durationMs, now) => {
        this.gauges.handlerTimed(durationMs, now);
        stopwatch?.handler(kind, durationMs);
      },
      failureOf: (error) => this.#prepared.failureOf(error),
      emit: (event) => {
        // Until polling notices an outage, handlers would go on starting and failing.
        if (event.event === 'handler.put-back' && event.failure === 'unreachable')
          this.#poller.checkReachability();
        emit(event);
      },
    });
    this.#jamWatch = new JamWatch({
      running: () => this.#dispatcher.running(),
      hasFreeSlot: () => this.#dispatcher.hasFreeSlot,
      waitingBehind: (entry) => this.#inbox.waitingBehind(entry),
      keyOf: ({ key }) => key,
      clock,
      now: () => time.now(),
      emit,
    });
    const { allowedUpdates, dropPending, deleteWebhook } = settings;
    const { pollTimeoutMs, conflictPatienceMs, confirmTimeoutMs } = settings;
    this.#confirmTimeoutMs = confirmTimeoutMs;
    const { getUpdates } = this.#api;
    this.#poller = new Poller({
      api: {
        ...this.#api,
        getUpdates: (parameters, call) =>
          options.pollThrough?.(parameters, call, getUpdates) ?? getUpdates(parameters, call),
      },
      accept: (batch) => this.#inbox.accept(batch),
      nextTurn: shared && ((signal) => shared.nextTurn(signal)),
      connected: (me) => {
        options.connected(me);
        this.#dispatcher.start();
        this.#jamWatch.start();
      },
      reachable: (isReachable) => (isReachable ? this.#dispatcher.resume() : this.#dispatcher.hold()),
      allowedUpdates,
      dropPending,
      deleteWebhook,
      pollTimeoutMs,
      conflictPatienceMs,
      confirmTimeoutMs,
      // A process polls only after Telegram has told who the bot is.
      hasPolledBefore: () => options.hasPolledBefore() || shared?.wasPolled === true,
      clock,
      emit,
    });
    this.gauges = new PipelineGauges({
      clock,
      time,
      poller: this.#poller,
      inbox: this.#inbox,
      dispatcher: this.#dispatcher,
      jamWatch: this.#jamWatch,
    });
  }

  /**
   * Opens the inbox and begins to poll; resolves, never rejects, when polling has ended and all it may confirm is
   * confirmed.
   */
  async poll(): Promise<PollingEnd> {
    this.#polling ??= this.#openAndPoll(this.#intake.signal);
    const end = await this.#polling;
    this.gauges.pollingEnded(end);
    return end;
  }

  /** The stop's first step: whatever polling waits for ends at once. */
  stopIntake(): void {
    this.#intake.abort();
  }

  /**
   * The stop's second step: lets running handlers end until `latestEnd` aborts, closes the inbox, and waits for the final
   * confirm. With the journal that confirm is under way since the first step; the memory inbox allows it only now.
   *
   * @param cause asked at the drain's beginning and at its end
   * @param withinMs when `latestEnd` is expected to abort
   * @returns the updates whose handlers were aborted
   */
  async drain(
    latestEnd: AbortSignal,
    cause: () => 'stop' | 'fault',
    withinMs = Number.POSITIVE_INFINITY,
  ): Promise<readonly Entry[]> {
    const latestEndAt = this.#clock.now() + withinMs;
    this.#jamWatch.stop();
    this.#inbox.drain(cause());
    const aborted = await this.#dispatcher.drain(latestEnd, withinMs);
    const endsAt = (latestEnd.aborted ? this.#clock.now() : latestEndAt) + this.#confirmTimeoutMs;
    const leftMs = () => Math.max(0, endsAt - this.#clock.now());
    // The last confirm comes before another process polls, if the database answers in time.
    if (this.#shared && this.#polling) await within(leftMs() / 2, this.#clock, this.#polling);
    this.gauges.inboxClosed(await this.#inbox.close(cause(), leftMs()));
    await this.#polling;
    return aborted.map(({ item }) => item);
  }

  /** Gives the bot back as it was. */
  close(): void {
    this.#prepared.restore();
    this.#api.close();
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
