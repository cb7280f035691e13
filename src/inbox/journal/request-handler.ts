/** Does to the updates of the inbox what people ask for with `lastcall inbox`, and never touches one that is taken. */

import type { Counters } from '../counters.js';
import type { InboxEvent } from '../events.js';
import type { Seq, UpdateId } from '../ids.js';
import type { Disk } from '../log/disk.js';
import { answerRequests, type InboxAnswer, type InboxRequest } from '../store/requests.js';
import type { Store } from '../store/store.js';

export interface RequestHandlerOptions {
  readonly disk: Disk;
  /** The folder of the inbox; absolute. */
  readonly folder: string;
  readonly store: Store;
  readonly counters: Counters;
  emit(event: InboxEvent): void;
}

export class RequestHandler {
  readonly #options: RequestHandlerOptions;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
  }

  /**
   * Answers all requests that wait. What was done is written, but not yet synced. Throws INBOX_DISK.
   *
   * @returns whether there was any
   */
  answerAll(): boolean {
    const { disk, folder } = this.#options;
    let answered = false;
    answerRequests(disk, folder, (request) => {
      answered = true;
      return this.#answer(request);
    });
    return answered;
  }

  /** Does as much of a request as can be done. */
  #answer({ action, seqs }: InboxRequest): InboxAnswer {
    const { store, emit } = this.#options;
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
    const { store, counters } = this.#options;
    const letter = store.getDeadLetter(seq);
    // The process that has done it may have died before it answered.
    if (!letter) return store.ledger.retried.get(seq);
    if (!store.retryDeadLetter(seq)) return undefined;
    counters.recovered++;
    return letter.updateId;
  }

  /** Undefined where there is no such update, or its handler is at work. */
  #drop(seq: Seq): UpdateId | undefined {
    const { store, counters } = this.#options;
    const letter = store.getDeadLetter(seq);
    if (letter) {
      store.removeDeadLetter(seq);
      return letter.updateId;
    }
    const stored = store.readOne(seq);
    if (!stored || store.ledger.historyOf(seq).begun) return undefined;
    store.mark('settled', seq);
    counters.dropped++;
    return stored.updateId;
  }
}
