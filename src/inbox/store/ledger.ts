/**
 * The ledger knows which updates are not settled, and where in the log they are. It does not hold their contents, so
 * that a backlog of any length costs little memory. It is rebuilt from the log at the start and kept up to date from
 * then on.
 */
import { type Seq, seq, type UpdateId } from '../ids.js';
import type { FoundFrame } from '../log/frame.js';
import { type Extent, type Position, position } from '../log/position.js';
import { RecentIds } from '../recent-ids.js';
import { Batch } from './batch.js';
import { Batches } from './batches.js';
import { decodeHeader, decodeMarks, decodeUpdates } from './record-codec.js';
import { FORMAT, type History, type Marks, type PutBack, RecordKind, type UpdatesRecord } from './records.js';

/** What has become of an update in the attempts that have ended. */
type EndedAttempts = Omit<History, 'begun'>;

const noAttempts: EndedAttempts = {
  attempts: 0,
  deaths: 0,
  cuts: 0,
  putBacks: 0,
  retries: 0,
  notBeforeMs: 0,
};

export class Ledger {
  readonly #batches = new Batches();
  /** Of each unsettled update of which an attempt has ended. */
  readonly #ended = new Map<Seq, EndedAttempts>();
  readonly #retried = new Map<Seq, UpdateId>();
  #recent = new RecentIds();
  #nextSeq = seq(1);
  #runId: string | undefined;
  #isOutdated = false;
  #outdatedEnd = position(0);
  /** Whether the run that writes the log has begun to stop in order. */
  #draining = false;
  #size = 0;
  #bytes = 0;

  /** The ids that Telegram may send again. */
  get recent(): RecentIds {
    return this.#recent;
  }

  /** The dead letters that earlier runs have retried, as far as the log still tells; they may have died before removing them. */
  get retried(): ReadonlyMap<Seq, UpdateId> {
    return this.#retried;
  }

  /** The run of the program that has written the newest segment; undefined if the segment does not tell. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** The number that the next new update gets. */
  get nextSeq(): Seq {
    return this.#nextSeq;
  }

  /** How many updates are not settled. */
  get size(): number {
    return this.#size;
  }

  /** About how many bytes of the log the unsettled updates take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All batches with unsettled updates, in order of arrival. */
  batches(): readonly Batch[] {
    return [...this.#batches];
  }

  /** The history of each unsettled update that was ever begun. */
  histories(): readonly (readonly [seq: Seq, history: History])[] {
    const begun = [...this.#batches].flatMap((batch) => batch.begun);
    return [...new Set([...this.#ended.keys(), ...begun])].map((of) => [of, this.historyOf(of)]);
  }

  /** Adds the updates of a record in the log, in order of arrival. */
  add(extent: Extent, seqs: readonly Seq[]): Batch {
    const batch = new Batch(extent, seqs);
    this.#batches.add(batch);
    this.#size += batch.size;
    this.#bytes += batch.size * batch.bytesEach;
    this.skipBehind(batch.last);
    return batch;
  }

  /** Never gives out this number or a lower one again. */
  skipBehind(taken: Seq): void {
    if (taken >= this.#nextSeq) this.#nextSeq = seq(taken + 1);
  }

  /** The position behind the last record of an older format. */
  get outdatedEnd(): Position {
    return this.#outdatedEnd;
  }

  /** The batch whose record is the oldest in the log. */
  get oldestBatch(): Batch | undefined {
    return this.#batches.oldest;
  }

  /** The record of a batch was rewritten, and is now there. */
  move(batch: Batch, extent: Extent): void {
    this.#batches.move(batch, extent);
  }

  /** The first batch with an unsettled update of this number or a later one. */
  batchFrom(first: Seq): Batch | undefined {
    return this.#batches.from(first);
  }

  /** The batch of an update, or undefined if the update is settled. */
  batchOf(of: Seq): Batch | undefined {
    const batch = this.#batches.upTo(of);
    return batch?.has(of) ? batch : undefined;
  }

  historyOf(of: Seq): History {
    const ended = this.#ended.get(of) ?? noAttempts;
    const begun = this.#batches.upTo(of)?.stateOf(of) === 'begun';
    return { ...ended, attempts: begun ? ended.attempts + 1 : ended.attempts, begun };
  }

  /** What the attempts that have ended came to: the history of an update that is not begun, at less cost. */
  endedAttemptsOf(of: Seq): EndedAttempts {
    return this.#ended.get(of) ?? noAttempts;
  }

  begin(of: Seq): void {
    const batch = this.batchOf(of);
    // If it was begun already, the process died in between.
    if (batch?.stateOf(of) === 'begun') this.#endAttempt(of, { deaths: 1 });
    else batch?.setState(of, 'begun');
    const ended = this.#ended.get(of);
    if (ended && ended.notBeforeMs > 0) this.#ended.set(of, { ...ended, notBeforeMs: 0 });
  }

  /** Records that a stop has cut the update's handler, which does not count as a death. */
  cut(of: Seq): void {
    const batch = this.batchOf(of);
    if (batch?.stateOf(of) !== 'begun') return;
    batch.setState(of, 'waiting');
    this.#endAttempt(of, { cuts: 1 });
  }

  /** Records that the update is to be tried again. Deaths and cuts count anew from here on. */
  putBack({ seq: of, notBeforeMs, isRetry }: PutBack): void {
    const batch = this.batchOf(of);
    if (batch?.stateOf(of) !== 'begun') return;
    batch.setState(of, 'waiting');
    const { attempts, putBacks, retries } = this.#ended.get(of) ?? noAttempts;
    this.#ended.set(of, {
      attempts: attempts + 1,
      deaths: 0,
      cuts: 0,
      putBacks: putBacks + 1,
      retries: isRetry ? retries + 1 : retries,
      notBeforeMs,
    });
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Records that the run has begun to stop in order: what it cuts off from here on does not count as a death. */
  beginDrain(): void {
    this.#draining = true;
  }

  /** Records that the stop has failed, perhaps because of what it would have cut off. */
  endDrain(): void {
    this.#draining = false;
  }

  settle(of: Seq): void {
    const batch = this.batchOf(of);
    if (!batch) return;
    batch.setState(of, 'settled');
    if (batch.size === 0) this.#batches.remove(batch);
    if (this.#ended.size > 0) this.#ended.delete(of);
    this.#size--;
    this.#bytes -= batch.bytesEach;
  }

  /**
   * Counts a death for each update that is begun, because the process that began it is gone; or a cut, where that process
   * was stopping, and its supervisor has killed it.
   */
  endRun(): void {
    for (const batch of this.#batches)
      for (const begun of batch.begun) {
        batch.setState(begun, 'waiting');
        this.#endAttempt(begun, this.#draining ? { cuts: 1 } : { deaths: 1 });
      }
    this.#draining = false;
  }

  /** Applies the next record of the log. Ignores kinds of records that it does not know. */
  replay({ kind, payload }: Pick<FoundFrame, 'kind' | 'payload'>, extent: Extent): void {
    this.#replay(kind, payload, extent);
    if (this.#isOutdated) this.#outdatedEnd = position(extent.position + extent.length);
  }

  #replay(kind: number, payload: Buffer, extent: Extent): void {
    switch (kind) {
      case RecordKind.header: {
        const { format, runId, nextSeq, recent } = decodeHeader(payload);
        this.#isOutdated = format < FORMAT;
        if (runId !== this.#runId) this.endRun();
        this.#runId = runId;
        if (nextSeq > this.#nextSeq) this.#nextSeq = nextSeq;
        // A header names all recent ids, those of older records included.
        this.#recent = new RecentIds();
        for (const arrival of recent) this.#recent.add(arrival);
        return;
      }
      case RecordKind.updates: {
        const record = decodeUpdates(payload);
        if (record.confirmedOffset !== undefined) this.#recent.confirm(record.confirmedOffset);
        this.#recent.add(record);
        this.#replayUpdates(record, extent);
        return;
      }
      case RecordKind.rewritten:
        this.#replayUpdates(decodeUpdates(payload), extent);
        return;
      case RecordKind.marks:
        this.#replayMarks(decodeMarks(payload));
        return;
      case RecordKind.draining:
        this.beginDrain();
        return;
      case RecordKind.drainFailed:
        this.endDrain();
    }
  }

  /** Marks of a beginning are written at once, so that all other marks of the same record are older. */
  #replayMarks({ begun, settled, cut, putBack }: Marks): void {
    for (const of of cut) this.cut(of);
    for (const one of putBack) this.putBack(one);
    for (const of of settled) this.settle(of);
    for (const of of begun) this.begin(of);
  }

  #replayUpdates({ seqs, ids: [id], retryOf, histories, marks }: UpdatesRecord, extent: Extent): void {
    this.#replayMarks(marks);
    if (retryOf !== undefined && id !== undefined) {
      this.#retried.set(retryOf, id);
      // The mark that settles it may not have been written yet.
      this.settle(retryOf);
    }
    const [first] = seqs;
    if (first === undefined) return;
    const earlier = this.batchOf(first);
    if (earlier) {
      this.#batches.move(earlier, extent);
      // The rewritten record holds all that was left. If more seems to be left, the marks that settled it are damaged.
      const left = new Set(seqs);
      for (const of of earlier.seqs) if (!left.has(of)) this.settle(of);
    } else {
      this.add(extent, seqs);
    }
    for (const [of, { begun, ...history }] of histories) {
      this.#ended.set(of, { ...history, attempts: begun ? history.attempts - 1 : history.attempts });
      this.batchOf(of)?.setState(of, begun ? 'begun' : 'waiting');
    }
  }

  #endAttempt(of: Seq, { deaths = 0, cuts = 0 }: Partial<EndedAttempts>): void {
    const ended = this.#ended.get(of) ?? noAttempts;
    this.#ended.set(of, {
      ...ended,
      attempts: ended.attempts + 1,
      deaths: ended.deaths + deaths,
      cuts: ended.cuts + cuts,
    });
  }
}
