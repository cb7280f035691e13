/** The locks of a run, one per bot, which keep other processes and other runs from polling the same bots. */
import { join } from 'node:path';
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { describeThrown } from '../thrown.js';
import { type BotIdentity, botKey } from './bot-key.js';
import type { LockEvent } from './events.js';
import { type FormerFolder, formerFolders } from './former-folders.js';
import { lockAddress } from './lock.js';
import { LockChain } from './lock-chain.js';
import { ProvenLock, type ProvenLockOptions } from './proven-lock.js';
import { ExclusiveLock, SharedLock } from './shared-lock.js';

export interface BotLocksOptions {
  readonly onLocked: 'wait' | 'exit';
  /** Whether processes that share the inbox, which says who of them polls, may run the same bots. Default: no. */
  readonly isShared?: boolean;
  /** Aborts when the run stops, which ends all waits. No lock is taken afterwards. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The directory with one folder per bot, or undefined if there is none. */
  readonly stateDir?: string | undefined;
  /** Returns the pid of the process that runs the bot with this key, if known. */
  readonly holderOf?: (key: string) => number | undefined;
  /** Called when another process holds the bot's lock, and this one stands by. */
  readonly standingBy?: (bot: BotIdentity, key: string) => void;
  /**
   * Called when the bot's lock is held, with the folders of former versions whose locks are held with it; `reserve` and `claim`
   * resolve after it. The signal aborts when the wait for the bot ends.
   */
  readonly acquired?: (
    bot: BotIdentity,
    key: string,
    signal: AbortSignal,
    former: readonly FormerFolder[],
  ) => void | Promise<void>;
  /** Called when a lock that was held is released during the run. */
  readonly released?: (key: string) => void;
  readonly emit: (event: LockEvent) => void;
}

interface BotLock {
  readonly bot: BotIdentity;
  readonly key: string;
  readonly lock: LockChain;
  /** Resolves when the lock is held, or rejects with the reason why it cannot be. */
  readonly held: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Ends the wait for the lock. */
  readonly stop: AbortController;
  /** Whether a bot of this run is polled under this lock. */
  isClaimed: boolean;
  isHeld: boolean;
}

/**
 * How long the next lock is left to the process that has just won an earlier one, so that of two processes that start
 * together with the same bots, one takes them all.
 */
const HEAD_START_MS = 200;

/** Takes, shares and releases the locks of one run. */
export class BotLocks {
  readonly #options: BotLocksOptions;
  readonly #locks = new Map<string, BotLock>();
  readonly #queue: BotLock[] = [];
  #acquiring = false;

  constructor(options: BotLocksOptions) {
    this.#options = options;
  }

  /**
   * Takes the lock of a bot that this run is about to load; a later `claim` shares it. Rejects with the signal's reason,
   * LOCKED if another process holds the lock and `onLocked` is `exit`, BOT_ALREADY_POLLED if another run in this process
   * holds it, and LOCK_UNAVAILABLE if the system refuses it.
   */
  async reserve(bot: BotIdentity): Promise<void> {
    await this.#lockOf(bot).held;
  }

  /**
   * Takes the lock of a bot that is about to be polled. Rejects like `reserve`; the rejection need not be handled.
   *
   * @throws LastcallError BOT_ALREADY_POLLED if this process polls the bot already and would wait for itself
   */
  claim(bot: BotIdentity): Promise<void> {
    const entry = this.#lockOf(bot);
    if (entry.isClaimed) throw alreadyPolled(bot);
    entry.isClaimed = true;
    return entry.held;
  }

  /** Releases the lock of a bot that is polled no longer, or ends the wait for it. */
  releaseOne(bot: BotIdentity): void {
    const entry = this.#locks.get(botKey(bot));
    if (!entry) return;
    entry.stop.abort(new Error(`bot ${bot.botId} is stopped`));
    if (entry.isHeld) this.#options.released?.(entry.key);
    this.#release(entry);
  }

  /** Releases all locks. Call it at the end of the run, when the signal has aborted. */
  release(): void {
    for (const entry of this.#locks.values()) this.#release(entry);
  }

  #release(entry: BotLock): void {
    this.#locks.delete(entry.key);
    polledBots().delete(entry.key);
    if (!entry.isHeld) return;
    entry.lock.release();
    this.#options.emit({ event: 'lock.released', bot: entry.bot.botId });
  }

  #lockOf(bot: BotIdentity): BotLock {
    const key = botKey(bot);
    const own = this.#locks.get(key);
    if (own) return own;
    const polled = polledBots();
    if (polled.has(key)) throw alreadyPolled(bot);
    polled.add(key);
    const entry = newBotLock(bot, key, this.#newChain(bot, key), this.#options.signal);
    this.#locks.set(key, entry);
    this.#queue.push(entry);
    if (!this.#acquiring) void this.#acquireQueued();
    return entry;
  }

  #newChain(bot: BotIdentity, key: string): LockChain {
    const { isShared = false, stateDir, clock } = this.#options;
    const folder = stateDir === undefined ? undefined : join(stateDir, key);
    const own = this.#newLock(bot, { key, folder });
    if (isShared) return new LockChain({ key, lock: new SharedLock({ key, folder, clock }, own) }, () => []);
    return new LockChain({ key, lock: new ExclusiveLock({ key, folder, clock }, own) }, () =>
      // No folder is made for a former version. Whoever holds the bot's own lock has proven enough against a stranger.
      formerFolders(bot, stateDir).map((former) => ({
        ...former,
        lock: this.#newLock(bot, { ...former, yieldsWithoutFolder: true }),
      })),
    );
  }

  #newLock(
    bot: BotIdentity,
    { key, ...parts }: FormerFolder & Pick<ProvenLockOptions, 'yieldsWithoutFolder'>,
  ): ProvenLock {
    const { clock, emit } = this.#options;
    return new ProvenLock({
      ...parts,
      address: lockAddress(key),
      clock,
      usurped: (holder) =>
        emit({
          event: 'lock.usurped',
          bot: bot.botId,
          ...(holder.kind === 'foreign' && { holder: holder.pid, uid: holder.uid }),
        }),
    });
  }

  /**
   * Tries the locks one by one, sorted by key, so that two processes with the same bots do not each hold some. Stands by for
   * those that are taken, while the others are tried.
   */
  async #acquireQueued(): Promise<void> {
    const { clock, signal } = this.#options;
    this.#acquiring = true;
    await Promise.resolve();
    for (let entry = this.#next(); entry; entry = this.#next()) {
      const isFree = await this.#acquire(entry);
      if (!isFree && this.#queue.length > 0) await clock.sleep(HEAD_START_MS, signal).catch(() => {});
    }
    this.#acquiring = false;
  }

  #next(): BotLock | undefined {
    this.#queue.sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.#queue.shift();
  }

  /** Takes the lock if it is free, and returns whether it is; otherwise begins to stand by for it. */
  async #acquire(entry: BotLock): Promise<boolean> {
    const begunAt = this.#options.clock.now();
    try {
      entry.stop.signal.throwIfAborted();
      const isFree = await entry.lock.tryAcquire();
      if (isFree) await this.#hold(entry, 0);
      else
        void this.#standBy(entry).then(
          () => this.#hold(entry, this.#options.clock.now() - begunAt),
          (reason) => this.#fail(entry, reason),
        );
      return isFree;
    } catch (reason) {
      this.#fail(entry, reason);
      return true;
    }
  }

  async #standBy({ bot, key, lock, stop }: BotLock): Promise<void> {
    const { onLocked, holderOf, standingBy, emit } = this.#options;
    const holder = holderOf?.(lock.takenKey);
    if (onLocked === 'exit') throw locked(bot, holder);
    standingBy?.(bot, key);
    emit({ event: 'lock.waiting', bot: bot.botId, holder });
    await lock.acquire(stop.signal);
  }

  async #hold(entry: BotLock, waitedMs: number): Promise<void> {
    const { acquired, emit } = this.#options;
    try {
      entry.stop.signal.throwIfAborted();
      entry.isHeld = true;
      emit({ event: 'lock.acquired', bot: entry.bot.botId, waitedMs });
      await acquired?.(entry.bot, entry.key, entry.stop.signal, entry.lock.former);
      entry.stop.signal.throwIfAborted();
      entry.resolve();
    } catch (reason) {
      this.#fail(entry, reason);
    }
  }

  #fail({ bot, lock, stop, reject }: BotLock, reason: unknown): void {
    lock.release();
    reject(stop.signal.aborted || reason instanceof LastcallError ? reason : unavailable(bot, reason));
  }
}

function newBotLock(bot: BotIdentity, key: string, lock: LockChain, runSignal: AbortSignal): BotLock {
  let resolve = () => {};
  let reject: (reason: unknown) => void = () => {};
  const held = new Promise<void>((onHeld, onFailed) => {
    resolve = onHeld;
    reject = onFailed;
  });
  // A stop may reject the promise before anybody awaits it.
  held.catch(() => {});
  const stop = new AbortController();
  const removeListener = onAbort(runSignal, () => stop.abort(runSignal.reason));
  onAbort(stop.signal, removeListener);
  return { bot, key, lock, held, resolve, reject, stop, isClaimed: false, isHeld: false };
}

function alreadyPolled({ botId }: BotIdentity): LastcallError {
  return new LastcallError('BOT_ALREADY_POLLED', `bot ${botId}`, `this process runs bot ${botId} already`);
}

function locked({ botId }: BotIdentity, holder: number | undefined): LastcallError {
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new LastcallError('LOCKED', `bot ${botId}`, `${who} on this machine runs bot ${botId} already`);
}

function unavailable({ botId }: BotIdentity, cause: unknown): LastcallError {
  const why = describeThrown(cause).replaceAll('\0', '@');
  const message = `the lock of bot ${botId} cannot be taken: ${why}`;
  return new LastcallError('LOCK_UNAVAILABLE', `bot ${botId}`, message, { cause });
}

const POLLED_BOTS = Symbol.for('lastcall.polledBots');

/** The keys of all bots that this process polls. Global, because two copies of lastcall may run in one process. */
function polledBots(): Set<string> {
  const holder: typeof globalThis & { [POLLED_BOTS]?: Set<string> } = globalThis;
  holder[POLLED_BOTS] ??= new Set();
  return holder[POLLED_BOTS];
}
