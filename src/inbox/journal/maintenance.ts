/** What the journal does at regular intervals, whether updates arrive or not. */
import type { Clock } from '../../clock.js';
import { HEARTBEAT_MS, type Owner } from '../store/owner.js';
import type { Store } from '../store/store.js';
import type { Capacity } from './capacity.js';

export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly owner: Owner;
  readonly store: Store;
  readonly capacity: Capacity;
  /** Answers what people ask of the inbox. */
  answerRequests(): void;
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
  #lastHeartbeat: number;
  #rounds = 0;
  #cancelTimer: () => void = () => {};

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#lastHeartbeat = options.clock.now();
  }

  start(): void {
    const { clock, owner, store, capacity, answerRequests, dropDeadLetters, failed } = this.#options;
    this.#cancelTimer = clock.after(INTERVAL_MS, () => this.start());
    try {
      if (clock.now() - this.#lastHeartbeat >= HEARTBEAT_MS) {
        owner.heartbeat();
        this.#lastHeartbeat = clock.now();
      }
      answerRequests();
      capacity.check();
      // Not in the first round: an update that is given up at the start is told of before any letter goes.
      if (this.#rounds++ % ROUNDS_PER_DROP === 1) dropDeadLetters();
    } catch (error) {
      // No cleaning after a failure: if another process has taken the store, nothing in it may be removed here.
      failed(error);
      return;
    }
    store.compact().catch(failed);
  }

  stop(): void {
    this.#cancelTimer();
  }
}
