/**
 * What is not settled, in order of arrival: by batch, where it is in the log, and no more, so that a backlog of any
 * length costs little memory. The journal keeps it as it goes; a start learns it from the log.
 */
import { TurnoverMap } from '../../turnover-map.js';
import { type Batch, Batches } from './batches.js';
import type { FoundFrame } from './frame.js';
import { RecentIds } from './recent.js';
import { decodeHead, decodeMarks, decodeUpdates, type History, type Indexed, RecordKind } from './records.js';
import type { Place } from './scan.js';

export type { Batch };

const untouched: History = { runs: 0, deaths: 0, begun: false };
const begunOnce: History = { runs: 1, deaths: 0, begun: true };

export class Ledger {
  readonly #batches = new Batches();
  /** Of those that were ever begun and are not settled. */
  readonly #histories = new TurnoverMap<number, History>();
  readonly recent = new RecentIds();
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
    return [...this.#histories.entries()];
  }

  /** Updates as they are in the log, in order of arrival. */
  add(place: Place, seqs: readonly number[]): Batch {
    const batch = { place, seqs: [...seqs], bytesEach: Math.ceil(place.length / seqs.length) };
    this.#batches.add(batch);
    this.#size += seqs.length;
    this.#bytes += seqs.length * batch.bytesEach;
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
    return batch?.seqs.includes(seq) ? batch : undefined;
  }

  historyOf(seq: number): History {
    return this.#histories.get(seq) ?? untouched;
  }

  begin(seq: number): void {
    const before = this.#histories.get(seq);
    if (!before) {
      this.#histories.set(seq, begunOnce);
      return;
    }
    const { runs, deaths, begun } = before;
    // Begun a second time without a word on the first: the process died in between.
    this.#histories.set(seq, { runs: runs + 1, deaths: begun ? deaths + 1 : deaths, begun: true });
  }

  /** A stop has cut it: that is no fault of its own. */
  cut(seq: number): void {
    const history = this.#histories.get(seq);
    if (history) this.#histories.set(seq, { ...history, begun: false });
  }

  settle(seq: number): void {
    const batch = this.#batches.upTo(seq);
    const place = batch?.seqs.indexOf(seq) ?? -1;
    if (!batch || place < 0) return;
    if (batch.seqs.length === 1) this.#batches.remove(batch);
    else batch.seqs.splice(place, 1);
    this.#histories.delete(seq);
    this.#size--;
    this.#bytes -= batch.bytesEach;
  }

  /** The process that wrote the log is gone: it died of what it had begun, or beside it. */
  endRun(): void {
    for (const [seq, { runs, deaths, begun }] of this.histories())
      if (begun) this.#histories.set(seq, { runs, deaths: deaths + 1, begun: false });
  }

  /** Follows the log, record by record. */
  replay({ kind, payload }: Pick<FoundFrame, 'kind' | 'payload'>, place: Place): void {
    switch (kind) {
      case RecordKind.head: {
        const { nextSeq, recent } = decodeHead(payload);
        this.nextSeq = Math.max(this.nextSeq, nextSeq);
        for (const [id, atMs] of recent) this.recent.add(id, atMs);
        return;
      }
      case RecordKind.updates: {
        const { atMs, passed, updates } = decodeUpdates(payload);
        if (passed !== undefined) this.recent.passed(passed);
        for (const { updateId } of updates) this.recent.add(updateId, atMs);
        this.#replayUpdates(updates, place);
        return;
      }
      case RecordKind.rewritten:
        this.#replayUpdates(decodeUpdates(payload).updates, place);
        return;
      case RecordKind.marks: {
        const { begun, settled, cut } = decodeMarks(payload);
        for (const seq of begun) if (this.batchOf(seq)) this.begin(seq);
        for (const seq of cut) this.cut(seq);
        for (const seq of settled) this.settle(seq);
        return;
      }
    }
  }

  #replayUpdates(updates: readonly Indexed[], place: Place): void {
    const [first] = updates;
    if (!first) return;
    const seqs = updates.map(({ seq }) => seq);
    const earlier = this.batchOf(first.seq);
    if (earlier) {
      earlier.place = place;
      // What was written anew is all that was left: where marks are missing, something is damaged.
      const left = new Set(seqs);
      for (const seq of [...earlier.seqs]) if (!left.has(seq)) this.settle(seq);
    } else {
      this.add(place, seqs);
    }
    for (const { seq, history } of updates) if (history) this.#histories.set(seq, history);
  }
}
