/** Does to the updates of the inbox what people ask for with `lastcall inbox`, and never touches one that is taken. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Counters } from '../counters.js';
import type { InboxEvent } from '../events.js';
import type { Seq, UpdateId } from '../ids.js';
import type { Disk } from '../log/disk.js';
import { type InboxAnswer, type InboxRequest, Requests } from '../store/requests.js';
import type { Store } from '../store/store.js';

export interface RequestHandlerOptions {
  readonly disk: Disk;
  /** The folder of the inbox; absolute. */
  readonly folder: string;
  readonly store: Store;
  readonly counters: Counters;
  emit(event: InboxEvent): void;
}

export interface RequestTurns {
  /** Whether anything may still be done. */
  isOpen(): boolean;
  /** Resolves when what was done is safe. Called once after all requests, before their answers. */
  commit(): Promise<void>;
}

/** Trying that many dead letters again takes some ten milliseconds. */
const SLICE = 250;

/** How many ids are told of each request. */
const MOST_IDS = 20;

export class RequestHandler {
  readonly #options: RequestHandlerOptions;
  readonly #requests: Requests;
  #isAtWork = false;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
    this.#requests = new Requests(options.disk, options.folder);
  }

  /**
   * Answers all requests that wait, unless that is under way already. A long request is carried out in slices, so that
   * the bot goes on meanwhile; if the run ends before the last one, the rest is for the next process. Rejects with
   * INBOX_DISK.
   */
  async answerAll({ isOpen, commit }: RequestTurns): Promise<void> {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    try {
      const answers = new Map<string, InboxAnswer>();
      for (const { id, request } of this.#requests.waiting()) {
        const answer = await this.#carryOut(request, isOpen);
        if (!answer) return;
        answers.set(id, answer);
      }
      if (answers.size > 0) await commit();
      for (const [id, answer] of answers) this.#requests.answer(id, answer);
    } finally {
      this.#isAtWork = false;
    }
  }

  /** Does as much of a request as can be done. Undefined if the run has ended meanwhile. */
  async #carryOut(
    { action, seqs }: InboxRequest,
    isOpen: RequestTurns['isOpen'],
  ): Promise<InboxAnswer | undefined> {
    const { store, emit } = this.#options;
    const done = new Map<Seq, UpdateId>();
    for (let at = 0; at < seqs.length; at += SLICE) {
      if (at > 0) await nextTurn();
      if (!isOpen()) return undefined;
      for (const seq of seqs.slice(at, at + SLICE)) {
        const updateId = action === 'retry' ? this.#retry(seq) : this.#drop(seq);
        if (updateId !== undefined) done.set(seq, updateId);
      }
      store.write();
    }
    const refused = seqs.filter((seq) => !done.has(seq));
    const ids = [...done.values()].slice(0, MOST_IDS);
    emit({ event: 'inbox.requested', action, updates: done.size, ids, refused: refused.length });
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
