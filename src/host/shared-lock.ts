/**
 * The lock of a bot as a readers-writer lock. Processes that share an inbox, which says itself who polls, may run the bot side
 * by side (`SharedLock`), but not beside one that has the bot for itself (`ExclusiveLock`), as with a journal: both would poll.
 *
 * Each side first shows itself, and then looks for the other; so at most one of two that begin at the same time goes on. The
 * exclusive side has precedence: while it waits for those that share, no further one begins.
 */
import type { Clock } from '../clock.js';
import { lockAddress } from './lock.js';
import { ProvenLock } from './proven-lock.js';

/** How many processes may share a bot: as many as the exclusive side looks for. */
const PLACES = 32;

/** The address of a place of those that share the bot with this key, counted from 0. */
export const placeAddress = (key: string, place: number): string => lockAddress(`${key}.shared-${place}`);

export interface SharedBot {
  readonly key: string;
  /** The folder of the bot, if it has one; absolute. */
  readonly folder: string | undefined;
  readonly clock?: Clock;
}

type Exclusive = Pick<ProvenLock, 'tryAcquire' | 'acquire' | 'release' | 'isTaken' | 'whenFree'>;

/**
 * The places of those that share a bot. Like the lock, a place has a part that any user may take, who thereby keeps nobody
 * out, and one in the bot's folder, which is seen in every container that has the folder.
 */
const placesOf = ({ key, folder, clock }: SharedBot): readonly ProvenLock[] =>
  Array.from(
    { length: PLACES },
    (_, place) =>
      new ProvenLock({
        address: placeAddress(key, place),
        folder,
        fileName: `shared-${place}.sock`,
        ...(clock && { clock }),
      }),
  );

/** Held by any number of processes at a time, while none has the bot for itself. */
export class SharedLock {
  readonly #bot: SharedBot;
  readonly #exclusive: Exclusive;
  #place: ProvenLock | undefined;

  /** @param exclusive the lock of a process that has the bot for itself; it is only looked at */
  constructor(bot: SharedBot, exclusive: Exclusive) {
    this.#bot = bot;
    this.#exclusive = exclusive;
  }

  /**
   * Resolves to whether this handle now holds the lock. Rejects as `ProvenLock.tryAcquire` does, and where so many processes
   * share the bot that one more would not be seen.
   */
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

  async #takePlace(): Promise<ProvenLock> {
    const places = placesOf(this.#bot);
    // Who has a place that is taken is looked for among all processes, so each of them begins at another one.
    const first = process.pid % PLACES;
    for (const place of [...places.slice(first), ...places.slice(0, first)]) {
      if (await place.tryAcquire()) return place;
      place.release();
    }
    throw new Error(`${PLACES} processes share it already, and no more can`);
  }
}

/** Held by one process at a time, while none shares the bot. */
export class ExclusiveLock {
  readonly #own: Exclusive;
  readonly #places: readonly ProvenLock[];

  constructor(bot: SharedBot, own: Exclusive) {
    this.#own = own;
    this.#places = placesOf(bot);
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
        await place.whenFree(signal);
      signal.throwIfAborted();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    this.#own.release();
  }

  /** Returns a place that a process has, except of another user: it could keep the bot from running. */
  async #takenPlace(): Promise<ProvenLock | undefined> {
    const taken = await Promise.all(this.#places.map((place) => place.isTaken()));
    return this.#places.find((_, place) => taken[place]);
  }
}
