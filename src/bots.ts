/** All bots of a run, which start, drain and stop side by side, or one by one where the program wants it so. */
import { BotsGauges } from './bots-gauges.js';
import { type ErrorCode, LastcallError } from './errors.js';
import { ExitCode } from './exit-code.js';
import { botKey } from './host/bot-key.js';
import type { BotLocks } from './host/bot-locks.js';
import type { BotEvent } from './host/events.js';
import { type LaunchPipelineOptions, pipelineOf } from './launch-pipeline.js';
import { StopReason } from './lifecycle/stop-reason.js';
import type { PipelineEvent } from './pipeline.js';
import { PolledBot } from './polled-bot.js';
import { identityOf } from './telegraf/identity.js';
import type { Launch } from './telegraf/launch.js';
import type { OrderKeyFunction } from './telegraf/order-key.js';
import { describeThrown, isLastcallError } from './thrown.js';
import { firstFew } from './words.js';

export interface BotsOptions extends LaunchPipelineOptions {
  /** Whether the other bots go on when one of them cannot be polled any more. */
  readonly keepsOthers: boolean;
  /** No bot is polled before its lock is held. */
  readonly locks: Pick<BotLocks, 'claim' | 'releaseOne'>;
  /** Called before a bot is added, wherever its token came from. */
  joining(bot: Launch['bot']): void;
  /** Tells what happens to the bot with this id. */
  emit(event: PipelineEvent | BotEvent, botId: number): void;
  /** Called when the program has stopped the last bot, which has ended. */
  emptied(by: string): void;
}

export class Bots {
  readonly #options: BotsOptions;
  readonly #bots = new Set<PolledBot>();
  /** What can be seen of the bots from outside. */
  readonly gauges = new BotsGauges(this.#bots);
  /** The errors of the bots that have ended while others went on, by the bots' ids. */
  readonly #failures = new Map<number, LastcallError>();
  #phase: 'waiting' | 'polling' | 'stopping' = 'waiting';

  constructor(options: BotsOptions) {
    this.#options = options;
  }

  /**
   * Adds a bot; it is polled from now on, or from `poll()` on, once its lock is held, and an earlier launch of it has ended.
   *
   * @param orderKey the bot's own rule of order; must not throw
   * @throws LastcallError BOT_ALREADY_POLLED if this process polls the bot already; INBOX_UNAVAILABLE if its inbox has no place
   */
  add(launch: Launch, orderKey?: OrderKeyFunction): void {
    const { joining, locks, clock } = this.#options;
    joining(launch.bot);
    const identity = identityOf(launch.bot);
    const key = botKey(identity);
    const earlier = [...this.#bots].findLast((bot) => bot.key === key);
    const after = earlier?.isStopping ? earlier.ended : undefined;
    const connected = () => this.#failures.delete(identity.botId);
    const createPipeline = () => pipelineOf({ launch, identity, key }, orderKey, connected, this.#options);
    const bot = new PolledBot({ launch, identity, key, locks, clock, after, createPipeline });
    if (!after) bot.open();
    this.#bots.add(bot);
    if (this.#phase === 'polling') void this.#poll(bot);
  }

  poll(): void {
    this.#phase = 'polling';
    for (const bot of this.#bots) if (!bot.isStopping) void this.#poll(bot);
  }

  /**
   * Stops one bot while the run goes on.
   *
   * @param by what the program has called
   * @returns false if that would leave no bot and the program launches none, so that the run is to be stopped instead
   */
  stop(launch: Launch, by: string): boolean {
    const bot = [...this.#bots].find((candidate) => candidate.launch === launch);
    if (!bot || bot.isStopping || this.#phase === 'stopping') return true;
    if (!launch.isByProgram && !this.#hasOthers(bot)) return false;
    this.#options.emit({ event: 'bot.stopping', bot: bot.botId, by }, bot.botId);
    void this.#end(bot).then(() => {
      this.#options.emit({ event: 'bot.stopped', bot: bot.botId }, bot.botId);
      launch.ended();
      if (this.isEmpty) this.#options.emptied(by);
    });
    return true;
  }

  /** Ends the launch of a bot that cannot be polled (any more), and with it the run, unless other bots go on. */
  fail(launch: Launch, error: LastcallError): void {
    const { keepsOthers, emit, failed } = this.#options;
    const bot = [...this.#bots].find((candidate) => candidate.launch === launch);
    // The program has stopped it already.
    if (bot?.isStopping && this.#phase !== 'stopping' && concernsOneBot(error)) return;
    if (this.#phase === 'stopping' || !keepsOthers || !concernsOneBot(error) || !this.#hasOthers(bot)) {
      failed(error);
      launch.ended(error);
      return;
    }
    const { botId } = identityOf(launch.bot);
    if (error.code !== 'BOT_ALREADY_POLLED') this.#failures.set(botId, error);
    emit({ event: 'bot.failed', bot: botId, error }, botId);
    if (bot) void this.#end(bot);
    launch.ended(error);
  }

  /** Whether no bot is polled, or is about to be. */
  get isEmpty(): boolean {
    return !this.#hasOthers(undefined);
  }

  stopIntake(): void {
    this.#phase = 'stopping';
    for (const bot of this.#bots) bot.stopIntake();
  }

  /**
   * Lets the handlers of all bots end until `latestEnd` aborts, and asks `why` at the end of each bot's drain. Rejects with
   * DRAIN_OVERDUE, once all bots have drained, if handlers had to be aborted.
   *
   * @param withinMs when `latestEnd` is expected to abort
   */
  async drain(latestEnd: AbortSignal, why: () => 'stop' | 'fault', withinMs?: number): Promise<void> {
    const aborted = await Promise.all(
      [...this.#bots].map(async (bot) => {
        const entries = await bot.drain(latestEnd, why, withinMs);
        bot.launch.ended();
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
    for (const bot of this.#bots) bot.close();
  }

  /** The errors of the bots that ended while others went on, and that were not launched again. */
  get failures(): ReadonlyMap<number, LastcallError> {
    return this.#failures;
  }

  #hasOthers(bot: PolledBot | undefined): boolean {
    return [...this.#bots].some((other) => other !== bot && !other.isStopping);
  }

  async #poll(bot: PolledBot): Promise<void> {
    const error = await bot.poll().then(
      (end) => end?.error,
      (reason: unknown) => {
        if (isLastcallError(reason)) return reason;
        // A stop, of the bot or of the run, has ended the wait for the lock.
        return bot.isStopping || reason instanceof StopReason ? undefined : unexpected(bot.botId, reason);
      },
    );
    if (error) this.fail(bot.launch, error);
  }

  async #end(bot: PolledBot): Promise<void> {
    try {
      await bot.end();
    } catch (error) {
      this.#options.failed(unexpected(bot.botId, error));
    } finally {
      this.gauges.ended(bot);
      this.#bots.delete(bot);
    }
  }
}

const unexpected = (botId: number, cause: unknown): LastcallError =>
  new LastcallError('INTERNAL', `bot ${botId}`, describeThrown(cause), { cause });

/** Whether an error ends one bot. A fault of the process or the disk, which a restart may heal, ends the run. */
function concernsOneBot({ code, exitCode }: LastcallError): boolean {
  return exitCode !== ExitCode.fault || code === ('POLL_REJECTED' satisfies ErrorCode);
}
