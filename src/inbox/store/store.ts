/**
 * What the journal has on disk, as a whole: the log, what it says is not settled, and the dead letters. Everything that
 * is written goes through here, and an error of the disk leaves it with a name and a next step.
 */

import type { Disk } from '../log/disk.js';
import { Log } from '../log/log.js';
import { type Place, segmentPath } from '../log/scan.js';
import type { Batch } from './batch.js';
import { asideName, DeadLetters } from './dead-letters.js';
import { guarded, inboxError, OPENED } from './inbox-error.js';
import { Ledger } from './ledger.js';
import { logFolder, readLog } from './read-log.js';
import {
  type DeadLetter,
  decodeUpdates,
  encodeHead,
  encodeMarks,
  encodeUpdates,
  FORMAT,
  type Marks,
  RecordKind,
  type UpdatesRecord,
} from './records.js';

export interface StoreOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** The bot's key. */
  readonly bot: string;
  /** What tells this run of the program from all others, for those who read the log beside it. */
  readonly run?: string;
  /** Whether what is written has to survive a power cut, and not only the process. */
  readonly survivesPowerCut: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly segmentBytes?: number;
}

/** What of the store could not be read, and where it is now. */
export interface Damage {
  readonly path: string;
  readonly bytes: number;
  /** How many updates could be read. */
  readonly saved: number;
}

/** New updates, not yet numbered. */
export interface NewUpdates extends Pick<UpdatesRecord, 'ids' | 'places'> {
  /** As `encodeUpdates` takes them. */
  readonly contents: Uint8Array;
}

/** An update as it was written. */
export interface Stored {
  readonly seq: number;
  readonly updateId: number;
  readonly content: unknown;
}

interface RecordOfUpdates extends UpdatesRecord {
  readonly contents: readonly unknown[];
}

/** How many records that were read are kept for a while, and how large they may be: 4 MiB of JSON in all. */
const RECORDS_KEPT = 32;
const LARGEST_KEPT_BYTES = 128 * 1024;

/** A log is cleaned when it is larger, and less than half of it is still needed. */
const CLEANED_FROM_SEGMENTS = 4;

export class Store {
  readonly #options: StoreOptions;
  readonly #log: Log;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  readonly damage: readonly Damage[];
  #marks = noMarks();
  /** Dead letters that go with the next commit. */
  readonly #exhumed = new Set<number>();
  #cleaning = false;
  /** By position. Chats that get on side by side want the same records, each a little of them. */
  readonly #lastRead = new Map<number, RecordOfUpdates>();

  private constructor(
    options: StoreOptions,
    parts: { log: Log; ledger: Ledger; deadLetters: DeadLetters; damage: readonly Damage[] },
  ) {
    this.#options = options;
    this.#log = parts.log;
    this.ledger = parts.ledger;
    this.deadLetters = parts.deadLetters;
    this.damage = parts.damage;
  }

  /**
   * Reads what is there, and makes ready to write. What can be read of a damaged log is written anew, and the rest is
   * set aside.
   *
   * Rejects with a LastcallError: INBOX_FOREIGN, INBOX_NEWER, INBOX_DISK.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const { disk, folder, bot, run, survivesPowerCut, now, segmentBytes } = options;
    return guarded(folder, OPENED, async () => {
      const ledger = new Ledger();
      const scan = readLog(disk, folder, ledger, bot);
      ledger.endRun();
      const deadLetters = new DeadLetters({ disk, folder, now });
      // A number that was given once means that update for ever.
      for (const { seq } of deadLetters.list()) ledger.nextSeq = Math.max(ledger.nextSeq, seq + 1);

      const path = logFolder(folder);
      disk.makeFolder(path);
      const aside = scan.damagedBytes > 0 ? asideName(path, now()) : undefined;
      if (aside !== undefined) {
        disk.makeFolder(aside);
        for (const base of scan.void) disk.rename(segmentPath(path, base), segmentPath(aside, base));
      }
      const log = await Log.open({
        disk,
        folder: path,
        scan,
        trustsTheSystem: !survivesPowerCut,
        head: () => ({
          kind: RecordKind.head,
          payload: encodeHead({
            format: FORMAT,
            bot,
            ...(run !== undefined && { run }),
            nextSeq: ledger.nextSeq,
            recent: ledger.recent.arrivals,
          }),
        }),
        ...(segmentBytes !== undefined && { segmentBytes }),
      });
      const damage = [
        ...(aside === undefined ? [] : [{ path: aside, bytes: scan.damagedBytes, saved: ledger.size }]),
        ...deadLetters.mend(),
      ];
      const store = new Store(options, { ledger, deadLetters, log, damage });
      if (aside !== undefined) await store.#salvage(aside);
      // A run that was killed had got as far as to bury them.
      for (const { seq } of deadLetters.list()) if (ledger.batchOf(seq)) store.mark('settled', seq);
      return store;
    });
  }

  /** How much the log takes on the disk, in bytes. */
  get size(): number {
    return this.#log.size;
  }

  /** What can still be written to the disk, in bytes. Throws INBOX_DISK. */
  get freeBytes(): number {
    const { disk, folder } = this.#options;
    return this.#guarded('looked at', () => disk.freeBytes(folder));
  }

  /**
   * Writes new updates; they are numbered in their order. With `commit` they are safe.
   *
   * @param passed Telegram had answered a poll from there when it sent them
   * @returns the number of the first
   * @throws LastcallError INBOX_DISK
   */
  append(updates: NewUpdates, passed: number | undefined): number {
    return this.#append(RecordKind.updates, updates, passed);
  }

  /** Writes an update that Telegram did not send just now: a dead letter that is tried again. Throws INBOX_DISK. */
  reappend(update: NewUpdates): number {
    return this.#append(RecordKind.rewritten, update, undefined);
  }

  /** To be written with the next `write`. */
  mark(kind: keyof Marks, seq: number): void {
    this.#marks[kind].push(seq);
    if (kind === 'begun') this.ledger.begin(seq);
    else if (kind === 'settled') this.ledger.settle(seq);
    else this.ledger.cut(seq);
  }

  /** Writes the marks: they survive the process from now on. Throws INBOX_DISK. */
  write(): void {
    const { begun, settled, cut } = this.#marks;
    if (begun.length + settled.length + cut.length === 0) return;
    this.#guarded('written to', () => this.#log.append(RecordKind.marks, encodeMarks(this.#marks)));
    this.#marks = noMarks();
  }

  /** Resolves once all that was appended or marked before is safe. Rejects with INBOX_DISK. */
  async commit(): Promise<void> {
    this.write();
    const { deadLetters } = this;
    const { survivesPowerCut, folder } = this.#options;
    const exhumed = [...this.#exhumed];
    await guarded(folder, 'written to', async () => {
      // A letter before the mark that says its update is settled; its removal after the update that is tried again.
      if (survivesPowerCut) {
        await deadLetters.sync('added');
        await this.#log.sync();
      }
      for (const seq of exhumed) {
        deadLetters.remove(seq);
        this.#exhumed.delete(seq);
      }
      if (survivesPowerCut) await deadLetters.sync('removed');
    });
  }

  /** Throws INBOX_DISK. */
  bury(letter: DeadLetter, text: Uint8Array): void {
    this.#guarded('written to', () => this.deadLetters.add(letter, text));
  }

  /** A dead letter that is not about to go. */
  letterOf(seq: number): DeadLetter | undefined {
    return this.#exhumed.has(seq) ? undefined : this.deadLetters.get(seq);
  }

  /** Removes a dead letter with the next commit. */
  exhume(seq: number): void {
    this.#exhumed.add(seq);
  }

  /**
   * Those of the batch that are wanted and not settled, in the order of the numbers. Each content is to be given out once:
   * whoever gets it may change it. Throws INBOX_DISK.
   */
  read(batch: Batch, seqs: readonly number[]): readonly Stored[] {
    return this.#guarded('read', () => openOf(batch, this.#recordAt(batch.place), seqs));
  }

  /** One that is not settled, as it was written; undefined where there is no such. Throws INBOX_DISK. */
  readOne(seq: number): Stored | undefined {
    const batch = this.ledger.batchOf(seq);
    if (!batch) return undefined;
    return this.#guarded('read', () => openOf(batch, this.#readRecord(batch.place), [seq])[0]);
  }

  /**
   * Removes segments of the log that are not needed. Where little of a large log is still needed, that is written anew
   * at the log's end, so that the rest can go. Rejects with INBOX_DISK.
   */
  async clean(): Promise<void> {
    const { oldestSegmentEnd } = this.#log;
    if (this.#cleaning || oldestSegmentEnd === undefined) return;
    this.#cleaning = true;
    try {
      // First, as what is written anew tells of them already.
      this.write();
      this.#guarded('cleaned', () => this.#rewriteOldest(oldestSegmentEnd));
      const position = this.#oldestPosition();
      if (position < oldestSegmentEnd) return;
      // Only what is safe elsewhere may go.
      await this.commit();
      this.#guarded('cleaned', () => this.#log.dropBefore(position));
    } finally {
      this.#cleaning = false;
    }
  }

  /** Once all is committed. */
  close(): void {
    this.#log.close();
    this.deadLetters.close();
  }

  #append(kind: number, { ids, places, contents }: NewUpdates, passed: number | undefined): number {
    const { ledger } = this;
    const atMs = this.#options.now();
    const firstSeq = ledger.nextSeq;
    const seqs = ids.map((_, turn) => firstSeq + turn);
    const record = { atMs, passed, seqs, ids, places, histories: [], marks: this.#marks };
    const payload = encodeUpdates(record, contents);
    const place = this.#guarded('written to', () => this.#log.append(kind, payload));
    this.#marks = noMarks();
    ledger.add(place, seqs);
    if (kind === RecordKind.updates) ledger.recent.add({ atMs, ids });
    return firstSeq;
  }

  #recordAt(place: Place): RecordOfUpdates {
    const known = this.#lastRead.get(place.position);
    if (known) return known;
    const record = this.#readRecord(place);
    if (place.length > LARGEST_KEPT_BYTES) return record;
    const [oldest] = this.#lastRead.keys();
    if (oldest !== undefined && this.#lastRead.size >= RECORDS_KEPT) this.#lastRead.delete(oldest);
    this.#lastRead.set(place.position, record);
    return record;
  }

  #readRecord(place: Place): RecordOfUpdates {
    const { contents, ...record } = decodeUpdates(this.#log.read(place));
    return { ...record, contents: contents() };
  }

  #rewriteOldest(segmentEnd: number): void {
    const log = this.#log;
    const isSmall = log.size < CLEANED_FROM_SEGMENTS * (segmentEnd - log.begin);
    if (isSmall || this.ledger.bytes > log.size / 2) return;
    for (const batch of this.ledger.batches()) if (batch.place.position < segmentEnd) this.#rewrite(batch);
  }

  /**
   * Writes anew what can still be read, and only then moves the damaged log away: wherever this is cut short, the next
   * start finds all of it.
   */
  async #salvage(aside: string): Promise<void> {
    const log = this.#log;
    const { end } = log;
    // At least a head: it tells what Telegram may send again.
    log.append(RecordKind.marks, encodeMarks(this.#marks));
    for (const batch of this.ledger.batches()) this.#rewrite(batch);
    await log.sync();
    log.setAsideBefore(end, aside);
  }

  /** Writes what is left of a batch anew, with what has happened to it. */
  #rewrite(batch: Batch): void {
    // Not what was read before: its handlers may have changed it.
    const record = this.#readRecord(batch.place);
    const stored = openOf(batch, record, batch.seqs);
    const left: UpdatesRecord = {
      atMs: record.atMs,
      passed: undefined,
      seqs: stored.map(({ seq }) => seq),
      ids: stored.map(({ updateId }) => updateId),
      places: stored.map((_, place) => place),
      histories: stored.flatMap(({ seq }) => {
        const history = this.ledger.historyOf(seq);
        return history.runs > 0 ? [[seq, history] as const] : [];
      }),
      marks: noMarks(),
    };
    const contents = Buffer.from(JSON.stringify(stored.map(({ content }) => content)));
    const payload = encodeUpdates(left, contents);
    batch.place = this.#log.append(RecordKind.rewritten, payload);
  }

  #oldestPosition(): number {
    let oldest = this.#log.end;
    for (const { place } of this.ledger.batches()) oldest = Math.min(oldest, place.position);
    return oldest;
  }

  #guarded<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw inboxError(this.#options.folder, what, error);
    }
  }
}

const noMarks = (): { begun: number[]; settled: number[]; cut: number[] } => ({
  begun: [],
  settled: [],
  cut: [],
});

function openOf(
  batch: Batch,
  { seqs, ids, places, contents }: RecordOfUpdates,
  wanted: readonly number[],
): Stored[] {
  return wanted.flatMap((seq) => {
    const turn = batch.has(seq) ? seqs.indexOf(seq) : -1;
    const updateId = ids[turn];
    const place = places[turn];
    return updateId === undefined || place === undefined ? [] : [{ seq, updateId, content: contents[place] }];
  });
}
