/** Back-pressure: while too many updates wait, `accept` waits as well. Telegram keeps what is not fetched for 24 hours. */
import type { Clock } from '../../clock.js';
import type { InboxEvent } from '../events.js';

export interface RoomOptions {
  /** How many updates may wait. */
  readonly limit: number;
  readonly clock: Clock;
  emit(event: InboxEvent): void;
}

/** A pause ends at 90 % of the limit that began it, because at 100 % it would begin and end with each update. */
const LOW_WATER = 0.9;

interface Pause {
  readonly since: number;
  readonly over: Promise<void>;
  readonly end: () => void;
}

export class Room {
  readonly #options: RoomOptions;
  #pause: Pause | undefined;
  #isClosed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#pause !== undefined;
  }

  /** Resolves when there is room, or after `close`. */
  async wait(waiting: number): Promise<void> {
    const { limit, clock, emit } = this.#options;
    if (!this.#pause && !this.#isClosed && waiting >= limit) {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.#pause = { since: clock.now(), over, end };
      emit({ event: 'inbox.paused', because: 'updates', waiting, bytes: 0, freeBytes: 0 });
    }
    await this.#pause?.over;
  }

  /** Ends a pause if there is room again. */
  check(waiting: number): void {
    const { limit, clock, emit } = this.#options;
    if (!this.#pause || waiting >= limit * LOW_WATER) return;
    const pausedMs = Math.round(clock.now() - this.#pause.since);
    emit({ event: 'inbox.resumed', waiting, pausedMs });
    this.#end();
  }

  /** Ends the pause, and allows none from then on. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #end(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }
}
