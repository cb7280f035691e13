/** Whether the database is away: told once when it is gone, and once when it is back. */
import type { Clock } from '../../clock.js';
import type { InboxEvent } from '../events.js';

export interface OutageOptions {
  readonly clock: Clock;
  emit(event: InboxEvent): void;
}

export class Outage {
  readonly #options: OutageOptions;
  /** In the clock's milliseconds. */
  #since: number | undefined;
  #hasBeen = false;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  /** Whether the database has ever been away. */
  get hasBeen(): boolean {
    return this.#hasBeen;
  }

  begin(error: Error): void {
    const { clock, emit } = this.#options;
    this.#hasBeen = true;
    if (this.#since !== undefined) return;
    this.#since = clock.now();
    emit({ event: 'inbox.unreachable', detail: error.message });
  }

  /** @returns whether it was away */
  end(): boolean {
    const { clock, emit } = this.#options;
    if (this.#since === undefined) return false;
    const outageMs = Math.round(clock.now() - this.#since);
    this.#since = undefined;
    emit({ event: 'inbox.reachable', outageMs });
    return true;
  }
}
