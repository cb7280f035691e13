/** What one process knows of a bot's queue at Telegram: how far it has fetched, and what Telegram has been told to forget. */
import { offsetsToConfirm } from './final-confirm.js';

export class QueuePosition {
  #accepted: number | undefined;
  #requested: number | undefined;
  #answered: number | undefined;
  /** The number of updates below `#accepted` in the newest batch; all earlier batches are confirmed. */
  #acceptedInBatch = 0;
  /** When the newest batch was fetched, in the clock's milliseconds, until Telegram has been told to forget it. */
  #fetchedAt: number | undefined;
  /** Whether the poll that is under way is the first to tell Telegram to forget the newest batch. */
  #isTelling = false;

  /** The offset from which the next poll starts: the one that may be confirmed; undefined before there is one. */
  get next(): number | undefined {
    return this.#accepted;
  }

  /** The id of the newest update that Telegram has been told to forget. */
  get confirmedUpTo(): number | undefined {
    return this.#answered === undefined ? undefined : this.#answered - 1;
  }

  /** The number of accepted updates that Telegram has not been told to forget. */
  get unconfirmed(): number {
    return this.#answered === this.#accepted ? 0 : this.#acceptedInBatch;
  }

  /** The offsets by which Telegram is told to forget all accepted updates; none if it has been. */
  get toConfirm(): readonly number[] {
    return offsetsToConfirm(this.#accepted, this.#answered, this.#requested);
  }

  /** For how long fetched updates have waited until Telegram is told to forget them, in milliseconds; 0 if none wait. */
  lagMs(now: number): number {
    return this.#fetchedAt === undefined || this.#isTelling ? 0 : now - this.#fetchedAt;
  }

  /** A poll from `next` begins. It may wait for long until it is answered, and tells Telegram what to forget at once. */
  requested(): void {
    this.#isTelling = this.#accepted !== this.#requested;
    this.#requested = this.#accepted;
  }

  /** That poll was not answered. */
  failed(): void {
    this.#isTelling = false;
  }

  /** That poll was answered: Telegram has forgotten all updates below its offset. */
  answered(): void {
    this.#answered = this.#requested;
    this.#told();
  }

  /** A batch was fetched, and is to be accepted. */
  fetched(now: number): void {
    this.#fetchedAt = now;
  }

  /** The updates below this offset are accepted, so many of them from the newest batch. */
  accepted(offset: number, inBatch: number): void {
    this.#accepted = offset;
    this.#acceptedInBatch = inBatch;
  }

  /** Telegram has forgotten all accepted updates. */
  confirmed(): void {
    this.#answered = this.#accepted;
    this.#told();
  }

  #told(): void {
    this.#fetchedAt = undefined;
    this.#isTelling = false;
  }
}
