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
import { LastcallError } from '../../errors.js';
import { describeThrown, isLastcallError } from '../../thrown.js';
import { counterOf, newCounters } from '../counters.js';
import {
  type Entry,
  type Inbox,
  type InboxCounts,
  type InboxReport,
  type Retry,
  type Settlement,
  UPDATE_EXPIRES_AFTER_MS,
  type WaitingBehind,
} from '../inbox.js';
import { Census } from './census.js';
import { Database } from './database.js';
import { type DepartureOptions, freeTheDead } from './departure.js';
import { readDurability } from './durability.js';
import { isAway } from './failure.js';
import type { Item } from './item.js';
import { withoutNul } from './kept-text.js';
import { migrate } from './migrate.js';
import { type CompleteOptions, type PostgresOptions, withDefaults } from './options.js';
import { Outage } from './outage.js';
import { assemble, createReserve, type Parts } from './parts.js';
import type { Reserve } from './reserve.js';
import { CHANNEL, pollPayload } from './statements/channel.js';
import { count, lookBack } from './statements/counts.js';
import { takeLeave } from './take-leave.js';
import type { Turn } from './turns.js';

type State = 'opening' | 'open' | 'draining' | 'failed' | 'closed';

export class PostgresInbox<U extends { readonly update_id: number }> implements Inbox<U> {
  readonly recognizesRepeats = true;
  readonly outlivesRun = true;
  readonly expiresAfterMs = UPDATE_EXPIRES_AFTER_MS;
  /** No time limit of a watchdog applies to a network. */
  readonly latestEnd = Number.POSITIVE_INFINITY;
  readonly #options: CompleteOptions<U>;
  readonly #counters = newCounters();
  readonly #departure: DepartureOptions;
  readonly #census: Census;
  readonly #outage: Outage;
  readonly #closing = new AbortController();
  /** The entries that were taken and have not settled. */
  readonly #taken = new Map<Entry<U>, Item<U>>();
  #state: State = 'opening';
  #parts: Parts<U> | undefined;
  #reserve: Reserve<U>;
  #freeing: Promise<void> | undefined;
  #wasPolled = false;
  /** Whether the stop is none that a fault has caused. */
  #isStop = false;
  #report: Promise<InboxReport> | undefined;

  constructor(options: PostgresOptions<U>) {
    this.#options = withDefaults(options);
    const { bot, maxAttempts, limit, deadLetterLimits, leaseClock: clock, emit } = this.#options;
    this.#departure = { bot, maxAttempts, emit };
    this.#outage = new Outage({ clock, emit });
    this.#census = new Census({
      bot,
      clock,
      limit,
      deadLetterLimits,
      database: () => this.#opened.database,
      polls: () => this.#opened.turns.held !== undefined,
      own: () => ({ atWork: this.#taken.size, unwritten: this.#opened.writer.unwritten.length }),
      dropped: (letters) => {
        this.#counters.deadDropped += letters;
      },
      failed: (error) => this.#fail(error),
      emit,
    });
    this.#reserve = this.#newReserve();
  }

  /** Rejects with what the database refuses for good, and with the signal's reason. Waits for a database that is away. */
  async open(signal?: AbortSignal): Promise<void> {
    const { bot, path, leaseClock: clock, emit, createDriver } = this.#options;
    const stop = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    const connect = await createDriver();
    const database = new Database({
      connect,
      clock,
      connected: () => this.#connected(database),
      lost: (session, error) => this.#disconnected(session.name, error),
    });
    try {
      await database.open(stop);
      await migrate(database.work, { clock, signal: stop });
      const parts = this.#assemble(database);
      this.#parts = parts;
      if (this.#outage.hasBeen) parts.membership.noticeOutage();
      await database.untilAnswered(() => parts.membership.begin(), stop);
      await database.untilAnswered(() => this.#lookBack(parts), stop);
      await database.listen(CHANNEL, (payload) => this.#notified(payload));
      const { survives, except } = await database.untilAnswered(() => readDurability(database.work), stop);
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
    this.#census.start();
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
    await this.#census.whenRoom();
    if (this.#isEnded) return undefined;
    const { intake, claims } = this.#opened;
    const accepted = await intake.accept(batch).catch((error: unknown) => {
      this.#fail(error);
      throw error;
    });
    if (!accepted) return undefined;
    this.#counters.accepted += accepted.updates;
    this.#census.accepted(accepted.updates);
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
    this.#reserve.remove(item);
    if (result === 'handled') writer.add(item, { kind: 'settled' });
    else {
      const { updateId, kind, attempt: attempts, stored } = item;
      const { deaths, cuts } = stored;
      const text = error === undefined ? undefined : withoutNul(this.#options.errorText(error));
      writer.add(item, { kind: 'given up', why: result, error: text, attempts });
      this.#census.gaveUp(1);
      this.#options.emit({ event: 'inbox.dead', updateId, kind, why: result, attempts, deaths, cuts });
    }
    this.#census.settled();
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
    this.#census.endWaits();
    this.#reserve.beginClosing();
    // Written at once, so that a supervisor that kills amid the drain counts as a stop, and not as a death.
    this.#parts?.writer.hasten();
  }

  close(cause: 'stop' | 'fault' = 'stop', withinMs = Number.POSITIVE_INFINITY): Promise<InboxReport> {
    this.#report ??= this.#close(cause, withinMs);
    return this.#report;
  }

  get counts(): InboxCounts {
    const taken = this.#taken.size;
    const { unsettled, dead } = this.#census;
    const waiting = Math.max(0, unsettled - taken);
    return { ...this.#counters, dead, waiting, taken, mayRepeat: taken };
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
    return createReserve(this.#options, () => this.#parts);
  }

  #assemble(database: Database): Parts<U> {
    return assemble(this.#options, database, {
      reserve: () => this.#reserve,
      isOpen: () => this.#state === 'open',
      mayBegin: () => this.#mayBegin,
      isStop: () => this.#isStop,
      lostHost: () => this.#lostHost(),
      freeTheDead: () => this.#freeTheDead(),
      failed: (error) => this.#fail(error),
    });
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
    if (!this.#outage.hasBeen) this.#counters.dropped += await freeTheDead(database, own, this.#departure);
    const [found] = await database.work.query(lookBack, [bot, own]);
    const [counted] = await database.work.query(count, [bot]);
    if (!found || !counted) return;
    this.#wasPolled = found.wasPolled;
    this.#census.begin({ unsettled: found.unsettled, dead: counted.dead });
    if (found.hasOthers || found.unsettled === 0) return;
    this.#counters.recovered = found.unsettled;
    const { begun, died } = found;
    emit({ event: 'inbox.recovered', updates: found.unsettled, begun, died });
  }

  #notified(payload: string | undefined): void {
    const { bot } = this.#options;
    // Some may have been missed.
    if (payload === undefined || payload === bot) this.#parts?.claims.wake();
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
          this.#census.gaveUp(givenUp);
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
    if (!isConnected || !this.#outage.end()) return;
    this.#parts?.membership.beatNow();
    this.#parts?.claims.wake();
  }

  #disconnected(session: string, error: LastcallError): void {
    if (session === 'beat') this.#parts?.turns.lose('the session that holds the lock was lost');
    this.#parts?.membership.noticeOutage();
    if (!this.#isEnded) this.#outage.begin(error);
  }

  async #close(cause: 'stop' | 'fault', withinMs: number): Promise<InboxReport> {
    const hasFailed = this.#state === 'failed';
    this.#state = 'closed';
    this.#closing.abort(new Error('the inbox is closed'));
    this.#census.close();
    this.#reserve.close();
    if (!this.#parts) return { left: 0, mayRepeat: [] };
    return takeLeave(this.#parts, {
      ...this.#departure,
      ...{ hasFailed, cause, withinMs },
      clock: this.#options.leaseClock,
      taken: [...this.#taken.values()],
      unsettled: this.#census.unsettled,
      dropped: (updates) => {
        this.#counters.dropped += updates;
      },
    });
  }

  #fail(cause: unknown): void {
    if (this.#isEnded) return;
    this.#state = 'failed';
    this.#closing.abort(new Error('the inbox has failed'));
    this.#parts?.turns.lose('the inbox has failed');
    this.#census.close();
    const error = isLastcallError(cause)
      ? cause
      : new LastcallError('INTERNAL', 'inbox', describeThrown(cause), { cause });
    this.#options.emit({ event: 'inbox.failed', error });
  }
}
