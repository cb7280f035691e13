/** What the inbox of several hosts is made with. */
import { Ages } from '../../ages.js';
import { backgroundClock, type Clock } from '../../clock.js';
import { guarded } from '../../listener.js';
import type { InboxEvent } from '../events.js';
import type { InboxOptions } from '../inbox.js';
import type { Connect } from './connection.js';
import { LEASE_MS } from './membership.js';

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

/** The same, with the defaults in place of what was left out. */
export interface CompleteOptions<U> extends PostgresOptions<U> {
  readonly now: () => number;
  /** How long ago a time was that the system's clock has told, in milliseconds. */
  readonly ageOf: (atMs: number) => number;
  readonly leaseClock: Clock;
  readonly leaseMs: number;
}

export function withDefaults<U>(options: PostgresOptions<U>): CompleteOptions<U> {
  const { now = Date.now, leaseClock = backgroundClock, leaseMs = LEASE_MS } = options;
  const ages = new Ages(now, leaseClock);
  const emit = guarded(options.emit);
  return { ...options, now, leaseClock, leaseMs, emit, ageOf: (atMs) => ages.of(atMs) };
}
