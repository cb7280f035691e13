/**
 * What is not tried any more: updates whose handler failed, and those that processes die of. They become dead letters,
 * which people can look at and have tried again.
 */
import type { InboxEvent } from '../events.js';
import { orderKey, type Seq } from '../ids.js';
import type { DeadReason } from '../inbox.js';
import type { History } from '../store/records.js';
import type { Store } from '../store/store.js';

export interface UndertakerOptions<U> {
  readonly store: Store;
  /** After how many processes that died of it an update is given up; 0: never. */
  readonly maxAttempts: number;
  keyOf(update: U): string;
  kindOf(update: U): string;
  /** An update as it comes back from its JSON. */
  restore(content: unknown): U;
  /** An error in words that may be kept. */
  errorText(error: unknown): string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  emit(event: InboxEvent): void;
}

export class Undertaker<U> {
  readonly #options: UndertakerOptions<U>;

  constructor(options: UndertakerOptions<U>) {
    this.#options = options;
  }

  /** One that has one more death to go is watched: it runs with no other such beside it. */
  isSuspect({ deaths }: History): boolean {
    const { maxAttempts } = this.#options;
    return deaths > 0 && deaths >= maxAttempts - 1 && maxAttempts > 0;
  }

  /** Keeps an update that is not settled yet: as it was written, whatever its handler made of it. Throws INBOX_DISK. */
  bury(seq: Seq, why: DeadReason, cause?: unknown): void {
    const { store, restore, keyOf, kindOf, errorText, now, emit } = this.#options;
    const stored = store.readOne(seq);
    if (!stored) return;
    const text = Buffer.from(JSON.stringify(stored.content));
    const update = restore(stored.content);
    const { updateId } = stored;
    const [key, kind, { runs: attempts }] = [
      orderKey(keyOf(update)),
      kindOf(update),
      store.ledger.historyOf(seq),
    ];
    const error = cause === undefined ? undefined : errorText(cause);
    store.addDeadLetter({ seq, updateId, key, kind, why, attempts, atMs: now(), error }, text);
    emit({ event: 'inbox.dead', updateId, kind, why, attempts });
  }

  /**
   * Gives up those that processes have died of too often. Throws INBOX_DISK.
   *
   * @returns how many
   */
  giveUp(): number {
    const { store, maxAttempts } = this.#options;
    if (maxAttempts === 0) return 0;
    const worn = store.ledger.histories().filter(([, { deaths }]) => deaths >= maxAttempts);
    for (const [seq] of worn) {
      this.bury(seq, 'died');
      store.mark('settled', seq);
    }
    store.write();
    return worn.length;
  }
}
