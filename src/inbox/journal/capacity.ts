/**
 * Back-pressure: when too many updates wait, or the disk is nearly full, `accept` waits until there is room again. Telegram
 * keeps updates that are not fetched for 24 hours.
 */
import type { Clock } from '../../clock.js';
import type { InboxEvent } from '../events.js';

export interface CapacityLimits {
  /** How many updates may wait. */
  readonly updates: number;
  /** How much the log may take, in bytes. */
  readonly bytes: number;
  /** How much of the disk the inbox leaves free, in bytes. */
  readonly freeBytes: number;
}

export interface CapacityOptions {
  readonly limits: Partial<CapacityLimits>;
  /** How many updates wait now, and what the log takes. */
  level(): Omit<CapacityLimits, 'freeBytes'>;
  /** How much of the disk is free, in bytes. */
  freeBytes(): number;
  readonly clock: Clock;
  emit(event: InboxEvent): void;
}

const defaults: CapacityLimits = {
  updates: 1_000_000,
  bytes: 4 * 1024 * 1024 * 1024,
  freeBytes: 64 * 1024 * 1024,
};

/** A pause ends at 90 % of the limit that began it, because at 100 % it would begin and end with each update. */
const LOW_WATER = 0.9;

/** Asking the disk once a second is enough: 64 MiB are not filled in less time by an inbox. */
const ASK_DISK_EVERY_MS = 1_000;

interface Pause {
  readonly since: number;
  readonly over: Promise<void>;
  readonly end: () => void;
}

export class Capacity {
  readonly #options: CapacityOptions;
  readonly #limits: CapacityLimits;
  #pause: Pause | undefined;
  #closed = false;
  #free = { bytes: Number.POSITIVE_INFINITY, at: Number.NEGATIVE_INFINITY };

  constructor(options: CapacityOptions) {
    this.#options = options;
    this.#limits = { ...defaults, ...options.limits };
  }

  /** Resolves when there is room, or after `close`. Rejects with what `freeBytes` throws. */
  async wait(): Promise<void> {
    const full = this.#whatIsFull(1);
    if (full && !this.#pause && !this.#closed) this.#begin(full);
    await this.#pause?.over;
  }

  /** Ends a pause if there is room again. Cheap; called after each settled update. Throws what `freeBytes` throws. */
  check(): void {
    if (!this.#pause || this.#whatIsFull(LOW_WATER)) return;
    const { clock, emit, level } = this.#options;
    emit({
      event: 'inbox.resumed',
      waiting: level().updates,
      pausedMs: clock.now() - this.#pause.since,
    });
    this.#end();
  }

  /** Ends the pause, and allows none from then on. */
  close(): void {
    this.#closed = true;
    this.#end();
  }

  #begin(because: keyof CapacityLimits): void {
    const { clock, emit } = this.#options;
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#pause = { since: clock.now(), over, end };
    const { updates, bytes, freeBytes } = this.#level();
    emit({
      event: 'inbox.paused',
      because: because === 'freeBytes' ? 'disk' : because,
      waiting: updates,
      bytes,
      freeBytes,
    });
  }

  #end(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }

  #whatIsFull(share: number): keyof CapacityLimits | undefined {
    const { updates, bytes, freeBytes } = this.#level();
    if (updates >= this.#limits.updates * share) return 'updates';
    if (bytes >= this.#limits.bytes * share) return 'bytes';
    return freeBytes < this.#limits.freeBytes / share ? 'freeBytes' : undefined;
  }

  #level(): CapacityLimits {
    const { level, freeBytes, clock } = this.#options;
    const now = clock.now();
    if (now - this.#free.at >= ASK_DISK_EVERY_MS) this.#free = { bytes: freeBytes(), at: now };
    return { ...level(), freeBytes: this.#free.bytes };
  }
}
