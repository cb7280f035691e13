/**
 * Dead letters: updates that are not tried any more, kept so that people can look at them and try them again. Their
 * number, size and age are limited; the oldest are dropped first.
 */
import { join } from 'node:path';
import type { Seq } from '../ids.js';
import type { Disk } from '../log/disk.js';
import { encodeFrame } from '../log/frame.js';
import { position } from '../log/position.js';
import { type Damage, damagedCopyPath } from './damaged-copy.js';
import { DeadLetterFile, type FileExtent } from './dead-letter-file.js';
import {
  type DeadLetter,
  decodeDeadLetter,
  decodeRemoval,
  encodeDeadLetter,
  encodeRemoval,
  RecordKind,
} from './records.js';

export interface DeadLettersOptions {
  readonly disk: Disk;
  /** The folder of the inbox. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly limits?: Partial<typeof defaultLimits>;
}

const defaultLimits = { number: 1_000, bytes: 16 * 1024 * 1024, ageMs: 30 * 24 * 60 * 60 * 1_000 };

interface StoredLetter extends FileExtent {
  readonly letter: DeadLetter;
}

const FILE_NAME = 'dead-letters.log';

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #limits: typeof defaultLimits;
  readonly #path: string;
  readonly #file: DeadLetterFile;
  /** By the update's number, the oldest letter first. */
  readonly #letters = new Map<Seq, StoredLetter>();
  #bytes = 0;
  #damagedBytes = 0;

  /** Reads the letters in the folder, without their contents. Throws what the disk throws. */
  constructor(options: DeadLettersOptions) {
    const { disk, folder, limits } = options;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...limits };
    this.#path = join(folder, FILE_NAME);
    this.#file = new DeadLetterFile(disk, folder, this.#path);
    if (disk.list(folder).includes(FILE_NAME)) this.#readAll();
  }

  /** Whether some of the file cannot be read. */
  get damaged(): boolean {
    return this.#damagedBytes > 0;
  }

  get(seq: Seq): DeadLetter | undefined {
    return this.#letters.get(seq)?.letter;
  }

  /** All letters, the oldest first. */
  list(): DeadLetter[] {
    return [...this.#letters.values()].map(({ letter }) => letter);
  }

  /** The JSON of a letter's update, or undefined if there is no such letter any more. Throws what the disk throws. */
  content(seq: Seq): Buffer | undefined {
    const stored = this.#letters.get(seq);
    const frame = stored && this.#file.read(stored);
    if (frame?.kind !== RecordKind.deadLetter) return undefined;
    // The process at work may have rewritten the file since, with another letter in this place.
    const { letter, content } = decodeDeadLetter(frame.payload);
    return letter.seq === seq ? content : undefined;
  }

  /**
   * Adds a letter, unless there is one for the update already: a run that was killed may have added it. Throws what
   * the disk throws.
   */
  add(letter: DeadLetter, content: Uint8Array): void {
    if (this.#letters.has(letter.seq)) return;
    const extent = this.#append(RecordKind.deadLetter, encodeDeadLetter(letter, content));
    this.#keep({ letter, ...extent });
    this.#dropOldest();
    if (this.#file.bytes > 2 * this.#limits.bytes) this.#file.rewrite(this.#letters.values());
  }

  /** Removes the letter of an update, if there is one. Throws what the disk throws. */
  remove(seq: Seq): void {
    if (!this.#letters.has(seq)) return;
    this.#forget(seq);
    this.#append(RecordKind.removal, encodeRemoval(seq));
  }

  /** Resolves once everything that was added or removed survives a power cut. Rejects with the disk's error. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /**
   * Copies a damaged file to another name and rewrites it with the letters that can be read. Throws what the disk
   * throws.
   */
  repair(): readonly Damage[] {
    if (!this.damaged) return [];
    const path = damagedCopyPath(this.#path, this.#options.now());
    this.#file.copyTo(path);
    this.#file.rewrite(this.#letters.values());
    const bytes = this.#damagedBytes;
    this.#damagedBytes = 0;
    return [{ path, bytes, saved: this.#letters.size }];
  }

  close(): void {
    this.#file.close();
  }

  #readAll(): void {
    this.#damagedBytes = this.#file.scan(({ kind, payload, offset, length }) => {
      if (kind === RecordKind.removal) this.#forget(decodeRemoval(payload));
      else if (kind === RecordKind.deadLetter)
        this.#keep({ letter: decodeDeadLetter(payload).letter, offset, length });
    });
    this.#dropOldest();
  }

  #append(kind: number, payload: readonly Uint8Array[]): FileExtent {
    if (!this.#file.isOpen) this.#file.rewrite(this.#letters.values());
    return this.#file.append(encodeFrame(kind, position(0), payload));
  }

  #dropOldest(): void {
    const { number, bytes, ageMs } = this.#limits;
    const oldestMs = this.#options.now() - ageMs;
    for (const [seq, { letter }] of this.#letters) {
      if (this.#letters.size <= number && this.#bytes <= bytes && letter.atMs >= oldestMs) break;
      this.#forget(seq);
    }
  }

  #keep(stored: StoredLetter): void {
    this.#forget(stored.letter.seq);
    this.#letters.set(stored.letter.seq, stored);
    this.#bytes += stored.length;
  }

  #forget(seq: Seq): void {
    this.#bytes -= this.#letters.get(seq)?.length ?? 0;
    this.#letters.delete(seq);
  }
}
