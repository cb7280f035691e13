/**
 * The inbox of several hosts: updates are in a database before Telegram is told to forget them. One process polls, all of
 * them handle; the lanes of chats are dealt out, so that the order of each chat is kept. What a process had, however it
 * ends, the others go on with.
 *
 *     opening ──► open ──► draining ──► closed
 *                  └──────────┴──► failed ──► closed
 *
 * A database that is away is no failure: nothing is accepted meanwhile, nothing begins once the lease of this process may
 * have ended, and what has settled is written as soon as the database is back.
 */
import { createHash } from 'node:crypto';
import { Ages } from '../../ages.js';
import { backgroundClock, type Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { guarded } from '../../listener.js';
import { describeThrown, isLastcallError } from '../../thrown.js';
import { counterOf, newCounters } from '../counters.js';
import type { InboxEvent } from '../events.js';
import type { Seq } from '../ids.js';
import {
  type Entry,
  type Inbox,
  type InboxCounts,
  type InboxOptions,
  type InboxReport,
  isDeadReason,
  type Retry,
  type Settlement,
  UPDATE_EXPIRES_AFTER_MS,
  type WaitingBehind,
} from '../inbox.js';
import { Claims } from './claims.js';
import type { Connect } from './connection.js';
import { Database } from './database.js';
import { type DepartureOptions, freeTheDead, leave } from './departure.js';
import { readDurability } from './durability.js';
import { isAway } from './failure.js';
import { Intake, type IntakeOptions } from './intake.js';
import { Item } from './item.js';
import { withoutNul } from './kept-text.js';
import { LEASE_MS, Membership } from './membership.js';
import { migrate } from './migrate.js';
import { Reserve } from './reserve.js';
import { Room } from './room.js';
import { CHANNEL, pollPayload } from './statements/channel.js';
import {
  count,
  type DroppedLetters,
  dropOldLetters,
  dropSurplusLetters,
  lookBack,
} from './statements/counts.js';
import { type Turn, Turns } from './turns.js';
import { Writer } from './writer.js';

export interface PostgresOptions<U> extends InboxOptions<U> {
  /** The bot's key: a database holds the inboxes of several bots. */
  readonly bot: string;
  /** Where this process runs, for people. */
  readonly place: string;
  /** The database in words, without anything secret. */
  readonly path: string;
  /** Loads the driver. */
  createDriver(): Promise<Connect>;
  /** After how many attempts in a row that ended with the process an update is given up; 0: never. */
  readonly maxAttempts: number;
  readonly deadLetterLimits?: { readonly number: number; readonly ageMs: number };
  /** How many handlers may be at work at once. */
  readonly concurrency: number;
  /** How many updates may wait before no more are taken from Telegram. */
  readonly limit: number;
  /** Makes an update of its JSON. */
  restore(content: unknown): U;
  /** Puts an error into words that may be kept. */
  errorText(error: unknown): string;
  emit(event: InboxEvent): void;
  /** A clock that leaves no time out, as `clock` may. Default: the system's. */
  readonly leaseClock?: Clock;
  /** How long this process may give no sign of life before it is taken for dead. */
  readonly leaseMs?: number;
}

/** How often all that waits is counted, and superfluous dead letters are dropped. */
const COUNT_EVERY_MS = 10_000;

/** How often it is looked whether a full inbox has room again. */
const ROOM_EVERY_MS = 1_000;

const PAUSE_MS = 200;

/** How long a stop waits for a database that does not answer. */
const CLOSE_WITHIN_MS = 2_000;

type State = 'opening' | 'open' | 'draining' | 'failed' | 'closed';

interface Parts<U extends { readonly update_id: number }> {
  readonly database: Database;
  readonly membership: Membership;
  readonly turns: Turns;
  readonly writer: Writer<U>;
  readonly claims: Claims<U>;
  readonly intake: Intake<U>;
}

export class PostgresInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = true;
  readonly outlivesRun = true;
  readonly expiresAfterMs = UPDATE_EXPIRES_AFTER_MS;
  /** No time limit of a watchdog applies to a network. */
  readonly latestEnd = Number.POSITIVE_INFINITY;
  readonly #options: PostgresOptions<U> & Pick<IntakeOptions<U>, 'now' | 'ageOf'>;
  readonly #leaseClock: Clock;
  readonly #leaseMs: number;
  readonly #counters = newCounters();
  readonly #departure: DepartureOptions;
  readonly #room: Room;
  readonly #closing = new AbortController();
  /** The entries that were taken and have not settled. */
  readonly #taken = new Map<Entry<U>, Item<U>>();
  #state: State = 'opening';
  #parts: Parts<U> | undefined;
  #reserve: Reserve<U>;
  #unsettled = 0;
  #dead = 0;
  #freeing: Promise<void> | undefined;
  #awaySince: number | undefined;
  #hasBeenAway = false;
  #wasPolled = false;
  /** Whether the stop is none that a fault has caused. */
  #isStop = false;
  #cancelCount = () => {};
  #report: Promise<InboxReport> | undefined;

  constructor(options: PostgresOptions<U>) {
    const { now = Date.now, leaseClock = backgroundClock, leaseMs = LEASE_MS } = options;
    const ages = new Ages(now, leaseClock);
    this.#options = { ...options, now, ageOf: (atMs) => ages.of(atMs), emit: guarded(options.emit) };
    this.#leaseClock = leaseClock;
    this.#leaseMs = leaseMs;
    const { bot, maxAttempts, emit } = this.#options;
    this.#departure = { bot, maxAttempts, emit };
    this.#room = new Room({ limit: options.limit, clock: leaseClock, emit });
    this.#reserve = this.#newReserve();
  }

  /** Rejects with what the database refuses for good, and with the signal's reason. Waits for a database that is away. */
  async open(signal?: AbortSignal): Promise<void> {
    const { bot, path, emit, createDriver } = this.#options;
    const stop = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    const connect = await createDriver();
    const database = new Database({
      connect,
      clock: this.#leaseClock,
      connected: () => this.#connected(database),
      lost: (session, error) => this.#disconnected(session, error),
    });
    try {
      await database.open(stop);
      await migrate(database.work, { clock: this.#leaseClock, signal: stop });
      const parts = this.#assemble(database);
      this.#parts = parts;
      if (this.#hasBeenAway) parts.membership.noticeOutage();
      await this.#untilAnswered(() => parts.membership.begin(), stop);
      await this.#untilAnswered(() => this.#lookBack(parts), stop);
      await database.listen(CHANNEL, (payload) => this.#notified(payload));
      const { survives, except } = await this.#untilAnswered(() => readDurability(database.work), stop);
      emit({
        event: 'inbox.opened',
        path: `${path} (bot ${bot})`,
        survives,
        ...(except !== undefined && { except }),
      });
    } catch (error) {
      await this.#parts?.membership.end();
      await database.close();
      throw error;
    }
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#countLater();
    this.#opened.claims.wake();
  }

  /** Whether any process has polled the bot before this one has opened the inbox. */
  get wasPolled(): boolean {
    return this.#wasPolled;
  }

  /** Stands by until this process is the one that polls. Only then `accept` takes anything. */
  nextTurn(signal: AbortSignal): Promise<Turn> {
    return this.#opened.turns.next(signal);
  }

  async accept(batch: readonly U[]): Promise<number | undefined> {
    if (batch.length === 0 || this.#isEnded) return undefined;
    if (this.#unsettled >= this.#options.limit) this.#countLater(ROOM_EVERY_MS);
    await this.#room.wait(this.#unsettled);
    if (this.#isEnded) return undefined;
    const { intake, claims } = this.#opened;
    const accepted = await intake.accept(batch).catch((error: unknown) => {
      this.#fail(error);
      throw error;
    });
    if (!accepted) return undefined;
    this.#counters.accepted += accepted.updates;
    this.#unsettled += accepted.updates;
    if (accepted.updates > 0) claims.wake();
    return accepted.offset;
  }

  get hasReady(): boolean {
    return this.#mayBegin && this.#reserve.hasReady;
  }

  take(most: number): readonly Entry<U>[] {
    const items: Item<U>[] = [];
    if (!this.#mayBegin) return items;
    while (items.length < most) {
      const item = this.#reserve.take();
      if (!item) break;
      items.push(item);
      this.#taken.set(item, item);
    }
    const { writer, claims } = this.#opened;
    if (items.length > 0) writer.begun();
    claims.noticeTaken(items.length);
    return items;
  }

  settle(entry: Entry<U>, result: Settlement, error?: unknown): void {
    const item = this.#end(entry);
    if (!item) return;
    const { writer } = this.#opened;
    this.#counters[counterOf[result]]++;
    this.#unsettled--;
    this.#reserve.remove(item);
    if (result === 'handled') writer.add(item, { kind: 'settled' });
    else {
      const { updateId, kind, attempt: attempts, stored } = item;
      const { deaths, cuts } = stored;
      const text = error === undefined ? undefined : withoutNul(this.#options.errorText(error));
      writer.add(item, { kind: 'given up', why: result, error: text, attempts });
      this.#dead++;
      this.#options.emit({ event: 'inbox.dead', updateId, kind, why: result, attempts, deaths, cuts });
    }
    this.#room.check(this.#unsettled);
  }

  putBack(entry: Entry<U>, retry: Retry): void {
    const item = this.#end(entry);
    if (!item) return;
    this.#counters.putBack++;
    const { attempts, putBacks, retries } = this.#reserve.putBack(item, retry).stored;
    const { delayMs } = retry;
    this.#opened.writer.add(item, { kind: 'put back', attempts, putBacks, retries, delayMs });
  }

  waitingBehind({ key }: Entry<U>): WaitingBehind | undefined {
    return this.#reserve.waitingBehind(key);
  }

  drain(cause: 'stop' | 'fault' = 'stop'): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return;
    this.#state = 'draining';
    this.#isStop = cause === 'stop';
    this.#room.close();
    this.#reserve.beginClosing();
    // Written at once, so that a supervisor that kills amid the drain counts as a stop, and not as a death.
    this.#parts?.writer.hasten();
  }

  close(cause: 'stop' | 'fault' = 'stop'): Promise<InboxReport> {
    this.#report ??= this.#close(cause);
    return this.#report;
  }

  get counts(): InboxCounts {
    const taken = this.#taken.size;
    const waiting = Math.max(0, this.#unsettled - taken);
    return { ...this.#counters, dead: this.#dead, waiting, taken, mayRepeat: taken };
  }

  get #mayBegin(): boolean {
    return this.#state === 'open' && this.#parts?.membership.isAlive === true;
  }

  get #isEnded(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  get #opened(): Parts<U> {
    if (!this.#parts) throw new Error('the inbox is not open');
    return this.#parts;
  }

  #newReserve(): Reserve<U> {
    const { clock, restore, maxAttempts, available } = this.#options;
    return new Reserve<U>({
      clock,
      isSuspect: ({ stored: { deaths, cuts } }) =>
        maxAttempts > 0 && deaths > 0 && deaths + cuts >= maxAttempts - 1,
      again({ stored, host }, { delayMs, isRetry }) {
        const attempts = stored.attempts + 1;
        const putBacks = stored.putBacks + 1;
        const retries = isRetry ? stored.retries + 1 : stored.retries;
        return new Item(
          { ...stored, attempts, putBacks, retries, delayMs, deaths: 0, cuts: 0 },
          host,
          restore,
        );
      },
      available: () => available(),
      thinned: () => this.#parts?.claims.wake(),
      unmarked: () => this.#parts?.writer.hasten(),
    });
  }

  #assemble(database: Database): Parts<U> {
    const { bot, place, emit } = this.#options;
    const [clock, leaseMs] = [this.#leaseClock, this.#leaseMs];
    const membership: Membership = new Membership({
      database,
      bot,
      place,
      clock,
      leaseMs,
      isDraining: () => this.#isStop,
      epoch: () => turns.held?.epoch,
      on: {
        alive: (askedAt, polls) => {
          if (polls === true) turns.extended(askedAt);
          if (polls === false) turns.lose('another process polls');
          this.#options.available();
          claims.resume();
        },
        lost: () => this.#lostHost(),
        work: () => claims.wake(),
        dead: () => this.#freeTheDead(),
        failed: (error) => this.#fail(error),
      },
    });
    const turns: Turns = new Turns({
      database,
      bot,
      lock: lockOf(bot),
      clock,
      leaseMs,
      host: () => membership.id,
      dead: () => this.#freeTheDead(),
      emit,
    });
    const writer = new Writer<U>({
      database,
      clock,
      reserve: () => this.#reserve,
      host: () => membership.id,
      isDraining: () => this.#isStop,
      lost: (host) => membership.noticeLoss(host),
      freed: () => claims.wake(),
      failed: (error) => this.#fail(error),
    });
    const { now, restore } = this.#options;
    const claims: Claims<U> = new Claims<U>({
      database,
      clock,
      now,
      restore,
      reserve: () => this.#reserve,
      known: () => {
        const returning = writer.returning.map(({ key, given }) => [key, given] as const);
        return new Map([...returning, ...this.#reserve.givenUpTo]);
      },
      host: () => (this.#mayBegin ? membership.id : undefined),
      given: () => {
        this.#options.available();
        if (this.#reserve.hasReturned) writer.hasten();
      },
      failed: (error) => this.#fail(error),
    });
    const persists = () => this.#state === 'open';
    const intake = new Intake<U>({ ...this.#options, database, turns, clock, persists });
    return { database, membership, turns, writer, claims, intake };
  }

  /** Whether the entry is at work, and this process's still. It is not taken any more. */
  #end(entry: Entry<U>): Item<U> | undefined {
    const item = this.#taken.get(entry);
    if (!item || this.#isEnded) return undefined;
    this.#taken.delete(entry);
    // What was taken for dead is somebody else's by now.
    return item.host === this.#parts?.membership.id ? item : undefined;
  }

  async #lookBack({ database, membership }: Parts<U>): Promise<void> {
    const { bot, emit } = this.#options;
    const own = membership.id ?? 0;
    // After an outage the others are given the time to come back.
    if (!this.#hasBeenAway) this.#counters.dropped += await freeTheDead(database, own, this.#departure);
    const [found] = await database.work.query(lookBack, [bot, own]);
    const [counted] = await database.work.query(count, [bot]);
    if (!found || !counted) return;
    this.#wasPolled = found.wasPolled;
    this.#unsettled = found.unsettled;
    this.#dead = counted.dead;
    if (found.hasOthers || found.unsettled === 0) return;
    this.#counters.recovered = found.unsettled;
    const { begun, died } = found;
    emit({ event: 'inbox.recovered', updates: found.unsettled, begun, died });
  }

  #notified(payload: string | undefined): void {
    const { bot } = this.#options;
    // Some may have been missed.
    if (payload === undefined || payload === bot) {
      this.#parts?.claims.wake();
    }
    if (payload === undefined || payload === pollPayload(bot)) this.#parts?.turns.wake();
  }

  #freeTheDead(): void {
    const parts = this.#parts;
    const own = parts?.membership.id;
    if (!parts || own === undefined || !parts.membership.canJudge) return;
    this.#freeing ??= freeTheDead(parts.database, own, this.#departure)
      .then(
        (givenUp) => {
          this.#counters.dropped += givenUp;
          this.#dead += givenUp;
        },
        (error: unknown) => {
          if (!isAway(error)) this.#fail(error);
        },
      )
      .finally(() => {
        this.#freeing = undefined;
      });
  }

  /** This process was taken for dead: what it had is with the others, also what is at work here. */
  #lostHost(): void {
    if (this.#isEnded) return;
    const { turns, writer, claims } = this.#opened;
    const { emit } = this.#options;
    emit({ event: 'inbox.host-lost', running: this.#taken.size });
    turns.lose('this process was taken for dead');
    this.#reserve.close();
    writer.forget();
    this.#reserve = this.#newReserve();
    if (this.#state === 'draining') this.#reserve.beginClosing();
    claims.wake();
  }

  #connected({ isConnected }: Database): void {
    const parts = this.#parts;
    const since = this.#awaySince;
    if (since === undefined || !isConnected) return;
    this.#awaySince = undefined;
    this.#options.emit({ event: 'inbox.reachable', outageMs: Math.round(this.#leaseClock.now() - since) });
    parts?.membership.beatNow();
    parts?.claims.wake();
  }

  #disconnected(session: { readonly name: string }, error: LastcallError): void {
    if (session.name === 'beat') this.#parts?.turns.lose('the session that holds the lock was lost');
    this.#hasBeenAway = true;
    this.#parts?.membership.noticeOutage();
    if (this.#awaySince !== undefined || this.#isEnded) return;
    this.#awaySince = this.#leaseClock.now();
    this.#options.emit({ event: 'inbox.unreachable', detail: error.message });
  }

  /** Counts everything again, since others accept and settle, too, and drops the dead letters beyond the limits. */
  #countLater(ms = COUNT_EVERY_MS): void {
    this.#cancelCount();
    this.#cancelCount = this.#leaseClock.after(ms, () => {
      void this.#count().finally(() => {
        if (!this.#isEnded) this.#countLater(this.#room.isFull ? ROOM_EVERY_MS : COUNT_EVERY_MS);
      });
    });
  }

  async #count(): Promise<void> {
    const { bot, deadLetterLimits } = this.#options;
    const { database, turns, writer } = this.#opened;
    try {
      if (deadLetterLimits && turns.held) {
        const { number, ageMs } = deadLetterLimits;
        this.#tellDropped('DEAD_AGE', await database.work.query(dropOldLetters, [bot, ageMs]));
        this.#tellDropped('DEAD_LIMIT', await database.work.query(dropSurplusLetters, [bot, number]));
      }
      const [counted] = await database.work.query(count, [bot]);
      if (!counted) return;
      this.#unsettled = Math.max(this.#taken.size, counted.unsettled - writer.unwritten.length);
      this.#dead = counted.dead;
      this.#room.check(this.#unsettled);
    } catch (error) {
      if (!isAway(error)) this.#fail(error);
    }
  }

  #tellDropped(limit: 'DEAD_LIMIT' | 'DEAD_AGE', dropped: readonly DroppedLetters[]): void {
    if (dropped.length === 0) return;
    const letters = dropped.reduce((sum, row) => sum + row.letters, 0);
    this.#counters.deadDropped += letters;
    const why = Object.fromEntries(
      dropped.flatMap((row) => (isDeadReason(row.why) ? [[row.why, row.letters] as const] : [])),
    );
    this.#options.emit({ event: 'inbox.dead-dropped', letters, limit, why });
  }

  async #close(cause: 'stop' | 'fault'): Promise<InboxReport> {
    const hasFailed = this.#state === 'failed';
    this.#state = 'closed';
    this.#closing.abort(new Error('the inbox is closed'));
    this.#cancelCount();
    this.#room.close();
    this.#reserve.close();
    const parts = this.#parts;
    if (!parts) return { left: 0, mayRepeat: [] };
    const { database, membership, turns, writer, claims } = parts;
    const taken = [...this.#taken.values()];
    const host = membership.id;
    let left = this.#unsettled;
    const goodbye = async () => {
      const { held } = turns;
      if (held) await turns.end(held);
      await claims.settled();
      await writer.finish();
      await membership.end();
      if (hasFailed || host === undefined || host !== membership.id) return;
      const running = taken.filter((item) => item.host === host).map((item): Seq => item.seq);
      const by = cause === 'stop' ? 'stop' : 'death';
      this.#counters.dropped += await leave(database, { host, running, by }, this.#departure);
      const [counted] = await database.work.query(count, [this.#options.bot]);
      if (counted) left = counted.unsettled;
    };
    await within(CLOSE_WITHIN_MS, this.#leaseClock, goodbye());
    writer.close();
    await within(CLOSE_WITHIN_MS, this.#leaseClock, Promise.all([membership.end(), database.close()]));
    const mayRepeat = [...taken.map((item) => item.updateId), ...writer.unwritten];
    return { left, mayRepeat };
  }

  #fail(cause: unknown): void {
    if (this.#isEnded) return;
    this.#state = 'failed';
    this.#closing.abort(new Error('the inbox has failed'));
    this.#parts?.turns.lose('the inbox has failed');
    this.#room.close();
    const error = isLastcallError(cause)
      ? cause
      : new LastcallError('INTERNAL', 'inbox', describeThrown(cause), { cause });
    this.#options.emit({ event: 'inbox.failed', error });
  }

  /** Does what the database is asked for, again as long as it is away. */
  async #untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        if (!isAway(error)) throw error;
        await this.#leaseClock.sleep(PAUSE_MS, signal);
      }
    }
  }
}

/** Resolves when the promise has settled, however, or the time is over. */
async function within(ms: number, clock: Clock, promise: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const timer = clock.sleep(ms, over.signal).catch(() => {});
  await Promise.race([promise.catch(() => {}), timer]);
  over.abort();
}

/** The name of the lock of who polls a bot: two whole numbers of four bytes. */
function lockOf(bot: string): readonly [number, number] {
  const digest = createHash('sha256').update(`lastcall ${bot}`).digest();
  return [digest.readInt32BE(0), digest.readInt32BE(4)];
}
