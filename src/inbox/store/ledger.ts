/**
 * What is not settled, in order of arrival: by batch, where it is in the log, and no more, so that a backlog of any
 * length costs little memory. The journal keeps it as it goes; a start learns it from the log.
 */

import type { FoundFrame } from '../log/frame.js';
import type { Place } from '../log/scan.js';
import { Batch } from './batch.js';
import { Batches } from './batches.js';
import { RecentIds } from './recent.js';
import {
  decodeHead,
  decodeMarks,
  decodeUpdates,
  type History,
  type Marks,
  RecordKind,
  type UpdatesRecord,
} from './records.js';

/** What earlier runs have made of an update. */
type Past = Pick<History, 'runs' | 'deaths'>;

const untouched: Past = { runs: 0, deaths: 0 };

export class Ledger {
  readonly #batches = new Batches();
  /** Of those that earlier runs have begun, and that are not settled. */
  readonly #pasts = new Map<number, Past>();
  recent = new RecentIds();
  nextSeq = 1;
  #size = 0;
  #bytes = 0;

  /** How many updates are not settled. */
  get size(): number {
    return this.#size;
  }

  /** About how much of the log they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All of them, in order of arrival. */
  batches(): readonly Batch[] {
    return [...this.#batches];
  }

  /** The numbers of those that were ever begun, with what is known of that. */
  histories(): readonly (readonly [seq: number, history: History])[] {
    const seqs = new Set([...this.#pasts.keys(), ...this.#begun()]);
    return [...seqs].map((seq) => [seq, this.historyOf(seq)]);
  }

  /** Updates as they are in the log, in order of arrival. */
  add(place: Place, seqs: readonly number[]): Batch {
    const batch = new Batch(place, seqs);
    this.#batches.add(batch);
    this.#size += batch.size;
    this.#bytes += batch.size * batch.bytesEach;
    this.nextSeq = Math.max(this.nextSeq, (seqs.at(-1) ?? 0) + 1);
    return batch;
  }

  /** The first batch with something from this number on. */
  batchFrom(seq: number): Batch | undefined {
    return this.#batches.from(seq);
  }

  /** The batch that the update is in; undefined once it is settled. */
  batchOf(seq: number): Batch | undefined {
    const batch = this.#batches.upTo(seq);
    return batch?.has(seq) ? batch : undefined;
  }

  historyOf(seq: number): History {
    const { runs, deaths } = this.#pasts.get(seq) ?? untouched;
    const begun = this.#batches.upTo(seq)?.stateOf(seq) === 'begun';
    return { runs: begun ? runs + 1 : runs, deaths, begun };
  }

  begin(seq: number): void {
    const batch = this.batchOf(seq);
    // Begun a second time without a word on the first: the process died in between.
    if (batch?.stateOf(seq) === 'begun') this.#endOf(seq, 'death');
    else batch?.become(seq, 'begun');
  }

  /** A stop has cut it: that is no fault of its own. */
  cut(seq: number): void {
    const batch = this.batchOf(seq);
    if (batch?.stateOf(seq) !== 'begun') return;
    batch.become(seq, 'waiting');
    this.#endOf(seq, 'cut');
  }

  settle(seq: number): void {
    const batch = this.batchOf(seq);
    if (!batch) return;
    batch.become(seq, 'settled');
    if (batch.size === 0) this.#batches.remove(batch);
    if (this.#pasts.size > 0) this.#pasts.delete(seq);
    this.#size--;
    this.#bytes -= batch.bytesEach;
  }

  /** The process that wrote the log is gone: it died of what it had begun, or beside it. */
  endRun(): void {
    for (const batch of this.#batches)
      for (const seq of batch.begun) {
        batch.become(seq, 'waiting');
        this.#endOf(seq, 'death');
      }
  }

  /** Follows the log, record by record. */
  replay({ kind, payload }: Pick<FoundFrame, 'kind' | 'payload'>, place: Place): void {
    switch (kind) {
      case RecordKind.head: {
        const { nextSeq, recent } = decodeHead(payload);
        this.nextSeq = Math.max(this.nextSeq, nextSeq);
        // It tells of all that may come again, whatever was read before.
        this.recent = new RecentIds();
        for (const arrival of recent) this.recent.add(arrival);
        return;
      }
      case RecordKind.updates: {
        const record = decodeUpdates(payload);
        this.#replayMarks(record.marks);
        if (record.passed !== undefined) this.recent.passed(record.passed);
        this.recent.add(record);
        this.#replayUpdates(record, place);
        return;
      }
      case RecordKind.rewritten: {
        const record = decodeUpdates(payload);
        this.#replayMarks(record.marks);
        this.#replayUpdates(record, place);
        return;
      }
      case RecordKind.marks:
        this.#replayMarks(decodeMarks(payload));
    }
  }

  #replayMarks({ begun, settled, cut }: Marks): void {
    for (const seq of begun) this.begin(seq);
    for (const seq of cut) this.cut(seq);
    for (const seq of settled) this.settle(seq);
  }

  #replayUpdates({ seqs, histories }: UpdatesRecord, place: Place): void {
    const [first] = seqs;
    if (first === undefined) return;
    const earlier = this.batchOf(first);
    if (earlier) {
      earlier.place = place;
      // What was written anew is all that was left: where marks are missing, something is damaged.
      const left = new Set(seqs);
      for (const seq of earlier.seqs) if (!left.has(seq)) this.settle(seq);
    } else {
      this.add(place, seqs);
    }
    for (const [seq, { runs, deaths, begun }] of histories) {
      this.#pasts.set(seq, { runs: begun ? runs - 1 : runs, deaths });
      this.batchOf(seq)?.become(seq, begun ? 'begun' : 'waiting');
    }
  }

  *#begun(): Generator<number> {
    for (const { begun } of this.#batches) yield* begun;
  }

  #endOf(seq: number, how: 'cut' | 'death'): void {
    const { runs, deaths } = this.#pasts.get(seq) ?? untouched;
    this.#pasts.set(seq, { runs: runs + 1, deaths: how === 'death' ? deaths + 1 : deaths });
  }
}
