/**
 * All bots of a run, each with a pipeline of its own: a program may launch several, at any time. They start, drain and
 * stop side by side. A bot whose polling ends with an error ends the run.
 */
import type { Telegraf } from 'telegraf';
import type { Clock } from './clock.js';
import { LastcallError } from './errors.js';
import { type BotIdentity, botKey } from './host/bot-key.js';
import type { BotLocks } from './host/bot-locks.js';
import type { ReceiptCounts } from './logging/receipt.js';
import { type Activity, Pipeline, type PipelineEvent, type PipelineSettings } from './pipeline.js';
import { identityOf } from './telegraf/identity.js';
import { firstFew } from './words.js';

/** A bot to be polled, and the wishes of the program that has launched it. */
export interface Launched {
  readonly bot: Telegraf;
  /** The kinds of updates to request; undefined where the settings decide. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  /** Called when `getMe` has answered. */
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  /** Called once the bot's handlers have ended, or with the error that ended its polling. */
  ended(error?: unknown): void;
}

export interface BotsOptions {
  readonly settings: PipelineSettings;
  readonly clock: Clock;
  /** No bot is polled before its lock is held. */
  readonly locks: Pick<BotLocks, 'claim'>;
  /** Called before a bot is added, wherever its token came from. */
  joining(bot: Telegraf): void;
  /** Puts an error into words, without anything secret. */
  errorText(error: unknown): string;
  /** Tells what happens to the bot with this id. */
  emit(event: PipelineEvent, botId: number): void;
  /** Called when a bot cannot be polled any more. */
  failed(error: LastcallError): void;
}

interface PolledBot {
  readonly launched: Launched;
  /** Resolves when this process holds the bot's lock; rejects when it will not. */
  readonly locked: Promise<void>;
  readonly pipeline: Pipeline;
}

export class Bots {
  readonly #options: BotsOptions;
  readonly #bots: PolledBot[] = [];
  #phase: 'waiting' | 'polling' | 'stopping' = 'waiting';

  constructor(options: BotsOptions) {
    this.#options = options;
  }

  /**
   * Adds a bot; it is polled from now on, or from `poll()` on, once its lock is held.
   *
   * @throws LastcallError BOT_ALREADY_POLLED when this process polls the same bot already; INBOX_UNAVAILABLE when there is
   *   no place for its inbox
   */
  add(launched: Launched): void {
    this.#options.joining(launched.bot);
    const identity = identityOf(launched.bot);
    const pipeline = this.#pipelineOf(launched, identity);
    const bot = { launched, pipeline, locked: this.#claim(identity, pipeline) };
    this.#bots.push(bot);
    if (this.#phase === 'polling') void this.#poll(bot);
  }

  poll(): void {
    this.#phase = 'polling';
    for (const bot of this.#bots) void this.#poll(bot);
  }

  stopIntake(): void {
    this.#phase = 'stopping';
    for (const { pipeline } of this.#bots) pipeline.stopIntake();
  }

  /**
   * Lets the handlers of all bots end until `latestEnd` aborts. Rejects with DRAIN_OVERDUE, once all bots have drained, if
   * handlers had to be aborted.
   *
   * @param why asked at the end of each bot's drain
   * @param withinMs when `latestEnd` is expected to abort
   */
  async drain(latestEnd: AbortSignal, why: () => 'stop' | 'fault', withinMs?: number): Promise<void> {
    const aborted = await Promise.all(
      this.#bots.map(async ({ pipeline, launched }) => {
        const entries = await pipeline.drain(latestEnd, why, withinMs);
        launched.ended();
        return entries;
      }),
    );
    const updates = aborted.flat().map(({ updateId }) => updateId);
    if (updates.length === 0) return;
    throw new LastcallError(
      'DRAIN_OVERDUE',
      'drain',
      `the handlers of ${updates.length} updates were aborted; the updates stay for the next run: ${firstFew(updates)}`,
    );
  }

  /** Restores the bots as they were before `add`. */
  close(): void {
    for (const { pipeline } of this.#bots) pipeline.close();
  }

  /** The activity of all bots together; `latestEnd` is that of the bot whose step ends first. */
  get activity(): Activity {
    return this.#bots
      .map(({ pipeline }) => pipeline.activity)
      .reduce(
        (all, one) => ({
          running: all.running + one.running,
          waiting: all.waiting + one.waiting,
          handled: all.handled + one.handled,
          latestEnd: Math.min(all.latestEnd, one.latestEnd),
        }),
        { running: 0, waiting: 0, handled: 0, latestEnd: Number.POSITIVE_INFINITY },
      );
  }

  /** The counts of all bots together; `confirmedUpTo` only where there is one bot. */
  get counts(): ReceiptCounts {
    const all = this.#bots.map(({ pipeline }) => pipeline.counts);
    const sum = (figure: (counts: ReceiptCounts) => number) =>
      all.reduce((total, counts) => total + figure(counts), 0);
    return {
      fetched: sum(({ fetched }) => fetched),
      recovered: sum(({ recovered }) => recovered),
      handled: sum(({ handled }) => handled),
      dropped: sum(({ dropped }) => dropped),
      failed: sum(({ failed }) => failed),
      timedOut: sum(({ timedOut }) => timedOut),
      left: sum(({ left }) => left),
      mayRepeat: sum(({ mayRepeat }) => mayRepeat),
      confirmedUpTo: all.length === 1 ? all[0]?.confirmedUpTo : undefined,
    };
  }

  /** Claims the bot's lock; a bot that is refused is restored as it was. */
  #claim(identity: BotIdentity, pipeline: Pipeline): Promise<void> {
    try {
      return this.#options.locks.claim(identity);
    } catch (error) {
      pipeline.close();
      throw error;
    }
  }

  #pipelineOf(launched: Launched, identity: BotIdentity): Pipeline {
    const { settings, clock, emit, errorText, failed } = this.#options;
    return new Pipeline({
      bot: launched.bot,
      key: botKey(identity),
      settings: {
        ...settings,
        allowedUpdates: launched.allowedUpdates ?? settings.allowedUpdates,
        dropPending: launched.dropPendingUpdates || settings.dropPending,
      },
      clock,
      errorText,
      connected: (me) => launched.connected(me),
      emit: (event) => {
        emit(event, identity.botId);
        const fault = faultIn(event);
        if (fault) failed(fault);
      },
    });
  }

  async #poll({ pipeline, launched, locked }: PolledBot): Promise<void> {
    const error = await locked.then(() => this.#pollUntilEnd(pipeline), lockRefused);
    if (!error) return;
    launched.ended(error);
    this.#options.failed(error);
  }

  async #pollUntilEnd(pipeline: Pipeline): Promise<LastcallError | undefined> {
    // The stop has come while this process stood by.
    if (this.#phase === 'stopping') return undefined;
    const { error } = await pipeline.poll();
    return error;
  }
}

/** The error that the lock was refused with; undefined if a stop has ended the wait for the lock. */
function lockRefused(reason: unknown): LastcallError | undefined {
  return reason instanceof LastcallError ? reason : undefined;
}

/** The error by which an event of dispatcher or inbox ends the run; undefined for all other events. */
function faultIn(event: PipelineEvent): LastcallError | undefined {
  switch (event.event) {
    case 'dispatch.exhausted':
      return new LastcallError(
        'HANDLERS_EXHAUSTED',
        'handlers',
        `${event.hung} handlers have timed out and still run; CONCURRENCY allows ${event.concurrency}`,
      );
    case 'dispatch.fault':
      return new LastcallError('INTERNAL', 'inbox', `update ${event.item.updateId} could not be settled`, {
        cause: event.error,
      });
    case 'inbox.failed':
      return event.error;
    default:
      return undefined;
  }
}
