/** What the journal does at regular intervals, whether updates arrive or not. */
import type { Clock } from '../../clock.js';
import { HEARTBEAT_MS, type Owner } from '../store/owner.js';
import type { Store } from '../store/store.js';
import type { Capacity } from './capacity.js';

export interface MaintenanceOptions {
  readonly clock: Clock;
  /**
   * The system's clock, in milliseconds since 1970: `clock` may leave out the time in which the process stood still, and a time
   * corrected by an answer that was received only afterwards would, too.
   */
  readonly now: () => number;
  readonly owner: Owner;
  readonly store: Store;
  readonly capacity: Capacity;
  /** Answers what people ask of the inbox; does nothing while it is at that already. */
  answerRequests(): Promise<void>;
  /** Drops the dead letters that exceed the limits. */
  dropDeadLetters(): void;
  /** Called when any of it has failed. */
  failed(error: unknown): void;
}

/** People who have asked something wait no longer than this for the answer. */
const INTERVAL_MS = 500;

/** Every 10 s, so that a burst of failures does not drop letters, and write a line, every half second. */
const ROUNDS_PER_DROP = 20;

export class Maintenance {
  readonly #options: MaintenanceOptions;
  #heartbeatAtMs: number;
  #rounds = 0;
  #compaction = Promise.resolve();
  #cancelTimer: () => void = () => {};

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#heartbeatAtMs = options.now();
  }

  start(): void {
    const { clock, store, capacity, answerRequests, dropDeadLetters, failed } = this.#options;
    this.#cancelTimer = clock.after(INTERVAL_MS, () => this.start());
    try {
      this.#beat(HEARTBEAT_MS);
      answerRequests().catch(failed);
      capacity.check();
      // Not in the first round: an update that is given up at the start is told of before any letter goes.
      if (this.#rounds++ % ROUNDS_PER_DROP === 1) dropDeadLetters();
    } catch (error) {
      // No cleaning after a failure: if another process has taken the store, nothing in it may be removed here.
      failed(error);
      return;
    }
    this.#compaction = store.compact().catch(failed);
  }

  /**
   * To be called before updates are handed out: a process that stood still for so long that another one may have taken the
   * store finds that out first.
   */
  catchUp(): void {
    try {
      this.#beat(HEARTBEAT_MS + INTERVAL_MS);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /** Writes a heartbeat if the last one is that old. Throws if another process has taken the store. */
  #beat(dueMs: number): void {
    const nowMs = this.#options.now();
    // The system's clock may be set back, too.
    if (Math.abs(nowMs - this.#heartbeatAtMs) < dueMs) return;
    this.#options.owner.heartbeat();
    this.#heartbeatAtMs = nowMs;
  }

  /** Resolves when nothing is written any more; never rejects. */
  stop(): Promise<void> {
    this.#cancelTimer();
    return this.#compaction;
  }
}
