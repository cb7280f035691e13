/**
 * The database that holds the inbox: three sessions a process, so that no sign of life waits behind a batch, and what is
 * told by `notify` arrives at once.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import type { Connect } from './connection.js';
import { isAway } from './failure.js';
import type { Queries, Query } from './queries.js';
import { SCHEMA } from './schema.js';
import { ANSWER_TIMEOUT_MS, Session } from './session.js';

export interface DatabaseOptions {
  /** By `createDriver`. */
  readonly connect: Connect;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** A session has its first, or another, connection. */
  readonly connected?: (session: Session) => void;
  /** A session has no connection: it was lost, or an attempt has failed, of which each is told. */
  readonly lost?: (session: Session, error: LastcallError) => void;
}

/**
 * Takes the text of a notification. Undefined: some may have been missed, because the connection that listens was lost, or
 * is the first.
 */
export type NotificationListener = (payload: string | undefined) => void;

/** How long to wait before asking again. */
const PAUSE_MS = 200;

/** A process whose sign of life is missed is not to wait for long before it tries again. */
const LONGEST_PAUSE_OF_BEAT_MS = 1_000;

/** How long a process may need, after an outage, until it gives a sign of life: one attempt to do so may fail. */
export const RETURN_MS = 2 * (LONGEST_PAUSE_OF_BEAT_MS + ANSWER_TIMEOUT_MS);

export class Database {
  /** For claiming and settling. */
  readonly work: Session;
  /** For signs of life, and locks that last as long as a session. */
  readonly beat: Session;
  /** For what is told by `notify`, and for accepting: a batch need not wait until what has settled is written. */
  readonly events: Session;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<NotificationListener>>();

  constructor(options: DatabaseOptions) {
    this.#clock = options.clock;
    const session = (name: string, extra = {}) => new Session({ ...options, name, setUp, ...extra });
    this.work = session('work');
    this.beat = session('beat', { longestPauseMs: LONGEST_PAUSE_OF_BEAT_MS });
    this.events = session('events', {
      setUp: async (queries: Queries) => {
        await setUp(queries);
        for (const channel of this.#listeners.keys()) await queries.query({ text: `listen ${channel}` });
      },
      connected: (self: Session) => {
        options.connected?.(self);
        for (const listeners of this.#listeners.values())
          for (const listener of listeners) listener(undefined);
      },
      notified: (channel: string, payload: string) => {
        for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
      },
    });
  }

  /**
   * Connects, for as long as it takes. Rejects, with all connections closed, where the database refuses for good, where a
   * pooler stands between, and with the signal's reason.
   */
  async open(signal?: AbortSignal): Promise<void> {
    try {
      // One after the other, so that what is refused is asked once.
      for (const session of this.#sessions) await session.open(signal);
      await this.#assertOwnSessions(signal);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Listens to a channel, over lost connections, too, also where one is lost right now. The name is of letters and `_`. */
  async listen(channel: string, listener: NotificationListener): Promise<void> {
    const listeners = this.#listeners.get(channel);
    if (listeners) {
      listeners.add(listener);
      return;
    }
    this.#listeners.set(channel, new Set([listener]));
    // Without a connection, the next one listens to it.
    if (!this.events.isConnected) return;
    await this.events.query({ text: `listen ${channel}` }).catch((error: unknown) => {
      if (!isAway(error)) throw error;
      this.events.reset();
    });
  }

  /** Does what the database is asked for, again as long as it is away. Rejects with the signal's reason. */
  async untilAnswered<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        if (!isAway(error)) throw error;
        await this.#clock.sleep(PAUSE_MS, signal);
      }
    }
  }

  /** Whether all sessions have a connection. */
  get isConnected(): boolean {
    return this.#sessions.every(({ isConnected }) => isConnected);
  }

  /** Closes the sessions, after what runs on them, which is given up after `withinMs`. Never rejects. */
  async close(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close(withinMs)));
  }

  get #sessions(): readonly Session[] {
    return [this.work, this.beat, this.events];
  }

  /** Repeats while connections are lost. Rejects with INBOX_DATABASE_POOLED, and with the signal's reason. */
  async #assertOwnSessions(signal: AbortSignal | undefined): Promise<void> {
    const areOwn = await this.untilAnswered(async () => {
      for (;;) {
        for (const session of this.#sessions) await session.whenConnected(signal);
        const before = this.#connections;
        if (await haveOwnSessions(this.#sessions)) return true;
        // A new connection has no mark, whoever gave it.
        if (this.#connections === before) return false;
      }
    }, signal);
    if (areOwn) return;
    throw new LastcallError(
      'INBOX_DATABASE_POOLED',
      'INBOX',
      'the connections to the database share sessions of the server',
    );
  }

  get #connections(): string {
    return this.#sessions.map(({ connections, isConnected }) => `${connections} ${isConnected}`).join();
  }
}

/**
 * Whether each session is one of the server's own. A pooler in transaction mode gives each statement any session of the server
 * that is free, and two clients the same one. Each session is therefore given a mark, and has to have it still when the others
 * have theirs.
 */
export async function haveOwnSessions(sessions: readonly Session[]): Promise<boolean> {
  const marks = sessions.map((session) => ({ session, mark: randomUUID() }));
  for (const { session, mark } of marks) await session.query(setMark, [mark]);
  for (const { session, mark } of marks) {
    const [found] = await session.query(readMark);
    if (found !== mark) return false;
  }
  return true;
}

const setMark: Query<void> = { text: "select set_config('lastcall.session', $1, false)" };
const readMark: Query<string | undefined> = {
  text: "select current_setting('lastcall.session', true) as mark",
  row: (row) => row.optionalText('mark'),
};

/**
 * What each session sets. As statements, because some servers take no options in the URL.
 *
 * - Where the network is cut, the server would keep the locks of a session for two hours; so it does for 5 s.
 * - Nobody waits for a lock for longer than for an answer: a wait that was given up would go on in the server.
 * - The planner has no true statistics of tables that fill and empty all the time, and each statement here has its index.
 *   To plan it costs more than to run it, so one plan has to do for all values.
 * - Only a plain scan of an index notes which entries are dead, so that the next one need not look at them.
 */
const parameters = {
  search_path: SCHEMA,
  tcp_keepalives_idle: '2',
  tcp_keepalives_interval: '1',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '5000',
  lock_timeout: `${ANSWER_TIMEOUT_MS - 1_000}`,
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
};

/**
 * Opens a single session, for what needs no others. Rejects as {@link Session.open} does, with the session closed.
 *
 * @param options `lost` is told as that of {@link DatabaseOptions}
 */
export async function openSession(
  options: DatabaseOptions & { readonly signal?: AbortSignal },
): Promise<Session> {
  const session = new Session({ ...options, name: 'work', setUp });
  try {
    await session.open(options.signal);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** What the statements need, and what is maintained. */
const OLDEST_SERVER = 13;

interface Server {
  readonly version: number;
  readonly isReadOnly: boolean;
}

const begin: Query<Server> = {
  text: `select ${Object.entries(parameters)
    .map(([name, value]) => `set_config('${name}', '${value}', false)`)
    .join(', ')},
    current_setting('server_version_num')::integer / 10000 as version,
    current_setting('transaction_read_only') = 'on' as is_read_only`,
  row: (row) => ({ version: row.integer('version'), isReadOnly: row.boolean('is_read_only') }),
};

/** The first server that can look, while it is at a statement, whether anybody still waits for the answer. */
const FIRST_WITH_CHECKS = 14;
const checkConnection: Query<void> = { text: 'set client_connection_check_interval = 1000' };

async function setUp(queries: Queries): Promise<void> {
  const [server] = await queries.query(begin);
  if (server === undefined || server.version < OLDEST_SERVER)
    throw new LastcallError(
      'INBOX_DATABASE_REFUSED',
      'INBOX',
      `the server is PostgreSQL ${server?.version}, and lastcall needs ${OLDEST_SERVER} or newer`,
    );
  // In a fail-over the old address may lead to a standby for a while.
  if (server.isReadOnly)
    throw new LastcallError(
      'INBOX_DATABASE_AWAY',
      'INBOX',
      'the server takes no writes: it is a standby, or default_transaction_read_only is on',
    );
  if (server.version < FIRST_WITH_CHECKS) return;
  // Servers on some operating systems cannot do it.
  await queries.query(checkConnection).catch((error: unknown) => {
    if (isAway(error)) throw error;
  });
}
