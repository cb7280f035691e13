/**
 * This process as one of those that work with the inbox. It gives a sign of life every second; one that has given none for
 * the time of its lease is taken for dead by the others, who then have all that it had. A process that stood still, or was
 * cut off, therefore begins nothing from a second before its lease ends, by its own clock, until it knows that it still has
 * its row; and all that it sends names the row, so that it has no effect without.
 */
import type { Clock } from '../../clock.js';
import { type Database, RETURN_MS } from './database.js';
import { isAway } from './failure.js';
import { beat, register } from './statements/hosts.js';
import { addPoller } from './statements/turns.js';

export interface MembershipOptions {
  readonly database: Pick<Database, 'beat'>;
  readonly bot: string;
  /** Where this process runs, for people. */
  readonly place: string;
  /** A clock that leaves no time out. */
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Whether the process stops, so that what its end cuts off counts as cut by a stop. */
  isDraining(): boolean;
  /** The turn in which this process polls, if it does. */
  epoch(): number | undefined;
  readonly on: {
    /** The row is there, as of when this was asked; `polls`: whether the turn lasts that was asked about, if one was. */
    alive(askedAt: number, polls?: boolean): void;
    /** The process was taken for dead, and has a new number now. */
    lost(): void;
    /** There are lanes that nobody has. */
    work(): void;
    /** Another process seems to be dead. */
    dead(): void;
    failed(error: unknown): void;
  };
}

export const LEASE_MS = 5_000;

const SOON_MS = 10;

/** How many signs of life a lease has time for. */
const BEATS_PER_LEASE = 5;

/** For how long after a sign of life a process relies on its lease: nothing begins in the last second of it. */
export const relyMs = (leaseMs: number): number => leaseMs * (1 - 1 / BEATS_PER_LEASE);

export class Membership {
  readonly #options: MembershipOptions;
  #id: number | undefined;
  #beganAt = 0;
  #aliveUntil = Number.NEGATIVE_INFINITY;
  /** Since when the database has answered each time; undefined while it does not. */
  #steadySince: number | undefined = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #cancelBeat = () => {};
  #cancelEnd = () => {};
  #beating: Promise<void> | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** The number of this process in the database; undefined while it has none. */
  get id(): number | undefined {
    return this.#id;
  }

  /** Whether updates may begin. */
  get isAlive(): boolean {
    return this.#options.clock.now() < this.#aliveUntil;
  }

  /**
   * Whether this process can tell whether others are dead. After an outage it cannot: they have been cut off, too, and are
   * given the time to connect again, and as long as a lease.
   */
  get canJudge(): boolean {
    const { clock, leaseMs } = this.#options;
    return this.#steadySince !== undefined && clock.now() - this.#steadySince >= leaseMs + RETURN_MS;
  }

  /** Rejects with what the database says. */
  async begin(): Promise<void> {
    await this.#register();
    this.#scheduleBeat();
  }

  /** No sign of life is given any more. Resolves when none is under way. */
  async end(): Promise<void> {
    this.#isClosed = true;
    this.#cancelBeat();
    this.#cancelEnd();
    this.#aliveUntil = Number.NEGATIVE_INFINITY;
    await this.#beating;
  }

  /** The row is gone, as another statement has found. */
  noticeLoss(id: number): void {
    if (id !== this.#id) return;
    this.#id = undefined;
    this.#aliveUntil = Number.NEGATIVE_INFINITY;
    this.#options.on.lost();
    this.beatNow();
  }

  /** The database was away, perhaps for the other processes, too. */
  noticeOutage(): void {
    this.#steadySince = this.#options.clock.now();
  }

  beatNow(): void {
    this.#cancelBeat();
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
      if (!this.#isClosed) this.#scheduleBeat();
    });
  }

  /** Another process may be dead: looks at once when its lease has ended, and not only with the next sign of life. */
  #expectEnd(inMs: number | undefined): void {
    const { clock, leaseMs, on } = this.#options;
    this.#cancelEnd();
    if (inMs === undefined || inMs > leaseMs * (1 - 2 / BEATS_PER_LEASE)) return;
    this.#cancelEnd = clock.after(Math.max(0, inMs) + SOON_MS, () => on.dead());
  }

  #scheduleBeat(): void {
    const { clock, leaseMs } = this.#options;
    const everyMs = leaseMs / BEATS_PER_LEASE;
    // Not to fall into step with the time of the answer.
    const dueInMs = Math.max(0, this.#beganAt + everyMs - clock.now());
    this.#cancelBeat = clock.after(dueInMs, () => this.beatNow());
  }

  async #register(): Promise<void> {
    const { database, bot, place, leaseMs, clock } = this.#options;
    const askedAt = clock.now();
    this.#beganAt = askedAt;
    await database.beat.query(addPoller, [bot]);
    const [row] = await database.beat.query(register, [bot, place, leaseMs]);
    this.#id = row?.id;
    this.#aliveUntil = askedAt + relyMs(leaseMs);
  }

  async #beat(): Promise<void> {
    const { database, clock, leaseMs, isDraining, epoch, on } = this.#options;
    const askedAt = clock.now();
    this.#beganAt = askedAt;
    try {
      const id = this.#id;
      if (id === undefined) {
        await this.#register();
        if (!this.#isClosed) on.alive(askedAt);
        return;
      }
      const turn = epoch();
      const [found] = await database.beat.query(beat, [id, isDraining(), turn ?? null]);
      if (this.#isClosed || id !== this.#id) return;
      this.#steadySince ??= clock.now();
      if (!found) {
        this.#id = undefined;
        this.#aliveUntil = Number.NEGATIVE_INFINITY;
        on.lost();
        await this.#register();
        on.alive(askedAt);
        return;
      }
      this.#aliveUntil = askedAt + relyMs(leaseMs);
      on.alive(askedAt, turn === undefined ? undefined : found.polls);
      if (found.work) on.work();
      this.#expectEnd(found.nextEndMs);
    } catch (error) {
      this.#steadySince = undefined;
      if (!isAway(error) && !this.#isClosed) on.failed(error);
    }
  }
}
