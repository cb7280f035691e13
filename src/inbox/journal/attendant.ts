/** Does to the updates of the inbox what people ask for, and never touches one that is being handled. */
import type { InboxEvent } from '../events.js';
import type { Seq, UpdateId } from '../ids.js';
import type { InboxAnswer, InboxRequest } from '../store/requests.js';
import type { Store } from '../store/store.js';
import type { Item, Queue } from './queue.js';

export interface AttendantOptions<U> {
  readonly store: Store;
  readonly queue: Queue<U>;
  /** What wait again, and what wait no more, are counted here. */
  readonly counts: { recovered: number; dropped: number };
  emit(event: InboxEvent): void;
}

export class Attendant<U> {
  readonly #options: AttendantOptions<U>;

  constructor(options: AttendantOptions<U>) {
    this.#options = options;
  }

  /** Does what can be done of it; it is written, but not yet safe. Throws INBOX_DISK. */
  answer({ action, seqs }: InboxRequest): InboxAnswer {
    const { store, emit } = this.#options;
    /** Their ids, by number. */
    const done = new Map<Seq, UpdateId>();
    for (const seq of seqs) {
      const updateId = action === 'retry' ? this.#retry(seq) : this.#drop(seq);
      if (updateId !== undefined) done.set(seq, updateId);
    }
    store.write();
    const refused = seqs.filter((seq) => !done.has(seq));
    emit({ event: 'inbox.requested', action, updates: [...done.values()], refused: refused.length });
    return { done: [...done.keys()], refused };
  }

  /** Has a dead letter's update wait once more, as if it had just arrived; undefined where there is no such letter. */
  #retry(seq: Seq): UpdateId | undefined {
    const { store, counts } = this.#options;
    const letter = store.getDeadLetter(seq);
    const text = letter && store.deadLetters.content(seq);
    if (!text) return undefined;
    store.appendRetried({ ids: [letter.updateId], contentIndexes: [0], contents: Buffer.from(`[${text}]`) });
    store.removeDeadLetter(seq);
    counts.recovered++;
    return letter.updateId;
  }

  /** Undefined where there is no such update, or it is being handled. */
  #drop(seq: Seq): UpdateId | undefined {
    const { store, queue, counts } = this.#options;
    const letter = store.getDeadLetter(seq);
    if (letter) {
      store.removeDeadLetter(seq);
      return letter.updateId;
    }
    const stored = store.readOne(seq);
    const delivered = itemOf(queue, seq);
    if (!stored || delivered?.stage === 'begun') return undefined;
    store.mark('settled', seq);
    if (delivered) queue.remove(delivered);
    counts.dropped++;
    return stored.updateId;
  }
}

const itemOf = <U>(queue: Queue<U>, seq: Seq): Item<U> | undefined =>
  [...queue.delivered()].find((item) => item.seq === seq);
