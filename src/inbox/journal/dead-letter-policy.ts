/**
 * Which updates are not tried any more: those whose handler failed, and those that processes died of, or that too many
 * stops had to cut. They become dead letters, which people can look at and have tried again.
 */
import type { InboxEvent } from '../events.js';
import { orderKey, type Seq } from '../ids.js';
import type { DeadReason } from '../inbox.js';
import type { History } from '../store/records.js';
import type { Store } from '../store/store.js';

export interface DeadLetterPolicyOptions<U> {
  readonly store: Store;
  /** After how many attempts in a row that ended with the process an update is given up; 0: never. */
  readonly maxAttempts: number;
  keyOf(update: U): string;
  kindOf(update: U): string;
  /** Makes an update of its JSON. */
  restore(content: unknown): U;
  /** Puts an error into words that may be kept. */
  errorText(error: unknown): string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  emit(event: InboxEvent): void;
}

export class DeadLetterPolicy<U> {
  readonly #options: DeadLetterPolicyOptions<U>;

  constructor(options: DeadLetterPolicyOptions<U>) {
    this.#options = options;
  }

  /** Whether one more death would be the last: such an update runs with no other suspect beside it. */
  isSuspect({ deaths, cuts }: History): boolean {
    const { maxAttempts } = this.#options;
    return deaths > 0 && deaths + cuts >= maxAttempts - 1 && maxAttempts > 0;
  }

  /**
   * Settles an update and keeps it as a dead letter: as it was written, whatever its handler made of it. Throws INBOX_DISK.
   */
  giveUp(seq: Seq, why: DeadReason, cause?: unknown): void {
    const { store, restore, keyOf, kindOf, errorText, now, emit } = this.#options;
    const stored = store.readOne(seq);
    if (!stored) return;
    const text = Buffer.from(JSON.stringify(stored.content));
    const update = restore(stored.content);
    const { updateId, acceptedAtMs } = stored;
    // A clock without a battery is behind until it is set right, and a letter so old would be dropped for its age then.
    const atMs = Math.max(now(), acceptedAtMs);
    const [key, kind] = [orderKey(keyOf(update)), kindOf(update)];
    const { attempts, deaths, cuts } = store.ledger.historyOf(seq);
    const error = cause === undefined ? undefined : errorText(cause);
    store.addDeadLetter({ seq, updateId, key, kind, why, attempts, atMs, error }, text);
    emit({ event: 'inbox.dead', updateId, kind, why, attempts, deaths, cuts });
  }

  /**
   * Gives up the updates that too many processes in a row have died of, or were stopped amid. Throws INBOX_DISK.
   *
   * @returns how many updates were given up
   */
  giveUpExhausted(): number {
    const { store, maxAttempts } = this.#options;
    if (maxAttempts === 0) return 0;
    const exhausted = store.ledger.histories().filter(([, { deaths, cuts }]) => deaths + cuts >= maxAttempts);
    for (const [seq, { deaths, cuts }] of exhausted) this.giveUp(seq, cuts > deaths ? 'cut' : 'died');
    store.write();
    return exhausted.length;
  }
}
