/**
 * The locks of a run: whichever bots it polls, no other process on this host runs them, nor does another run in this
 * process. Where somebody else does, the run stands by until that one has ended.
 */
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { type BotIdentity, botKey } from './bot-key.js';
import type { LockEvent } from './events.js';
import { HostLock, lockAddress } from './lock.js';

export interface BotLocksOptions {
  /** What to do when another process holds a lock. */
  readonly onLocked: 'wait' | 'exit';
  /** Ends standing by; from then on no lock is taken. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The pid of the process that holds the bot of this key, where that can be known. */
  readonly holderOf?: (key: string) => number | undefined;
  /** The bot is this run's alone from now on. */
  readonly acquired?: (bot: BotIdentity, key: string) => void;
  readonly emit: (event: LockEvent) => void;
}

interface Seat {
  readonly bot: BotIdentity;
  readonly key: string;
  readonly lock: HostLock;
  /** Settles with the lock, or with the reason why there is none. */
  readonly held: Promise<void>;
  readonly taken: () => void;
  readonly refused: (reason: unknown) => void;
  /** Some bot of this run is polled under it. */
  claimed: boolean;
  state: 'queued' | 'held' | 'given-up';
}

export class BotLocks {
  readonly #options: BotLocksOptions;
  readonly #seats = new Map<string, Seat>();
  readonly #queue: Seat[] = [];
  #working = false;

  constructor(options: BotLocksOptions) {
    this.#options = options;
  }

  /**
   * Takes the lock of a bot that this run is about to load; a later `claim` of the same bot shares it. Resolves when
   * the lock is held. Rejects with LOCKED if another process holds it and that is not to be waited for, with
   * BOT_ALREADY_POLLED if another run in this process does, with LOCK_UNAVAILABLE if nobody can have it, and with the
   * signal's reason when that aborts.
   */
  async reserve(bot: BotIdentity): Promise<void> {
    await this.#seat(bot).held;
  }

  /**
   * Takes the lock for a bot that is to be polled. What it returns settles as that of `reserve`, and need not be
   * heeded.
   *
   * @throws LastcallError BOT_ALREADY_POLLED when this process polls the same bot already: it would wait for itself
   */
  claim(bot: BotIdentity): Promise<void> {
    const seat = this.#seat(bot);
    if (seat.claimed) throw alreadyPolled(bot);
    seat.claimed = true;
    return seat.held;
  }

  /** Gives all of them back. To be called when nothing of the run is at work any more; the signal has aborted. */
  release(): void {
    for (const seat of this.#seats.values()) {
      register().delete(seat.key);
      if (seat.state !== 'held') continue;
      seat.lock.release();
      this.#options.emit({ event: 'lock.released', bot: seat.bot.botId });
    }
    this.#seats.clear();
  }

  #seat(bot: BotIdentity): Seat {
    const key = botKey(bot);
    const own = this.#seats.get(key);
    if (own) return own;
    const polled = register();
    if (polled.has(key)) throw alreadyPolled(bot);
    polled.add(key);
    const seat = newSeat(bot, key, new HostLock(lockAddress(key), this.#options.clock));
    this.#seats.set(key, seat);
    this.#queue.push(seat);
    if (!this.#working) void this.#work();
    return seat;
  }

  /**
   * Takes the locks one after the other, those that are asked for in one go in the order of their keys: two processes
   * of one program with several bots then never hold some each.
   */
  async #work(): Promise<void> {
    this.#working = true;
    await Promise.resolve();
    for (let seat = this.#next(); seat; seat = this.#next()) await this.#take(seat);
    this.#working = false;
  }

  #next(): Seat | undefined {
    this.#queue.sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.#queue.shift();
  }

  async #take(seat: Seat): Promise<void> {
    const { signal, clock, acquired, emit } = this.#options;
    const { bot, key, lock } = seat;
    const begunAt = clock.now();
    try {
      signal.throwIfAborted();
      const free = await lock.tryAcquire();
      if (!free) await this.#standBy(seat);
      signal.throwIfAborted();
      seat.state = 'held';
      emit({ event: 'lock.acquired', bot: bot.botId, waitedMs: free ? 0 : clock.now() - begunAt });
      acquired?.(bot, key);
      seat.taken();
    } catch (reason) {
      lock.release();
      seat.state = 'given-up';
      seat.refused(signal.aborted || reason instanceof LastcallError ? reason : unavailable(bot, reason));
    }
  }

  async #standBy({ bot, key, lock }: Seat): Promise<void> {
    const { onLocked, signal, holderOf, emit } = this.#options;
    const holder = holderOf?.(key);
    if (onLocked === 'exit') throw locked(bot, holder);
    emit({ event: 'lock.waiting', bot: bot.botId, holder });
    await lock.acquire(signal);
  }
}

function newSeat(bot: BotIdentity, key: string, lock: HostLock): Seat {
  let taken = () => {};
  let refused: (reason: unknown) => void = () => {};
  const held = new Promise<void>((resolve, reject) => {
    taken = resolve;
    refused = reject;
  });
  // A stop may come before anybody waits for it.
  held.catch(() => {});
  return { bot, key, lock, held, taken, refused, claimed: false, state: 'queued' };
}

function alreadyPolled({ botId }: BotIdentity): LastcallError {
  return new LastcallError('BOT_ALREADY_POLLED', `bot ${botId}`, `this process runs bot ${botId} already`);
}

function locked({ botId }: BotIdentity, holder: number | undefined): LastcallError {
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new LastcallError('LOCKED', `bot ${botId}`, `${who} on this machine runs bot ${botId} already`);
}

function unavailable({ botId }: BotIdentity, cause: unknown): LastcallError {
  const why = cause instanceof Error ? cause.message.replaceAll('\0', '@') : String(cause);
  const message = `the lock of bot ${botId} cannot be taken: ${why}`;
  return new LastcallError('LOCK_UNAVAILABLE', `bot ${botId}`, message, { cause });
}

const REGISTER = Symbol.for('lastcall.polledBots');

/** The process's own, so that two copies of lastcall in one process know of each other. */
function register(): Set<string> {
  const holder: typeof globalThis & { [REGISTER]?: Set<string> } = globalThis;
  holder[REGISTER] ??= new Set();
  return holder[REGISTER];
}
