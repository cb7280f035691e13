/** All bots of a run, which start, drain and stop side by side. An error that ends the polling of one ends the run. */
import type { Telegraf } from 'telegraf';
import type { Clock } from './clock.js';
import { LastcallError } from './errors.js';
import { type BotIdentity, botKey } from './host/bot-key.js';
import type { BotLocks } from './host/bot-locks.js';
import type { ReceiptCounts } from './logging/receipt.js';
import { type Activity, Pipeline, type PipelineEvent, type PipelineSettings } from './pipeline.js';
import type { HandlerScope } from './telegraf/handling.js';
import { identityOf } from './telegraf/identity.js';
import type { OrderKeyFunction } from './telegraf/order-key.js';
import { firstFew } from './words.js';

/** A bot to be polled, and the wishes of the program that has launched it. */
export interface Launched {
  readonly bot: Telegraf;
  /** The kinds of updates to request; undefined where the settings decide. */
  readonly allowedUpdates: readonly string[] | undefined;
  readonly dropPendingUpdates: boolean;
  /** The scope in which the handlers are called, if there is one. */
  readonly handlerScope?: HandlerScope;
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
   * @param orderKey the bot's own rule of order; must not throw
   * @throws LastcallError BOT_ALREADY_POLLED if this process polls the bot already; INBOX_UNAVAILABLE if its inbox has no place
   */
  add(launched: Launched, orderKey?: OrderKeyFunction): void {
    this.#options.joining(launched.bot);
    const identity = identityOf(launched.bot);
    const pipeline = this.#pipelineOf(launched, identity, orderKey);
    try {
      const bot = { launched, pipeline, locked: this.#options.locks.claim(identity) };
      this.#bots.push(bot);
      if (this.#phase === 'polling') void this.#poll(bot);
    } catch (error) {
      pipeline.close();
      throw error;
    }
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
   * Lets the handlers of all bots end until `latestEnd` aborts, and asks `why` at the end of each bot's drain. Rejects with
   * DRAIN_OVERDUE, once all bots have drained, if handlers had to be aborted.
   *
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
    const all = this.#bots.map(({ pipeline }) => pipeline.activity);
    return {
      running: total(all, 'running'),
      handled: total(all, 'handled'),
      caught: total(all, 'caught'),
      failed: total(all, 'failed'),
      timedOut: total(all, 'timedOut'),
      expired: total(all, 'expired'),
      putBack: total(all, 'putBack'),
      waiting: total(all, 'waiting'),
      dead: total(all, 'dead'),
      latestEnd: Math.min(...all.map(({ latestEnd }) => latestEnd)),
    };
  }

  /** The counts of all bots together; `confirmedUpTo` only where there is one bot. */
  get counts(): ReceiptCounts {
    const all = this.#bots.map(({ pipeline }) => pipeline.counts);
    return {
      fetched: total(all, 'fetched'),
      recovered: total(all, 'recovered'),
      handled: total(all, 'handled'),
      caught: total(all, 'caught'),
      failed: total(all, 'failed'),
      timedOut: total(all, 'timedOut'),
      expired: total(all, 'expired'),
      dropped: total(all, 'dropped'),
      left: total(all, 'left'),
      mayRepeat: total(all, 'mayRepeat'),
      putBack: total(all, 'putBack'),
      deadDropped: total(all, 'deadDropped'),
      confirmedUpTo: all.length === 1 ? all[0]?.confirmedUpTo : undefined,
    };
  }

  #pipelineOf(launched: Launched, identity: BotIdentity, ownOrderKey?: OrderKeyFunction): Pipeline {
    const { settings, clock, emit, errorText, failed } = this.#options;
    return new Pipeline({
      bot: launched.bot,
      handlerScope: launched.handlerScope,
      key: botKey(identity),
      settings: {
        ...settings,
        allowedUpdates: launched.allowedUpdates ?? settings.allowedUpdates,
        dropPending: launched.dropPendingUpdates || settings.dropPending,
      },
      ...(ownOrderKey && { ownOrderKey }),
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
    const error = await locked.then(
      // The stop may have come while this process stood by.
      async () => (this.#phase === 'stopping' ? undefined : (await pipeline.poll()).error),
      // Without an error of the lock, a stop has ended the wait for it.
      (reason: unknown) => (reason instanceof LastcallError ? reason : undefined),
    );
    if (!error) return;
    launched.ended(error);
    this.#options.failed(error);
  }
}

function total<Name extends string>(all: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return all.reduce((sum, one) => sum + one[name], 0);
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
