/**
 * A session of the database server that comes back by itself: when its connection is lost, it connects again, with longer
 * and longer pauses, for ever. One statement, or one transaction, runs at a time. What runs while the connection is lost
 * is rejected with INBOX_DATABASE_AWAY, and its outcome is not known: it may have been done.
 */
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import type { Connect } from './connection.js';
import { databaseError, isAway } from './failure.js';
import { type Link, linkOver, noAnswer } from './link.js';
import type { Queries, Query } from './queries.js';
import { awaited, withResolvers } from './resolvers.js';

export interface SessionOptions {
  /** What it is for, for the log: `work`, `beat`, `events`. */
  readonly name: string;
  readonly connect: Connect;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** How long an answer may take, before the connection counts as lost. */
  readonly answerTimeoutMs?: number;
  /** How long to wait at most before connecting again. */
  readonly longestPauseMs?: number;
  /** Makes a new connection ready; until it has ended, nobody else can use it. */
  readonly setUp?: (queries: Queries) => Promise<void>;
  readonly notified?: (channel: string, payload: string) => void;
  /** The session has its first, or another, connection. */
  readonly connected?: (session: Session) => void;
  /** There is no connection: it was lost, or an attempt has failed. */
  readonly lost?: (session: Session, error: LastcallError) => void;
}

export const ANSWER_TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class Session implements Queries {
  readonly name: string;
  readonly #options: SessionOptions;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  /** The connection that is made ready. */
  #readying: Link | undefined;
  #connections = 0;
  /** Settles when what was asked last has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | undefined;
  #connected = awaited();

  constructor(options: SessionOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /**
   * Connects. Resolves once there is a connection, which may take for as long as the database is away. Rejects where the
   * database refuses for good, and with the signal's reason.
   */
  async open(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#ended ??= this.#keepConnected();
    await this.whenConnected(signal);
  }

  /** Counts the connections. What belongs to one, such as an advisory lock, is gone when this changes. */
  get connections(): number {
    return this.#connections;
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Resolves at once if there is a connection, else when there is one. Rejects with the signal's reason, or when closed. */
  async whenConnected(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!signal) return this.#connected.promise;
    const aborted = withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#connected.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  query<R>(query: Query<R>, values?: readonly unknown[]): Promise<readonly R[]> {
    return this.#alone((link) => link.query(query, values));
  }

  /**
   * Runs the work between `begin` and `commit`, on one connection. Rolls back, and rejects with the error, where the work
   * rejects. Where it rejects with INBOX_DATABASE_AWAY, it may have been committed all the same.
   */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#alone(async (link) => {
      await link.query({ text: 'begin' });
      try {
        const result = await work(link);
        await link.query({ text: 'commit' });
        return result;
      } catch (error) {
        // Without an answer to this, the connection is dropped, and the server rolls back.
        await link.query({ text: 'rollback' }).catch(() => link.destroy());
        throw error;
      }
    });
  }

  /** Drops the connection, as if it had been lost: for what is bound to a session and must end at once. */
  reset(): void {
    this.#link?.destroy();
  }

  /** Ends the session, after what runs on it, which is given up after `withinMs`. Never rejects. */
  async close(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const cancel = this.#options.clock.after(withinMs, () => {
      this.#closing.abort(closed());
      this.#readying?.destroy();
      this.#link?.destroy();
    });
    await this.#tail;
    this.#closing.abort(closed());
    await this.#link?.end();
    await this.#ended;
    cancel();
  }

  /** Runs the work when all that was asked before has ended. */
  #alone<T>(work: (link: Link) => Promise<T>): Promise<T> {
    const done = this.#tail.then(() => {
      if (this.#closing.signal.aborted) throw closed();
      if (!this.#link)
        throw new LastcallError('INBOX_DATABASE_AWAY', 'INBOX', 'there is no connection to the database');
      return work(this.#link);
    });
    this.#tail = done.catch(() => {});
    return done;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    const { clock, random = Math.random, longestPauseMs = LONGEST_PAUSE_MS, connected, lost } = this.#options;
    const pause = async (failures: number) => {
      const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, longestPauseMs);
      await clock.sleep(longest * (0.5 + random() / 2), signal).catch(() => {});
    };
    for (let failures = 0; !signal.aborted; ) {
      try {
        const link = await this.#connect(signal);
        // Closed while the connection was made ready.
        if (signal.aborted) {
          await link.end();
          break;
        }
        this.#link = link;
        this.#connections += 1;
        this.#connected.resolve();
        connected?.(this);
        const error = await link.gone;
        this.#link = undefined;
        if (signal.aborted) break;
        this.#connected = awaited();
        lost?.(this, error);
        // A server that stands still takes connections, and keeps what is at work in each.
        if (link.isLate) await pause(failures++);
        else failures = 0;
      } catch (thrown) {
        if (signal.aborted) break;
        const error = databaseError(thrown);
        if (!isAway(error) && this.#connections === 0) return this.#connected.reject(error);
        lost?.(this, error);
        await pause(failures++);
      }
    }
    // Both who waits for a connection now, and who is to do so later, get none.
    this.#connected.reject(closed());
    this.#connected = awaited();
    this.#connected.reject(closed());
  }

  async #connect(signal: AbortSignal): Promise<Link> {
    const { connect, clock, notified, setUp, answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#options;
    const gone = withResolvers<LastcallError>();
    const attempt = new AbortController();
    const give = (reason: unknown) => attempt.abort(reason);
    const abort = () => give(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const cancel = clock.after(answerTimeoutMs, () => give(noAnswer(answerTimeoutMs)));
    try {
      const connection = await connect(
        {
          notified: (channel, payload) => notified?.(channel, payload),
          closed: (error) => gone.resolve(databaseError(error)),
        },
        attempt.signal,
      );
      const link = linkOver(connection, gone.promise, clock, answerTimeoutMs);
      this.#readying = link;
      try {
        await setUp?.(link);
      } catch (error) {
        link.destroy();
        throw error;
      } finally {
        this.#readying = undefined;
      }
      return link;
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }
}

const closed = (): LastcallError =>
  new LastcallError('INBOX_DATABASE_AWAY', 'INBOX', 'the connection to the database was closed by lastcall');
