/** What becomes of an item whose handler has failed: the table of failures (failure.ts), with what is known of the run. */
import { Ages } from '../ages.js';
import type { Clock } from '../clock.js';
import { type Decision, decide, type Failure } from './failure.js';
import type { Outages } from './outages.js';
import type { Source } from './source.js';
import type { Task } from './task.js';

/** What has become of an item before. */
interface ItemHistory {
  /** How often the item was put back, and how many of these times count as retries. */
  readonly putBacks: number;
  readonly retries: number;
  /** When the item was accepted, in milliseconds since 1970. */
  readonly acceptedAtMs: number;
}

export interface DecisionsOptions<T> {
  readonly source: Source<T>;
  historyOf(item: T): ItemHistory;
  /** Tells what kind of failure an error is. Must not throw. Default: all are errors. */
  failureOf?(error: unknown): Failure;
  /** How often an item is tried again after an error that is not Telegram's absence. Default: 0. */
  readonly retries?: number;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly clock: Clock;
  readonly outages: Pick<Outages, 'isSince'>;
  /** Whether handlers may fail because the run ends. */
  isStopping(): boolean;
}

export class Decisions<T> {
  readonly #options: DecisionsOptions<T>;
  readonly #ages: Ages;

  constructor(options: DecisionsOptions<T>) {
    this.#options = options;
    this.#ages = new Ages(options.now ?? Date.now, options.clock);
  }

  readonly of = (error: unknown, task: Task<T>): Decision => {
    const { retries = 0, random = Math.random, historyOf, source } = this.#options;
    const { putBacks, retries: retried, acceptedAtMs } = historyOf(task.item);
    const item = { putBacks, retries: retried, ageMs: this.#ages.of(acceptedAtMs) };
    const { expiresAfterMs } = source;
    return decide(this.failureOf(error, task), item, { retries, expiresAfterMs, random });
  };

  failureOf(error: unknown, task: Task<T>): Failure {
    const { failureOf, source, outages, isStopping } = this.#options;
    // A call that waited for Telegram until the handler's time was up ends with the signal's reason. On a connection that
    // swallows everything it goes on waiting after the outage.
    if (outages.isSince(task.startedAt) && task.signal.aborted && error === task.signal.reason)
      return { kind: 'unreachable' };
    const failure = failureOf?.(error) ?? { kind: 'error' };
    const isLeft = failure.kind === 'error' && isStopping() && source.outlivesRun;
    return isLeft ? { kind: 'stopping' } : failure;
  }
}
