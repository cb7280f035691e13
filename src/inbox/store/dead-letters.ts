/**
 * Dead letters: updates that are not tried any more, kept so that people can look at them and try them again. They are kept
 * in a log of their own, whose old segments are removed one at a time. Their number, age and size are limited; what exceeds
 * the limits is dropped only when `dropExcess` is called, never while a letter is added or the letters are read.
 */
import type { Seq } from '../ids.js';
import type { DeadReason } from '../inbox.js';
import type { Disk } from '../log/disk.js';
import { Log } from '../log/log.js';
import { readInTurns, type TurnOptions } from '../log/reading.js';
import { type Damage, damagedCopyPath, setAside } from './damaged-copy.js';
import {
  type DeadLetterIndex,
  type DeadLettersOnDisk,
  deadLettersFolder,
  type IndexedLetter,
  type LetterSummary,
  oldDeadLettersPath,
  readingDeadLetters,
  readLetterPayload,
} from './read-dead-letters.js';
import { decodeDeadLetter, encodeDeadLetter, encodeRemovals } from './record-codec.js';
import { type DeadLetter, RecordKind } from './records.js';

export interface DeadLetterLimits {
  readonly number: number;
  readonly ageMs: number;
  /** Of the letters on disk; their log may take twice as much. */
  readonly bytes: number;
}

export interface DeadLettersOptions {
  readonly disk: Disk;
  /** The folder of the inbox. */
  readonly folder: string;
  readonly survivesPowerCut: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long ago a time was that `now` has told. Default: by what it tells at present, also where the clock was set since. */
  readonly ageOf?: ((atMs: number) => number) | undefined;
  readonly limits?: Partial<DeadLetterLimits>;
  readonly segmentBytes?: number;
}

/**
 * The size has no setting: it only keeps letters of unusual size from filling the disk. 256 MiB is 2.6 KiB a letter at the
 * default number, twice what an update with the stack of an error takes.
 */
const defaultLimits: DeadLetterLimits = {
  number: 100_000,
  ageMs: 30 * 24 * 60 * 60 * 1_000,
  bytes: 256 * 1024 * 1024,
};

/** Letters that were dropped because of one limit. */
export interface DroppedLetters {
  readonly limit: keyof DeadLetterLimits;
  readonly letters: number;
  /** How many letters there were of each reason. */
  readonly why: Readonly<Partial<Record<DeadReason, number>>>;
}

/** A log is rewritten only if it is as long as this many segments of the oldest one's length. */
const MIN_SEGMENTS = 4;

/** A log is rewritten only if letters take less than this share of it. */
const MAX_NEEDED_SHARE = 1 / 2;

/** A record of removals stays small and quick to parse. */
const REMOVALS_IN_RECORD = 10_000;

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #limits: DeadLetterLimits;
  readonly #index: DeadLetterIndex;
  readonly #log: Log;
  #isSynced = true;
  #syncing: Promise<void> = Promise.resolve();
  /** Whether letters were removed since it was found that no segment can be. */
  #mayCompact = true;

  private constructor(options: DeadLettersOptions, index: DeadLetterIndex, log: Log) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#index = index;
    this.#log = log;
  }

  /**
   * Reads the letters in the folder. Damaged files are kept under another name, and what can be read of them is rewritten.
   * Rejects with the disk's error.
   */
  static async open(
    options: DeadLettersOptions,
    turns: TurnOptions = {},
  ): Promise<{ readonly deadLetters: DeadLetters; readonly damage: readonly Damage[] }> {
    const { disk, folder, survivesPowerCut, now, segmentBytes } = options;
    const path = deadLettersFolder(folder);
    const found = await readInTurns(disk, readingDeadLetters(disk, folder), turns);
    const { index, scan } = found;
    disk.makeFolder(path);
    const damagedFolder = setAside(disk, path, scan, now());
    const log = await Log.open({
      disk,
      folder: path,
      scan,
      survivesPowerCut,
      header: () => ({ kind: RecordKind.header, payload: [] }),
      now,
      turns,
      ...(segmentBytes !== undefined && { segmentBytes }),
    });
    const deadLetters = new DeadLetters(options, index, log);
    const damage = await deadLetters.#moveOldFile(found);
    if (damagedFolder === undefined) return { deadLetters, damage };
    await deadLetters.#repair(damagedFolder);
    return {
      deadLetters,
      damage: [...damage, { path: damagedFolder, bytes: scan.damagedBytes, saved: index.size }],
    };
  }

  get size(): number {
    return this.#index.size;
  }

  /** The size of what is written, in bytes, with the letters that are removed and not yet gone. */
  get logBytes(): number {
    return this.#log.bytes;
  }

  get(seq: Seq): LetterSummary | undefined {
    return this.#index.get(seq)?.summary;
  }

  /** All letters, the oldest first. */
  list(): readonly LetterSummary[] {
    return this.#index.list();
  }

  /** The JSON of a letter's update, or undefined if there is no such letter. Throws what the disk throws. */
  content(seq: Seq): Buffer | undefined {
    const letter = this.#index.get(seq);
    return letter && decodeDeadLetter(this.#log.read(letter.extent)).content;
  }

  /**
   * Adds a letter, unless there is one for the update already: a run that was killed may have added it. Throws what
   * the disk throws.
   */
  add({ error, ...summary }: DeadLetter, content: Uint8Array): void {
    if (this.#index.get(summary.seq)) return;
    const extent = this.#append(RecordKind.deadLetter, encodeDeadLetter({ ...summary, error }, content));
    this.#index.set({ summary, extent, isInOldFile: false });
  }

  /** Removes the letters of these updates, as far as there are any. Throws what the disk throws. */
  remove(seqs: Iterable<Seq>): void {
    const removed = [...seqs].filter((seq) => this.#index.get(seq));
    for (const seq of removed) this.#index.delete(seq);
    for (let at = 0; at < removed.length; at += REMOVALS_IN_RECORD)
      this.#append(RecordKind.removal, encodeRemovals(removed.slice(at, at + REMOVALS_IN_RECORD)));
    this.#mayCompact ||= removed.length > 0;
  }

  /**
   * Removes the oldest letters, as many as exceed the limits, up to the first one that must not go now. A letter whose time is
   * yet to come, because the clock was wrong, does not keep the ones behind it. Throws what the disk throws.
   */
  dropExcess(mayGo: (seq: Seq) => boolean = () => true): readonly DroppedLetters[] {
    const { now, ageOf = (atMs) => now() - atMs } = this.#options;
    let [number, bytes] = [this.#index.size, this.#index.bytes];
    const exceeded = ({ atMs }: LetterSummary): keyof DeadLetterLimits | undefined => {
      if (ageOf(atMs) > this.#limits.ageMs) return 'ageMs';
      if (number > this.#limits.number) return 'number';
      return bytes > this.#limits.bytes ? 'bytes' : undefined;
    };
    const dropped = new Map<
      keyof DeadLetterLimits,
      { letters: number; why: Partial<Record<DeadReason, number>> }
    >();
    const seqs: Seq[] = [];
    for (const { summary, extent } of this.#index) {
      const limit = exceeded(summary);
      if (limit === undefined && ageOf(summary.atMs) < 0) continue;
      if (limit === undefined || !mayGo(summary.seq)) break;
      number--;
      bytes -= extent.length;
      seqs.push(summary.seq);
      const { letters, why } = dropped.get(limit) ?? { letters: 0, why: {} };
      dropped.set(limit, {
        letters: letters + 1,
        why: { ...why, [summary.why]: (why[summary.why] ?? 0) + 1 },
      });
    }
    this.remove(seqs);
    return Array.from(dropped, ([limit, counts]) => ({ limit, ...counts }));
  }

  /** Resolves once everything that was added or removed survives a power cut. Rejects with the disk's error. */
  sync(): Promise<void> {
    if (!this.#isSynced) {
      this.#isSynced = true;
      this.#syncing = this.#log.sync();
    }
    // Also where another call has begun the sync.
    return this.#syncing;
  }

  /**
   * Removes the oldest segment of the log if no letter is in it, or few letters of a large log are left, which are then
   * rewritten. Rejects with the disk's error.
   */
  async compact(): Promise<void> {
    const log = this.#log;
    const { renewedEnd } = log;
    log.renew();
    if (log.renewedEnd > renewedEnd) [this.#isSynced, this.#mayCompact] = [false, true];
    const end = log.oldestSegmentEnd;
    if (!this.#mayCompact || end === undefined) return;
    const needed = [...this.#index].filter(({ extent }) => extent.position < end);
    const isShort = end > log.renewedEnd && log.bytes < MIN_SEGMENTS * (end - log.start);
    if (needed.length > 0 && (isShort || this.#index.bytes > log.bytes * MAX_NEEDED_SHARE)) {
      this.#mayCompact = false;
      return;
    }
    for (const letter of needed) this.#rewrite(letter, log.read(letter.extent));
    if (this.#options.survivesPowerCut) await this.sync();
    log.removeBefore(end);
  }

  /** Writes a last record, by which damage can be told from a torn end. Throws what the disk throws. */
  seal(): void {
    this.#log.seal(RecordKind.closed);
  }

  close(): void {
    this.#log.close();
  }

  #append(kind: number, payload: readonly Uint8Array[]) {
    this.#isSynced = false;
    return this.#log.append(kind, payload);
  }

  #rewrite({ summary }: IndexedLetter, payload: Buffer): void {
    const extent = this.#append(RecordKind.deadLetter, [payload]);
    this.#index.set({ summary, extent, isInOldFile: false });
  }

  /** Writes the letters of the file that versions before format 3 had into the log, and removes the file. */
  async #moveOldFile({ scan, oldDamagedBytes }: DeadLettersOnDisk): Promise<readonly Damage[]> {
    if (oldDamagedBytes === undefined) return [];
    const { disk, folder, now } = this.#options;
    const path = oldDeadLettersPath(folder);
    const letters = [...this.#index].filter(({ isInOldFile }) => isInOldFile);
    for (const letter of letters)
      this.#rewrite(letter, readLetterPayload(disk, folder, scan.segments, letter));
    await this.sync();
    const kept = oldDamagedBytes > 0 ? damagedCopyPath(path, now()) : undefined;
    if (kept === undefined) disk.remove(path);
    else disk.rename(path, kept);
    disk.syncFolder(folder);
    return kept === undefined ? [] : [{ path: kept, bytes: oldDamagedBytes, saved: letters.length }];
  }

  /** Rewrites all letters, and then moves the damaged segments to another folder. */
  async #repair(damagedFolder: string): Promise<void> {
    const { end } = this.#log;
    // Begins a segment even if no letter is left.
    this.#append(RecordKind.removal, encodeRemovals([]));
    for (const letter of [...this.#index])
      if (letter.extent.position < end) this.#rewrite(letter, this.#log.read(letter.extent));
    await this.sync();
    this.#log.moveBefore(end, damagedFolder);
  }
}
