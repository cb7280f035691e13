/**
 * The locks that a run needs for one bot, taken one after the other: that of the bot's key, and those of the keys that former
 * versions of lastcall gave the bot, so that none of these polls it meanwhile.
 */
import type { FormerFolder } from './former-folders.js';
import type { ProvenLock } from './proven-lock.js';

export interface KeyedLock {
  readonly key: string;
  readonly lock: Pick<ProvenLock, 'tryAcquire' | 'acquire' | 'release'>;
}

/** The lock of a key that a former version gave the bot, and the folder that it includes. */
export interface FormerLock extends KeyedLock, FormerFolder {}

/** Held when all of its locks are. */
export class LockChain {
  readonly #first: KeyedLock;
  readonly #listFormer: () => readonly FormerLock[];
  #former: readonly FormerLock[] = [];
  readonly #held: KeyedLock[] = [];
  #missing: KeyedLock[];

  /** @param listFormer returns the locks of former versions; called when the first is held */
  constructor(first: KeyedLock, listFormer: () => readonly FormerLock[]) {
    this.#first = first;
    this.#listFormer = listFormer;
    this.#missing = [first];
  }

  /** The key of the lock that another process holds, when `tryAcquire` has resolved to false. */
  get takenKey(): string {
    return this.#missing[0]?.key ?? this.#first.key;
  }

  /** The locks of former versions, once all locks are held. */
  get former(): readonly FormerLock[] {
    return this.#former;
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

  async #takeAll(take: (lock: KeyedLock['lock']) => Promise<boolean>): Promise<boolean> {
    for (let next = this.#missing[0]; next; next = this.#missing[0]) {
      if (!(await take(next.lock))) return false;
      this.#held.push(next);
      if (next === this.#first) this.#former = this.#listFormer();
      this.#missing = next === this.#first ? [...this.#former] : this.#missing.slice(1);
    }
    return true;
  }
}
