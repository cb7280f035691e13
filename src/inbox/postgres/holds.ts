/**
 * What keeps the first update of a lane from beginning: its delay, another suspect before it, and a mark that has to be
 * written first.
 *
 * Marks tell, when this process dies, which updates were at work in it. An update begins without waiting for its mark, but
 * for one that may have been at work in a process that died: so an update that kills at once is found out all the same.
 */
import type { Clock } from '../../clock.js';
import { UPDATE_EXPIRES_AFTER_MS } from '../inbox.js';
import type { OrderKeeper } from '../order-keeper.js';
import type { Item } from './item.js';

export interface HoldsOptions<U> {
  readonly clock: Clock;
  readonly order: Pick<OrderKeeper<Item<U>>, 'add' | 'hold' | 'putBack'>;
  /** Whether one more death of an update would be the last. */
  isSuspect(item: Item<U>): boolean;
  /** Called when something can be taken that could not before, other than by what the caller adds and takes away. */
  available(): void;
  /** Called when a mark has to be written before its update can begin. */
  unmarked(): void;
}

export class Holds<U> {
  readonly #options: HoldsOptions<U>;
  readonly #delayed = new Map<Item<U>, () => void>();
  #suspect: Item<U> | undefined;
  /** The suspects that wait for the one before them. */
  readonly #suspended = new Set<Item<U>>();
  /** The updates that begin once their marks are written; `true` for those whose mark is. */
  readonly #marked = new Map<Item<U>, boolean>();

  constructor(options: HoldsOptions<U>) {
    this.#options = options;
  }

  /** The updates that wait for their delay, or for the suspect before them. */
  get waiting(): readonly Item<U>[] {
    return [...this.#delayed.keys(), ...this.#suspended];
  }

  /** The updates that begin as soon as their marks are written, and have not ended. */
  get beginning(): Iterable<Item<U>> {
    return this.#marked.keys();
  }

  /** Adds the first update of a lane. */
  add(item: Item<U>, isDoubtful: boolean): void {
    const { delayMs, deaths } = item.stored;
    if (delayMs <= 0 && deaths === 0 && !isDoubtful) {
      this.#options.order.add(item);
      return;
    }
    this.#options.order.hold(item);
    this.delay(item, delayMs, isDoubtful);
  }

  /** An update that is held, or at work, can be taken after the delay, if nothing else keeps it. */
  delay(item: Item<U>, delayMs: number, isDoubtful: boolean): void {
    const proceed = () => {
      this.#delayed.delete(item);
      this.#admit(item, isDoubtful);
    };
    if (delayMs <= 0) {
      proceed();
      return;
    }
    // No update waits for longer than until it expires.
    const cancel = this.#options.clock.after(Math.min(delayMs, UPDATE_EXPIRES_AFTER_MS), proceed);
    this.#delayed.set(item, cancel);
  }

  /** The updates that may begin once what is written next is safe. */
  get unmarked(): readonly Item<U>[] {
    return [...this.#marked].flatMap(([item, isWritten]) => (isWritten ? [] : [item]));
  }

  /** The marks of these updates are safe. */
  marksWritten(items: readonly Item<U>[]): void {
    let isAny = false;
    for (const item of items) {
      if (this.#marked.get(item) !== false) continue;
      this.#marked.set(item, true);
      this.#options.order.putBack(item);
      isAny = true;
    }
    if (isAny) this.#options.available();
  }

  /** An update is done with, or not here any more. */
  forget(item: Item<U>): void {
    this.#marked.delete(item);
    this.#suspended.delete(item);
    if (item !== this.#suspect) return;
    this.#suspect = undefined;
    const [next] = this.#suspended;
    if (!next) return;
    this.#suspended.delete(next);
    this.#admit(next, true);
  }

  /** As {@link forget}, for an update that may be delayed. */
  cancel(item: Item<U>): void {
    this.#delayed.get(item)?.();
    this.#delayed.delete(item);
    this.forget(item);
  }

  /** Ends all waits. */
  close(): void {
    for (const cancel of this.#delayed.values()) cancel();
    this.#delayed.clear();
  }

  /** Makes an update that was held ready, if nothing else keeps it. */
  #admit(item: Item<U>, isDoubtful: boolean): void {
    const isSuspect = this.#options.isSuspect(item);
    if (isSuspect && this.#suspect && this.#suspect !== item) {
      this.#suspended.add(item);
      return;
    }
    if (isSuspect) this.#suspect = item;
    if (isDoubtful || item.stored.deaths > 0) {
      this.#marked.set(item, false);
      this.#options.unmarked();
      return;
    }
    this.#options.order.putBack(item);
    this.#options.available();
  }
}
