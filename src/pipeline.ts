/**
 * One bot's way from Telegram to its handlers: poller → inbox → dispatcher → bot, and the same way back at a stop.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import { type Clock, within } from './clock.js';
import { type InboxSetting, isPostgresUrl } from './config/inbox-setting.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import type { DispatchEvent } from './dispatch/events.js';
import { type CurrentJam, JamWatch } from './dispatch/jam-watch.js';
import { LastcallError } from './errors.js';
import { currentPlace } from './host/place.js';
import type { InboxEvent } from './inbox/events.js';
import { GroupSettlement } from './inbox/group-settlement.js';
import type { Entry, Inbox, InboxReport } from './inbox/inbox.js';
import { JournalInbox } from './inbox/journal/journal-inbox.js';
import type { Disk } from './inbox/log/disk.js';
import { MemoryInbox } from './inbox/memory/memory-inbox.js';
import type { ReceiptCounts } from './logging/receipt.js';
import { HandlerTimes, type HandlerTimesSummary } from './observe/handler-times.js';
import type { CurrentStep } from './observe/progress.js';
import type { RunningHandler } from './observe/status/report.js';
import type { PollingEvent } from './polling/events.js';
import type { FailureClass } from './polling/failure.js';
import { Poller, type PollingEnd } from './polling/poller.js';
import type { createSharedInbox, SharedInbox } from './shared-inbox.js';
import { createBotApi, type HttpBotApi } from './telegraf/bot-api/bot-api.js';
import { restoreUpdate } from './telegraf/bot-api/results.js';
import { type HandlerScope, type PreparedBot, prepareBot } from './telegraf/handling.js';
import type { Launch } from './telegraf/launch.js';
import { albumOf, type Order, type OrderKeyFunction, orderKey, updateKind } from './telegraf/order-key.js';

export type PipelineEvent = PollingEvent | InboxEvent | DispatchEvent<Entry<Update>>;

/** How a bot does at a moment. */
export interface Activity {
  /** The number of handlers at work. */
  readonly running: number;
  /** What became of updates since the process started. */
  readonly handled: number;
  readonly caught: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly expired: number;
  /** How often an update was put back. */
  readonly putBack: number;
  /** Updates that wait for their handler. */
  readonly waiting: number;
  /** Dead letters that are kept. */
  readonly dead: number;
  /** When the step at work has to have ended, in the clock's milliseconds; Infinity where nothing is under way. */
  readonly latestEnd: number;
}

/** What a bot has at work at a moment, for those who look from outside. */
export interface PipelineView {
  readonly counts: Omit<Activity, 'latestEnd'>;
  readonly handlerTimes: HandlerTimesSummary | undefined;
  /** The handlers that have run for longest. */
  readonly slowest: readonly RunningHandler[];
  readonly jams: readonly CurrentJam[];
  /** When the oldest unsettled update was accepted, in milliseconds since 1970. */
  readonly oldestAtMs: number | undefined;
  /** When the running handlers have ended or were given up, at the latest, in the clock's milliseconds. */
  readonly runningUntil: number;
}

/** What is measured of a pipeline besides. */
export interface PipelineMeters {
  /** Handlers that were given up and still run. */
  readonly hung: number;
  /** How many calls of polling have failed, each try counted. */
  readonly pollFailures: Readonly<Record<FailureClass, number>>;
  /** For how long fetched updates have waited until Telegram is told to forget them; 0 if none wait. */
  readonly confirmLagMs: number;
  /** The size of what the inbox has written on disk; undefined where it keeps nothing there. */
  readonly inboxBytes: number | undefined;
}

/** Is told how long things took, in milliseconds. Must not throw. */
export interface Stopwatch {
  /** A handler of this kind of update has ended, or was given up. */
  handler(kind: string, durationMs: number): void;
  /** What was written to the inbox has become safe on disk. */
  inboxSync(durationMs: number): void;
}

export interface PipelineSettings {
  readonly inbox: InboxSetting;
  /** The folder that has one folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  readonly durability: 'power' | 'process';
  readonly maxAttempts: number;
  /** How often an update is tried again after an error that is not Telegram's absence. */
  readonly retries: number;
  readonly deadLimit: number;
  readonly deadAgeMs: number;
  readonly inboxLimit: number;
  readonly allowedUpdates: readonly string[];
  readonly dropPending: boolean;
  readonly deleteWebhook: boolean;
  readonly pollTimeoutMs: number;
  readonly conflictPatienceMs: number;
  /** The most that the final confirm may add to a stop. */
  readonly confirmTimeoutMs: number;
  readonly order: Order;
  readonly concurrency: number;
  readonly handlerTimeoutMs: number;
}

export interface PipelineOptions {
  readonly bot: Telegraf;
  /** The handlers are called in it, if it is given. */
  readonly handlerScope?: HandlerScope | undefined;
  /** Makes a poll in such a way that the program sees it, if it is given. */
  readonly pollThrough?: Launch['pollThrough'];
  /** The bot's name for all that is kept of it on this host. */
  readonly key: string;
  readonly settings: PipelineSettings;
  /** The bot's own rule of order, which takes precedence over the setting. Must not throw. */
  readonly ownOrderKey?: OrderKeyFunction;
  readonly clock: Clock;
  /** Whether Telegram has answered a poll of the bot in an earlier run. Asked once the bot's lock is held. */
  hasPolledBefore(): boolean;
  /** Called once, when `getMe` has answered. */
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  /** Called with each agent of the bot's before polling first uses it. Must not throw. */
  agentUsed?(agent: object): void;
  /** Puts an error into words, without anything secret: they are kept with the updates that failed. */
  errorText(error: unknown): string;
  emit(event: PipelineEvent): void;
  readonly stopwatch?: Stopwatch | undefined;
  /** Makes the inbox where `settings.inbox` names a database. */
  readonly createSharedInbox?: typeof createSharedInbox | undefined;
  /** Where the journal keeps its files; the file system, unless a test gives another. */
  readonly disk?: Disk;
}

/** How much longer a timed-out handler may take before it is given up. */
const HANDLER_GRACE_MS = 10_000;

/** How many of the handlers that have run for longest are shown. */
const SLOWEST = 5;

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
  readonly #handlerTimes = new HandlerTimes();
  /** How long a handler may run until it is given up, at most. */
  readonly handlerLimitMs: number;
  readonly #confirmTimeoutMs: number;
  #polling: Promise<PollingEnd> | undefined;
  #end: PollingEnd | undefined;
  #report: InboxReport | undefined;

  /** @throws LastcallError INBOX_UNAVAILABLE when there is no place for the inbox */
  constructor(options: PipelineOptions) {
    const { bot, clock, settings, stopwatch, emit } = options;
    this.#clock = clock;
    // The API comes first: an API root that is no URL makes it throw, and the bot should then be as it was.
    this.#api = createBotApi(bot.telegram, clock, (agent) => options.agentUsed?.(agent));
    const wake = () => this.#dispatcher.wake();
    const shared = shareInbox(options, wake);
    this.#shared = shared;
    this.#inbox = shared ?? createInbox(options, this.#api.received, wake);
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
      historyOf: (entry) => entry,
      nameOf: ({ updateId, kind, key }) => `update ${updateId} (${kind}, key ${key})`,
      handle: ({ update, attempt }, run) => this.#prepared.handle(update, run, attempt),
      timed: ({ kind }, durationMs, now) => {
        this.#handlerTimes.add(durationMs, now);
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
    this.#report = await this.#inbox.close(cause(), leftMs());
    await this.#polling;
    return aborted.map(({ item }) => item);
  }

  /** Gives the bot back as it was. */
  close(): void {
    this.#prepared.restore();
    this.#api.close();
  }

  /** What may be under way, each with its latest end: Infinity where it is not. */
  get steps(): readonly CurrentStep[] {
    return [
      { name: 'polling', latestEnd: this.#poller.latestEnd },
      { name: 'writing to the inbox', latestEnd: this.#inbox.latestEnd },
      { name: 'handling updates', latestEnd: this.#dispatcher.latestEnd },
    ];
  }

  get activity(): Activity {
    return { ...this.#current, latestEnd: Math.min(...this.steps.map(({ latestEnd }) => latestEnd)) };
  }

  get view(): PipelineView {
    const slowest: RunningHandler[] = [];
    for (const { item, durationMs } of this.#dispatcher.running()) {
      const { updateId, kind, key } = item;
      slowest.push({ updateId, kind, key, forMs: durationMs });
      if (slowest.length === SLOWEST) break;
    }
    return {
      counts: this.#current,
      handlerTimes: this.#handlerTimes.summary(this.#clock.now()),
      slowest,
      jams: this.#jamWatch.jams,
      oldestAtMs: this.#inbox.oldestAtMs?.(),
      runningUntil: this.#dispatcher.runningUntil,
    };
  }

  get meters(): PipelineMeters {
    const { failures: pollFailures, confirmLagMs } = this.#poller;
    const { bytes: inboxBytes } = this.#inbox;
    return { hung: this.#dispatcher.counts.hung, pollFailures, confirmLagMs, inboxBytes };
  }

  get #current(): PipelineView['counts'] {
    const { running } = this.#dispatcher.counts;
    const { handled, caught, failed, timedOut, expired, putBack, waiting, dead } = this.#inbox.counts;
    return { running, handled, caught, failed, timedOut, expired, putBack, waiting, dead };
  }

  /** The receipt's figures: what the run came to so far. */
  get counts(): ReceiptCounts {
    const { accepted, recovered, handled, caught, failed, timedOut, expired, dropped } = this.#inbox.counts;
    const { putBack, deadDropped, waiting, taken, mayRepeat } = this.#inbox.counts;
    const sentAgain = this.#inbox.recognizesRepeats ? 0 : (this.#end?.unconfirmed ?? 0);
    return {
      fetched: accepted,
      recovered,
      handled,
      caught,
      failed,
      timedOut,
      expired,
      dropped,
      left: this.#report?.left ?? waiting + taken,
      mayRepeat: (this.#report?.mayRepeat.length ?? mayRepeat) + sentAgain,
      putBack,
      deadDropped,
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

/** What every inbox is built with. */
function inboxOptions({ settings, ownOrderKey, clock }: PipelineOptions, available: () => void) {
  const keyOf = (update: Update) => ownOrderKey?.(update) ?? orderKey(update, settings.order);
  return { keyOf, groupOf: albumOf, kindOf: updateKind, clock, available };
}

function shareInbox(options: PipelineOptions, available: () => void): SharedInbox | undefined {
  const { key, settings, errorText, emit } = options;
  if (!isPostgresUrl(settings.inbox)) return undefined;
  return options.createSharedInbox?.(settings.inbox, {
    ...inboxOptions(options, available),
    bot: key,
    maxAttempts: settings.maxAttempts,
    deadLetterLimits: { number: settings.deadLimit, ageMs: settings.deadAgeMs },
    concurrency: settings.concurrency,
    limit: settings.inboxLimit,
    restore: restoreUpdate,
    errorText,
    emit,
  });
}

function createInbox(
  options: PipelineOptions,
  received: HttpBotApi['received'],
  available: () => void,
): Inbox<Update> {
  const { key, settings, stopwatch, errorText, emit, disk } = options;
  const { inbox, stateDir, durability, concurrency, inboxLimit: limit } = settings;
  const { maxAttempts, deadLimit, deadAgeMs } = settings;
  const shared = inboxOptions(options, available);
  if (inbox === 'memory') return new MemoryInbox<Update>(shared);
  if (stateDir === undefined)
    throw new LastcallError(
      'INBOX_UNAVAILABLE',
      'STATE_DIR',
      'there is no place for the inbox: no STATE_DIR, and no home directory',
    );
  return new JournalInbox<Update>({
    ...shared,
    folder: join(stateDir, key, 'inbox'),
    bot: key,
    durability,
    maxAttempts,
    deadLetterLimits: { number: deadLimit, ageMs: deadAgeMs },
    concurrency,
    limit,
    holder: { place: currentPlace(), id: randomUUID() },
    received,
    restore: restoreUpdate,
    errorText,
    emit,
    ...(stopwatch && { commitTimed: (durationMs: number) => stopwatch.inboxSync(durationMs) }),
    ...(disk && { disk }),
  });
}
