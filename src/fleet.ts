/**
 * All the bots of a run, one pipeline each: a program may launch several, at any time. They start, drain and stop
 * side by side, and a fatal end of one ends the run.
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

/** A bot to be polled, and what its own program says about it. */
export interface Launched {
  readonly bot: Telegraf;
  /** Undefined where the settings decide. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  connected(me: NonNullable<Telegraf['botInfo']>): void;
  /** Called once its handlers have ended, or with the error that ended its polling. */
  ended(error?: unknown): void;
}

export interface FleetOptions {
  readonly settings: PipelineSettings;
  readonly clock: Clock;
  /** No bot is polled before its lock is held. */
  readonly locks: Pick<BotLocks, 'claim'>;
  /** A bot is about to be added, wherever its token came from. */
  joining(bot: Telegraf): void;
  /** An error in words, without anything secret. */
  errorText(error: unknown): string;
  /** What happens to a bot, with its id. */
  emit(event: PipelineEvent, botId: number): void;
  /** A bot's run cannot go on. */
  failed(error: LastcallError): void;
}

interface Vessel {
  readonly launched: Launched;
  /** Rejects where there is to be none. */
  readonly locked: Promise<void>;
  readonly pipeline: Pipeline;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #vessels: Vessel[] = [];
  #phase: 'waiting' | 'polling' | 'stopping' = 'waiting';

  constructor(options: FleetOptions) {
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
    const vessel = { launched, pipeline, locked: this.#claim(identity, pipeline) };
    this.#vessels.push(vessel);
    if (this.#phase === 'polling') void this.#poll(vessel);
  }

  poll(): void {
    this.#phase = 'polling';
    for (const vessel of this.#vessels) void this.#poll(vessel);
  }

  stopIntake(): void {
    this.#phase = 'stopping';
    for (const { pipeline } of this.#vessels) pipeline.stopIntake();
  }

  /**
   * Rejects with DRAIN_OVERDUE, once all have drained, when handlers had to be aborted.
   *
   * @param why asked at the end of each bot's drain
   */
  async drain(latestEnd: AbortSignal, why: () => 'stop' | 'fault'): Promise<void> {
    const aborted = await Promise.all(
      this.#vessels.map(async ({ pipeline, launched }) => {
        const entries = await pipeline.drain(latestEnd, why);
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

  /** Gives the bots back as they were. */
  close(): void {
    for (const { pipeline } of this.#vessels) pipeline.close();
  }

  /** Of all bots together; `latestEnd` is that of the bot whose step ends first. */
  get activity(): Activity {
    return this.#vessels
      .map(({ pipeline }) => pipeline.activity)
      .reduce(
        (all, one) => ({
          running: all.running + one.running,
          handled: all.handled + one.handled,
          latestEnd: Math.min(all.latestEnd, one.latestEnd),
        }),
        { running: 0, handled: 0, latestEnd: Number.POSITIVE_INFINITY },
      );
  }

  /** Of all bots together; `confirmedUpTo` only where there is one. */
  get counts(): ReceiptCounts {
    const all = this.#vessels.map(({ pipeline }) => pipeline.counts);
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

  /** A bot that is refused is given back as it was. */
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

  async #poll({ pipeline, launched, locked }: Vessel): Promise<void> {
    const error = await locked.then(() => this.#pollUntilEnd(pipeline), lockRefused);
    if (!error) return;
    launched.ended(error);
    this.#options.failed(error);
  }

  async #pollUntilEnd(pipeline: Pipeline): Promise<LastcallError | undefined> {
    // The stop has come first, while this process stood by.
    if (this.#phase === 'stopping') return undefined;
    const { error } = await pipeline.poll();
    return error;
  }
}

/** Only an error is worth ending the run for; a stop that ended the wait is doing so already. */
function lockRefused(reason: unknown): LastcallError | undefined {
  return reason instanceof LastcallError ? reason : undefined;
}

/** What dispatcher and inbox tell and the run cannot survive. */
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
