/**
 * The lock of a bot as a readers-writer lock. Processes that share an inbox, which says itself who polls, may run the bot side
 * by side (`SharedLock`), but not beside one that has the bot for itself (`ExclusiveLock`), as with a journal: both would poll.
 *
 * Each side first shows itself, and then looks for the other; so at most one of two that begin at the same time goes on. The
 * exclusive side has precedence: while it waits for those that share, no further one begins.
 */
import { type Clock, systemClock } from '../clock.js';
import { HostLock, isHeld, lockAddress } from './lock.js';
import type { ProvenLock } from './proven-lock.js';
import { HolderFinder } from './socket-holder.js';

/** By so many processes of a host the exclusive side is seen to be kept out. More may share, and are not waited for. */
const PLACES = 16;

/** The address of a place of those that share the bot with this key, counted from 0. */
export const placeAddress = (key: string, place: number): string => lockAddress(`${key}.shared-${place}`);

type Exclusive = Pick<ProvenLock, 'tryAcquire' | 'acquire' | 'release' | 'isTaken' | 'whenFree'>;

/** Held by any number of processes at a time, while none has the bot for itself. */
export class SharedLock {
  readonly #key: string;
  readonly #exclusive: Exclusive;
  readonly #clock: Clock;
  #place: HostLock | undefined;

  /** @param exclusive the lock of a process that has the bot for itself; it is only looked at */
  constructor(key: string, exclusive: Exclusive, clock: Clock = systemClock) {
    this.#key = key;
    this.#exclusive = exclusive;
    this.#clock = clock;
  }

  /** Resolves to whether this handle now holds the lock. Rejects with the system's error if no process can take it. */
  async tryAcquire(): Promise<boolean> {
    this.#place ??= await this.#takePlace();
    if (!(await this.#exclusive.isTaken())) return true;
    this.release();
    return false;
  }

  /** Takes the lock once it is free. Rejects with the signal's reason, or as `tryAcquire` does. */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!(await this.tryAcquire())) await this.#exclusive.whenFree(signal);
    if (!signal.aborted) return;
    this.release();
    throw signal.reason;
  }

  release(): void {
    this.#place?.release();
    this.#place = undefined;
  }

  async #takePlace(): Promise<HostLock | undefined> {
    for (let place = 0; place < PLACES; place++) {
      const lock = new HostLock(placeAddress(this.#key, place), this.#clock);
      if (await lock.tryAcquire()) return lock;
    }
    return undefined;
  }
}

/** Held by one process at a time, while none shares the bot. */
export class ExclusiveLock {
  readonly #key: string;
  readonly #own: Exclusive;
  readonly #clock: Clock;

  constructor(key: string, own: Exclusive, clock: Clock = systemClock) {
    this.#key = key;
    this.#own = own;
    this.#clock = clock;
  }

  /** Resolves to whether this handle now holds the lock. Rejects as `ProvenLock.tryAcquire` does. */
  async tryAcquire(): Promise<boolean> {
    return (await this.#own.tryAcquire()) && (await this.#takenPlace()) === undefined;
  }

  /** Takes the lock once it is free. Rejects with the signal's reason, or as `tryAcquire` does. */
  async acquire(signal: AbortSignal): Promise<void> {
    await this.#own.acquire(signal);
    try {
      for (let place = await this.#takenPlace(); place; place = await this.#takenPlace())
        await new HostLock(place, this.#clock).whenFree(signal);
      signal.throwIfAborted();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    this.#own.release();
  }

  /** Returns the address of a place that a process has, except of another user: it could keep the bot from running. */
  async #takenPlace(): Promise<string | undefined> {
    const addresses = Array.from({ length: PLACES }, (_, place) => placeAddress(this.#key, place));
    const held = await Promise.all(addresses.map(isHeld));
    return addresses.find(
      (address, place) => held[place] && new HolderFinder(address).find().kind !== 'foreign',
    );
  }
}
