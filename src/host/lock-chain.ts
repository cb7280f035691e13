/**
 * The locks that a run needs for one bot, taken one after the other: that of the bot's key, and those of the keys that former
 * versions of lastcall gave the bot, so that none of these polls it meanwhile.
 */
import type { ProvenLock } from './proven-lock.js';

export interface KeyedLock {
  readonly key: string;
  readonly lock: ProvenLock;
}

/** Held when all of its locks are. */
export class LockChain {
  readonly #first: KeyedLock;
  readonly #others: () => readonly KeyedLock[];
  readonly #held: KeyedLock[] = [];
  #missing: KeyedLock[];

  /** @param others returns the other locks; called when the first is held */
  constructor(first: KeyedLock, others: () => readonly KeyedLock[]) {
    this.#first = first;
    this.#others = others;
    this.#missing = [first];
  }

  /** The key of the lock that another process holds, when `tryAcquire` has resolved to false. */
  get takenKey(): string {
    return this.#missing[0]?.key ?? this.#first.key;
  }

  /**
   * Resolves to whether all locks are held; those that are taken stay so in any case. Rejects as `ProvenLock.tryAcquire` does.
   */
  tryAcquire(): Promise<boolean> {
    return this.#takeAll((lock) => lock.tryAcquire());
  }

  /** Takes the locks once they are free. Rejects with the signal's reason, or as `tryAcquire` does. */
  async acquire(signal: AbortSignal): Promise<void> {
    await this.#takeAll(async (lock) => {
      await lock.acquire(signal);
      return true;
    });
  }

  release(): void {
    for (const { lock } of [...this.#missing, ...this.#held]) lock.release();
    this.#held.length = 0;
    this.#missing = [this.#first];
  }

  async #takeAll(take: (lock: ProvenLock) => Promise<boolean>): Promise<boolean> {
    for (let next = this.#missing[0]; next; next = this.#missing[0]) {
      if (!(await take(next.lock))) return false;
      this.#held.push(next);
      this.#missing = next === this.#first ? [...this.#others()] : this.#missing.slice(1);
    }
    return true;
  }
}
