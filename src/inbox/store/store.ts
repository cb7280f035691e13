/**
 * The store is everything of an inbox on disk: the log, the ledger of what is not settled, and the dead letters.
 * Everything is written through it, and it turns each error of the disk into an INBOX_DISK error.
 */
import { type Seq, seq, type UpdateId } from '../ids.js';
import type { Disk } from '../log/disk.js';
import type { Log } from '../log/log.js';
import type { Batch } from './batch.js';
import { oldestNeeded, rewriteOldestSegment } from './compaction.js';
import type { Damage } from './damaged-copy.js';
import type { DeadLetters, DroppedLetters } from './dead-letters.js';
import { inboxError } from './inbox-error.js';
import type { Ledger } from './ledger.js';
import type { LetterSummary } from './read-dead-letters.js';
import { RecordCache, readRecord, type StoredUpdate, unsettledUpdates } from './record-cache.js';
import { encodeMarks, encodeUpdates } from './record-codec.js';
import { type DeadLetter, noMarks, type PutBack, RecordKind, type UpdatesRecord } from './records.js';

export interface StoreOptions {
  readonly disk: Disk;
  /** The folder of the inbox. */
  readonly folder: string;
  /** Whether what is committed has to survive a power cut, and not only the end of the process. */
  readonly survivesPowerCut: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface StoreParts {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  readonly damage: readonly Damage[];
}

/** New updates, before they are numbered. */
export interface NewUpdates extends Pick<UpdatesRecord, 'ids' | 'contentIndexes'> {
  /** JSON as `encodeUpdates` takes it. */
  readonly contents: Uint8Array;
}

export class Store {
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  /** What could not be read when the store was opened. */
  readonly damage: readonly Damage[];
  readonly #options: StoreOptions;
  readonly #log: Log;
  readonly #cache: RecordCache;
  /** Marks that are not written yet. */
  #marks = noMarks();
  /** The updates whose dead letter is not durable yet: a mark that settles one must not be there before its letter is. */
  readonly #dying = new Set<Seq>();
  /** The dead letters that the next commit removes. */
  readonly #removedLetters = new Set<Seq>();
  #isCompacting = false;

  /** A store is made by `openStore`. */
  constructor(options: StoreOptions, { log, ledger, deadLetters, damage }: StoreParts) {
    this.#options = options;
    this.#log = log;
    this.#cache = new RecordCache(log);
    this.ledger = ledger;
    this.deadLetters = deadLetters;
    this.damage = damage;
  }

  /** The size of the log, in bytes. */
  get logBytes(): number {
    return this.#log.bytes;
  }

  /** When the oldest unsettled update was accepted, in milliseconds since 1970; undefined without one. Throws INBOX_DISK. */
  get oldestAtMs(): number | undefined {
    const [oldest] = this.ledger.batchFrom(seq(0))?.seqs ?? [];
    return oldest === undefined ? undefined : this.readOne(oldest)?.acceptedAtMs;
  }

  /** How much can still be written to the disk, in bytes. Throws INBOX_DISK. */
  get freeBytes(): number {
    const { disk, folder } = this.#options;
    return this.#withDisk('looked at', () => disk.freeBytes(folder));
  }

  /**
   * Writes new updates and numbers them in their order. They survive the process from then on, and a power cut once
   * `commit` has resolved. Throws INBOX_DISK.
   *
   * @param confirmedOffset the offset of the poll that the updates answer
   * @returns the number of the first update
   */
  append(updates: NewUpdates, confirmedOffset: UpdateId | undefined): Seq {
    const atMs = this.#options.now();
    const first = this.#append(RecordKind.updates, updates, { atMs, confirmedOffset });
    this.ledger.recent.add({ atMs, ids: updates.ids });
    return first;
  }

  /**
   * Writes updates that come from another inbox, with when they arrived and what has become of them there, as they are
   * numbered from the ledger's next number on. They survive as those of `append` do. Throws INBOX_DISK.
   */
  adopt(updates: NewUpdates, atMs: number, histories: UpdatesRecord['histories']): void {
    this.#append(RecordKind.rewritten, updates, { atMs, confirmedOffset: undefined, histories });
  }

  /**
   * Has the update of a dead letter wait once more, numbered anew, and removes the letter with the next commit. The record
   * names the letter, so that it is gone even if the process dies before that. Returns false if there is no such letter, or
   * it is retried already. Throws INBOX_DISK.
   */
  retryDeadLetter(of: Seq): boolean {
    const letter = this.getDeadLetter(of);
    const content = letter && this.#withDisk('read', () => this.deadLetters.content(of));
    if (!content) return false;
    const updates = { ids: [letter.updateId], contentIndexes: [0], contents: Buffer.from(`[${content}]`) };
    // A clock without a battery is behind until it is set right.
    const atMs = Math.max(this.#options.now(), letter.atMs);
    this.#append(RecordKind.rewritten, updates, { atMs, confirmedOffset: undefined, retryOf: of });
    this.#removedLetters.add(of);
    return true;
  }

  /** Marks an update in the ledger. The mark is written with the next `append`, `write` or `commit`. */
  mark(kind: 'begun' | 'settled' | 'cut', of: Seq): void {
    this.#marks[kind].push(of);
    if (kind === 'begun') this.ledger.begin(of);
    else if (kind === 'settled') this.ledger.settle(of);
    else this.ledger.cut(of);
  }

  /** Marks an update as one that is to be tried again; written like other marks. */
  putBack(putBack: PutBack): void {
    this.#marks.putBack.push(putBack);
    this.ledger.putBack(putBack);
  }

  /** Writes that a stop in order has begun. Throws INBOX_DISK. */
  beginDrain(): void {
    this.write();
    this.#withDisk('written to', () => this.#log.append(RecordKind.draining, []));
    this.ledger.beginDrain();
  }

  /** Writes that a stop that had begun has failed: what is begun counts as a death if the run ends now. Throws INBOX_DISK. */
  endDrain(): void {
    if (!this.ledger.isDraining) return;
    this.write();
    this.#withDisk('written to', () => this.#log.append(RecordKind.drainFailed, []));
    this.ledger.endDrain();
  }

  /** Writes the marks, which survive the process from then on. Throws INBOX_DISK. */
  write(): void {
    const { begun, settled, cut, putBack } = this.#marks;
    if (begun.length + settled.length + cut.length + putBack.length === 0) return;
    this.#withDisk('written to', () => this.#log.append(RecordKind.marks, encodeMarks(this.#marks)));
    this.#marks = noMarks();
  }

  /**
   * Resolves once everything is durable that was appended, marked, added or removed before the call. Rejects with a
   * LastcallError INBOX_DISK.
   */
  async commit(): Promise<void> {
    this.write();
    const { deadLetters } = this;
    const { folder, survivesPowerCut } = this.#options;
    const [removed, dying] = [[...this.#removedLetters], [...this.#dying]];
    try {
      // A dead letter has to be durable before the mark that settles its update, and an update that is tried again
      // before its dead letter is removed.
      if (survivesPowerCut) {
        await deadLetters.sync();
        for (const of of dying) if (this.#dying.delete(of)) this.#marks.settled.push(of);
        this.write();
        await this.#log.sync();
      }
      deadLetters.remove(removed);
      for (const of of removed) this.#removedLetters.delete(of);
      if (survivesPowerCut) await deadLetters.sync();
    } catch (error) {
      throw inboxError(folder, 'written to', error);
    }
  }

  /** Gives up an update: adds a dead letter with the JSON of the update, and settles the update. Throws INBOX_DISK. */
  addDeadLetter(letter: DeadLetter, content: Uint8Array): void {
    const { seq: of } = letter;
    this.#withDisk('written to', () => this.deadLetters.add(letter, content));
    if (this.#options.survivesPowerCut) this.#dying.add(of);
    else this.#marks.settled.push(of);
    this.ledger.settle(of);
  }

  /** The dead letter of an update, or undefined if there is none, or the next commit removes it. */
  getDeadLetter(of: Seq): LetterSummary | undefined {
    return this.#removedLetters.has(of) ? undefined : this.deadLetters.get(of);
  }

  /** Removes a dead letter. Throws INBOX_DISK. */
  removeDeadLetter(of: Seq): void {
    this.#withDisk('written to', () => this.deadLetters.remove([of]));
    if (this.#dying.delete(of)) this.#marks.settled.push(of);
  }

  /**
   * Removes the oldest dead letters, as many as exceed the limits, up to the first that has just been added or is retried.
   * Throws INBOX_DISK.
   */
  dropExcessDeadLetters(): readonly DroppedLetters[] {
    // A kill after the removal must not find the update of a removed letter unsettled.
    this.write();
    const mayGo = (of: Seq) => !this.#dying.has(of) && !this.#removedLetters.has(of);
    return this.#withDisk('written to', () => this.deadLetters.dropExcess(mayGo));
  }

  /**
   * Reads those of the wanted updates that are in the batch and not settled, in the order in which they are wanted.
   * Each content is to be used once, because whoever gets it may change it. Throws INBOX_DISK.
   */
  read(batch: Batch, wanted: readonly Seq[]): readonly StoredUpdate[] {
    return this.#withDisk('read', () => unsettledUpdates(batch, this.#cache.read(batch.extent), wanted));
  }

  /** Reads an update from the disk, as it was written; undefined if it is settled. Throws INBOX_DISK. */
  readOne(of: Seq): StoredUpdate | undefined {
    const batch = this.ledger.batchOf(of);
    if (!batch) return undefined;
    return this.#withDisk(
      'read',
      () => unsettledUpdates(batch, readRecord(this.#log, batch.extent), [of])[0],
    );
  }

  /**
   * Removes old segments of the log and of the dead letters that are not needed. Rejects with a LastcallError INBOX_DISK.
   */
  async compact(): Promise<void> {
    if (this.#isCompacting) return;
    this.#isCompacting = true;
    try {
      await this.#compactLog();
      await this.deadLetters.compact();
    } catch (error) {
      throw inboxError(this.#options.folder, 'compacted', error);
    } finally {
      this.#isCompacting = false;
    }
  }

  /** Writes that the run has ended in order, with everything committed. */
  seal(): void {
    try {
      this.deadLetters.seal();
      this.#log.seal(RecordKind.closed);
    } catch {
      // The disk is full, or has just failed. All that was promised is durable; the end is taken for that of a kill.
    }
  }

  /** Closes the files. What is not committed may be lost. */
  close(): void {
    this.#log.close();
    this.deadLetters.close();
  }

  async #compactLog(): Promise<void> {
    const [log, ledger] = [this.#log, this.ledger];
    this.#withDisk('written to', () => log.renew());
    const { oldestSegmentEnd } = log;
    if (oldestSegmentEnd === undefined) return;
    if (this.#dying.size > 0) await this.commit();
    // The rewritten records would say of these that they are settled.
    if (this.#dying.size > 0) return;
    // Marks first: rewritten records contain what they say.
    this.write();
    rewriteOldestSegment(log, ledger, oldestSegmentEnd);
    const needed = oldestNeeded(log, ledger);
    if (needed < oldestSegmentEnd) return;
    // What makes the old segments superfluous has to be durable before they go.
    await this.commit();
    log.removeBefore(needed);
  }

  #append(
    kind: number,
    { ids, contentIndexes, contents }: NewUpdates,
    arrival: Pick<UpdatesRecord, 'atMs' | 'confirmedOffset' | 'retryOf'> &
      Partial<Pick<UpdatesRecord, 'histories'>>,
  ): Seq {
    const { ledger } = this;
    const first = ledger.nextSeq;
    const seqs = ids.map((_, index) => seq(first + index));
    const record = { histories: [], ...arrival, seqs, ids, contentIndexes, marks: this.#marks };
    const payload = encodeUpdates(record, contents);
    const extent = this.#withDisk('written to', () => this.#log.append(kind, payload));
    this.#marks = noMarks();
    ledger.add(extent, seqs);
    return first;
  }

  #withDisk<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw inboxError(this.#options.folder, what, error);
    }
  }
}
