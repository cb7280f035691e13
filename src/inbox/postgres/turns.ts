/**
 * Who polls: exactly one of all processes at a time. A turn needs both a lock and a lease. The lock belongs to a session of
 * the database, so that it is free as soon as a process has died; the lease ends by itself where the process stands still
 * or is cut off, whose session the database keeps. Each turn has a number of its own, the epoch: a batch is accepted only
 * in the transaction that finds its epoch to be the newest, so that it does not matter what a process believes.
 */
import { createHash } from 'node:crypto';
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import { parseJson } from '../../json.js';
import type { InboxEvent } from '../events.js';
import { updateId } from '../ids.js';
import { RecentIds } from '../recent-ids.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import { relyMs } from './membership.js';
import { pollPayload } from './statements/channel.js';
import { beginTurn, endTurn, evict, type PollerRow, unlock, watch } from './statements/turns.js';

/** The right to poll. */
export interface Turn {
  /** Aborts when the turn is over. */
  readonly signal: AbortSignal;
  /** Whether another process has polled until now. */
  readonly hasWaited: boolean;
  /** Aborts the signal if the turn is over by now, because the process has stood still. */
  check(): void;
  /** Lets another process poll at once. */
  end(): Promise<void>;
}

export interface TurnsOptions {
  readonly database: Pick<Database, 'beat'>;
  readonly bot: string;
  /** A clock that leaves no time out. */
  readonly clock: Clock;
  readonly leaseMs: number;
  host(): number | undefined;
  /** Another process seems to be dead. */
  dead(): void;
  emit(event: InboxEvent): void;
}

/** How soon it is noticed that the lock is free. */
const WATCH_MS = 200;

/** A turn of this process, with what is known of Telegram's queue in it. */
export class HeldTurn {
  readonly epoch: number;
  readonly recent = new RecentIds();
  readonly controller = new AbortController();
  /** How many batches were accepted in it. */
  batches: number;
  /** The offset that was given last. */
  offset: number | undefined;
  latestEnd = Number.NEGATIVE_INFINITY;
  cancelEnd = () => {};

  constructor({ epoch, batches, recent }: PollerRow) {
    this.epoch = epoch;
    this.batches = batches;
    readRecent(recent, this.recent);
  }

  get isOver(): boolean {
    return this.controller.signal.aborted;
  }
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #lock: readonly [number, number];
  #held: HeldTurn | undefined;
  #wake: () => void = () => {};
  /** Whether there was word that a turn has ended since it was last looked. */
  #isWoken = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#lock = lockOf(options.bot);
  }

  /** The turn of this process, if it has one. */
  get held(): HeldTurn | undefined {
    const held = this.#held;
    if (held) this.#check(held);
    return held?.isOver ? undefined : held;
  }

  /** Stands by until it is this process's turn. Rejects with the signal's reason, or with what the database refuses. */
  async next(signal: AbortSignal): Promise<Turn> {
    const { clock, emit, dead } = this.#options;
    const beganAt = clock.now();
    let isStandingBy = false;
    for (;;) {
      signal.throwIfAborted();
      this.#isWoken = false;
      try {
        const found = await this.#unlessAborted(signal, this.#watch());
        if (found?.held) return this.#begun(found.held, beganAt, isStandingBy);
        if (found && (!found.free || found.place !== undefined)) {
          if (!isStandingBy) emit({ event: 'inbox.standing-by', holder: found.place });
          isStandingBy = true;
          if (found.expired) {
            const { held } = await this.#unlessAborted(signal, this.#supersede());
            if (held) return this.#begun(held, beganAt, true);
          }
        }
        if (found?.dead) dead();
      } catch (error) {
        if (!isAway(error)) throw error;
      }
      await this.#sleep(signal);
    }
  }

  /** Looks again at once whether the lock is free. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** The lease was extended at that time. */
  extended(askedAt: number): void {
    const held = this.#held;
    if (held && !held.isOver) this.#extend(held, askedAt);
  }

  /** Ends the turn, which another process has, or may have. */
  lose(why: string): void {
    const held = this.#held;
    if (!held || held.isOver) return;
    this.#held = undefined;
    held.cancelEnd();
    held.controller.abort(new Error(why));
    this.#options.emit({ event: 'inbox.turn-lost', why });
  }

  async #watch() {
    const { database, bot, host, clock } = this.#options;
    const id = host();
    if (id === undefined) return undefined;
    const askedAt = clock.now();
    const { connections } = database.beat;
    const [found] = await database.beat
      .query(watch, [bot, ...this.#lock, id])
      .catch(async (error: unknown) => {
        // The session may have the lock, though no turn has begun.
        await database.beat.query(unlock).catch(() => {});
        throw error;
      });
    if (!found) return undefined;
    return { ...found, held: this.#hold(found.begun, askedAt, connections) };
  }

  /** As the promise, but rejects with the signal's reason as soon as that aborts. A turn that then begins is ended. */
  async #unlessAborted<T extends { readonly held: HeldTurn | undefined } | undefined>(
    signal: AbortSignal,
    attempt: Promise<T>,
  ): Promise<T> {
    let removeListener = () => {};
    const aborted = new Promise<never>((_, reject) => {
      removeListener = onAbort(signal, () => reject(signal.reason));
    });
    try {
      return await Promise.race([attempt, aborted]);
    } catch (error) {
      if (signal.aborted)
        attempt.then(
          (late) => late?.held && this.end(late.held),
          () => {},
        );
      throw error;
    } finally {
      removeListener();
    }
  }

  /**
   * Takes the place of a process that stands still, or is cut off. Its session is ended, with which the lock is free. Where
   * the role of this process may not do that, and where the lock is not with who polled last, the lease has to do alone.
   */
  async #supersede(): Promise<{ readonly held: HeldTurn | undefined }> {
    const { database, bot } = this.#options;
    const [isFree] = await database.beat.query(evict, [bot, ...this.#lock]).catch((error: unknown) => {
      if (isAway(error)) throw error;
      return [false];
    });
    return { held: isFree ? undefined : await this.#begin() };
  }

  #begun(held: HeldTurn, since: number, hasWaited: boolean): Turn {
    const { clock, emit } = this.#options;
    emit({ event: 'inbox.turn-began', epoch: held.epoch, waitedMs: Math.round(clock.now() - since) });
    return this.#turnOf(held, hasWaited);
  }

  /** Begins a turn with a lease alone. */
  async #begin(): Promise<HeldTurn | undefined> {
    const { database, bot, clock, host } = this.#options;
    const askedAt = clock.now();
    const { connections } = database.beat;
    const [row] = await database.beat.query(beginTurn, [bot, host()]);
    return this.#hold(row, askedAt, connections);
  }

  /** The turn that has begun; none where the session in which it did is lost. */
  #hold(row: PollerRow | undefined, askedAt: number, connections: number): HeldTurn | undefined {
    if (!row || this.#options.database.beat.connections !== connections) return undefined;
    const held = new HeldTurn(row);
    this.#held = held;
    this.#extend(held, askedAt);
    return held;
  }

  #turnOf(held: HeldTurn, hasWaited: boolean): Turn {
    return {
      hasWaited,
      signal: held.controller.signal,
      check: () => this.#check(held),
      end: () => this.end(held),
    };
  }

  #extend(held: HeldTurn, askedAt: number): void {
    const { leaseMs } = this.#options;
    held.cancelEnd();
    held.latestEnd = askedAt + relyMs(leaseMs);
    this.#expectEnd(held);
  }

  #expectEnd(held: HeldTurn): void {
    const { clock } = this.#options;
    held.cancelEnd = clock.after(Math.max(1, held.latestEnd - clock.now()), () => {
      this.#check(held);
      // Timers fire up to a millisecond early.
      if (!held.isOver) this.#expectEnd(held);
    });
  }

  #check(held: HeldTurn): void {
    if (held === this.#held && this.#options.clock.now() >= held.latestEnd)
      this.lose('the lease could not be extended in time');
  }

  async end(held: HeldTurn): Promise<void> {
    const { database, bot } = this.#options;
    if (held !== this.#held) return;
    this.#held = undefined;
    held.cancelEnd();
    held.controller.abort(new Error('the turn has ended'));
    // Where the database is away, the lock is free, or will be.
    await database.beat.query(endTurn, [bot, held.epoch, pollPayload(bot)]).catch(() => {});
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (this.#isWoken) return;
    const wait = new AbortController();
    this.#wake = () => wait.abort();
    const stop = () => wait.abort();
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(WATCH_MS, wait.signal).catch(() => {});
    signal.removeEventListener('abort', stop);
    this.#wake = () => {};
  }
}

/** The ids as they are kept in the database. */
export const writeRecent = ({ arrivals }: Pick<RecentIds, 'arrivals'>): string =>
  JSON.stringify(arrivals.map(({ atMs, ids }) => [atMs, ids]));

/** Adds the ids that were kept in the database. */
export function readRecent(text: string, recent: RecentIds): void {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) return;
  for (const row of rows as unknown[]) {
    if (!Array.isArray(row)) continue;
    const [atMs, ids] = row as unknown[];
    if (typeof atMs !== 'number' || !Array.isArray(ids)) continue;
    recent.add({ atMs, ids: ids.filter((id) => typeof id === 'number').map(updateId) });
  }
}

/** The name of the lock of who polls a bot: two whole numbers of four bytes. */
function lockOf(bot: string): readonly [number, number] {
  const digest = createHash('sha256').update(`lastcall ${bot}`).digest();
  return [digest.readInt32BE(0), digest.readInt32BE(4)];
}
