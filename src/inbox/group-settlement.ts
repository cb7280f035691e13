/**
 * Settles the updates of a group (the messages of an album) together. A bot gathers them while their handlers run, and lets
 * all but one handler end at once; what the last one does is done for all of them. So an update of a group whose handler has
 * ended well stays taken while others of the group are at work: where the process dies, or a stop cuts the group, the next
 * run has the whole group, and where the last one is put back, so are those that had ended.
 */
import type { Entry, Inbox, Retry, Settlement } from './inbox.js';

/** The part of an inbox that handlers concern. */
type Source<U> = Pick<
  Inbox<U>,
  'take' | 'hasReady' | 'settle' | 'putBack' | 'outlivesRun' | 'expiresAfterMs' | 'counts'
>;

interface Group<U> {
  /** The number of entries whose handlers are at work. */
  atWork: number;
  /** The entries whose handlers have ended well, in the order of their ends. */
  readonly ended: Entry<U>[];
}

export class GroupSettlement<U> implements Source<U> {
  readonly #inbox: Source<U>;
  readonly #groups = new Map<string, Group<U>>();

  constructor(inbox: Source<U>) {
    this.#inbox = inbox;
  }

  take(most: number): readonly Entry<U>[] {
    const entries = this.#inbox.take(most);
    for (const { group } of entries) {
      if (group === undefined) continue;
      const known = this.#groups.get(group);
      if (known) known.atWork++;
      else this.#groups.set(group, { atWork: 1, ended: [] });
    }
    return entries;
  }

  get hasReady(): boolean {
    return this.#inbox.hasReady;
  }

  get outlivesRun(): boolean {
    return this.#inbox.outlivesRun;
  }

  get expiresAfterMs(): number {
    return this.#inbox.expiresAfterMs;
  }

  get counts(): Inbox<U>['counts'] {
    return this.#inbox.counts;
  }

  settle(entry: Entry<U>, result: Settlement, error?: unknown): void {
    const group = this.#leave(entry);
    if (group && group.atWork > 0 && result === 'handled') {
      group.ended.push(entry);
      return;
    }
    // What the last one has failed to do, it has failed to do for all of them.
    for (const ended of endedOf(group)) this.#inbox.settle(ended, result, error);
    this.#inbox.settle(entry, result, error);
  }

  putBack(entry: Entry<U>, retry: Retry): void {
    const entries = [...endedOf(this.#leave(entry)), entry];
    // Their handlers have ended in any order; the next ones are to begin in the order of arrival.
    entries.sort((one, other) => one.updateId - other.updateId);
    for (const each of entries) this.#inbox.putBack(each, retry);
  }

  /** The handler of an entry has ended; returns the entry's group. */
  #leave({ group: name }: Entry<U>): Group<U> | undefined {
    const group = name === undefined ? undefined : this.#groups.get(name);
    if (name === undefined || !group) return undefined;
    group.atWork--;
    if (group.atWork === 0) this.#groups.delete(name);
    return group;
  }
}

/** The entries that wait no longer: those of a group of which nothing is at work any more. */
function endedOf<U>(group: Group<U> | undefined): readonly Entry<U>[] {
  return group && group.atWork === 0 ? group.ended : [];
}
