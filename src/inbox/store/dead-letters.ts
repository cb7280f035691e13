/**
 * Updates that are not tried any more: their handler failed or hung, or processes died of them. Kept for people to look
 * at and to try again, in a file of their own, so many and for so long; the oldest go first.
 */
import { join } from 'node:path';
import type { Disk, GrowingFile } from '../log/disk.js';
import { encodeFrame, frameAt, nextFrame } from '../log/frame.js';
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
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly limits?: Partial<typeof defaultLimits>;
}

const defaultLimits = { number: 1_000, bytes: 16 * 1024 * 1024, ageMs: 30 * 24 * 60 * 60 * 1_000 };

interface Kept {
  readonly letter: DeadLetter;
  readonly position: number;
  readonly length: number;
}

const FILE = 'dead-letters.log';

/** Where something damaged is kept: under its own name and the time, as it may happen again. */
export const asideName = (path: string, nowMs: number): string =>
  `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #limits: typeof defaultLimits;
  readonly #path: string;
  /** By the letter's number, the oldest first. */
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  /** The size of the file, with what it holds of letters that are gone. */
  #fileBytes = 0;
  /** Opened when there is something to write. */
  #file: GrowingFile | undefined;
  /** What of it is not synced. */
  #unsynced = { added: false, removed: false };
  #syncing: Promise<void> = Promise.resolve();
  #damagedBytes = 0;

  /** Reads what is there. Throws what the disk throws. */
  constructor(options: DeadLettersOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#path = join(options.folder, FILE);
    if (options.disk.list(options.folder).includes(FILE)) this.#readAll();
  }

  /** Whether some of what was there cannot be read. */
  get damaged(): boolean {
    return this.#damagedBytes > 0;
  }

  /** Sets a damaged file aside, and writes anew what can be read of it. Tells what was damaged. Throws what the disk throws. */
  mend(): { readonly path: string; readonly bytes: number; readonly saved: number }[] {
    if (!this.damaged) return [];
    const { disk, now } = this.#options;
    const path = asideName(this.#path, now());
    const aside = disk.create(path);
    aside.append(disk.read(this.#path));
    aside.syncNow();
    aside.close();
    this.#rewrite();
    const bytes = this.#damagedBytes;
    this.#damagedBytes = 0;
    return [{ path, bytes, saved: this.#kept.size }];
  }

  get(seq: number): DeadLetter | undefined {
    return this.#kept.get(seq)?.letter;
  }

  /** The oldest first. */
  list(): DeadLetter[] {
    return [...this.#kept.values()].map(({ letter }) => letter);
  }

  /** The content of a letter's update; undefined when there is no such letter (any more). */
  text(seq: number): Buffer | undefined {
    const kept = this.#kept.get(seq);
    if (!kept) return undefined;
    const frame = frameAt(this.#options.disk.read(this.#path, kept.position, kept.length), 0);
    if (frame?.kind !== RecordKind.deadLetter) return undefined;
    // For one who only reads: the file may have been written anew since, with another letter in this place.
    const { letter, text } = decodeDeadLetter(frame.payload);
    return letter.seq === seq ? text : undefined;
  }

  /** Throws what the disk throws. */
  add(letter: DeadLetter, text: Uint8Array): void {
    // A run that was killed may have got as far as this before.
    if (this.#kept.has(letter.seq)) return;
    this.#append(letter, encodeFrame(RecordKind.deadLetter, 0, encodeDeadLetter(letter, text)));
    this.#forgetOldest();
    // What is gone takes room until the file is written anew.
    if (this.#fileBytes > 2 * this.#limits.bytes) this.#rewrite();
  }

  /** Throws what the disk throws. */
  remove(seq: number): void {
    if (!this.#kept.has(seq)) return;
    this.#forget(seq);
    this.#write(encodeFrame(RecordKind.removal, 0, encodeRemoval(seq)));
    this.#unsynced.removed = true;
  }

  /** Resolves once all that was added, or removed, survives a power cut. */
  async sync(what: 'added' | 'removed'): Promise<void> {
    if (this.#unsynced[what]) {
      this.#unsynced = { added: false, removed: false };
      this.#syncing = this.#syncing.then(() => this.#sync());
    }
    // Another call may be at it.
    await this.#syncing;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #sync(): Promise<void> {
    await this.#file?.sync();
    this.#options.disk.syncFolder(this.#options.folder);
  }

  #readAll(): void {
    const content = this.#options.disk.read(this.#path);
    let end = 0;
    for (let frame = nextFrame(content, 0); frame; frame = nextFrame(content, end)) {
      const { kind, payload, at: position, length } = frame;
      // Something sound behind it: this is no end that was torn off.
      this.#damagedBytes += position - end;
      end = position + length;
      if (kind === RecordKind.removal) this.#forget(decodeRemoval(payload));
      else if (kind === RecordKind.deadLetter)
        this.#keep({ letter: decodeDeadLetter(payload).letter, position, length });
    }
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    const { number, bytes, ageMs } = this.#limits;
    const bornAfterMs = this.#options.now() - ageMs;
    for (const [seq, oldest] of this.#kept) {
      if (this.#kept.size <= number && this.#bytes <= bytes && oldest.letter.atMs >= bornAfterMs) break;
      this.#forget(seq);
    }
  }

  #append(letter: DeadLetter, frame: Buffer): void {
    const position = this.#write(frame);
    this.#unsynced.added = true;
    this.#keep({ letter, position, length: frame.length });
  }

  #write(frame: Buffer): number {
    if (!this.#file) this.#rewrite();
    const position = this.#fileBytes;
    this.#file?.append(frame);
    this.#fileBytes += frame.length;
    return position;
  }

  /** A new file with what is kept takes the old one's place. */
  #rewrite(): void {
    const { disk } = this.#options;
    const unfinished = `${this.#path}.new`;
    disk.remove(unfinished);
    const file = disk.create(unfinished);
    let end = 0;
    for (const [seq, kept] of this.#kept) {
      const bytes = disk.read(this.#path, kept.position, kept.length);
      file.append(bytes);
      this.#kept.set(seq, { ...kept, position: end });
      end += bytes.length;
    }
    file.syncNow();
    disk.rename(unfinished, this.#path);
    const replaced = this.#file;
    const close = () => replaced?.close();
    // Never under a sync.
    this.#syncing.then(close, close);
    this.#file = file;
    this.#fileBytes = end;
    this.#unsynced.removed = true;
  }

  #keep(kept: Kept): void {
    this.#forget(kept.letter.seq);
    this.#kept.set(kept.letter.seq, kept);
    this.#bytes += kept.length;
  }

  #forget(seq: number): void {
    this.#bytes -= this.#kept.get(seq)?.length ?? 0;
    this.#kept.delete(seq);
  }
}
