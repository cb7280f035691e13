/**
 * The log that is written: records behind one another, made safe together, removed from the old end once nothing in them
 * is needed any more. Knows nothing of what they mean.
 */
import { basename, join } from 'node:path';
import type { Disk, GrowingFile } from './disk.js';
import { encodeFrame, frameAt } from './frame.js';
import { type Place, type Scan, segmentPath } from './scan.js';

export interface LogOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** What is there already. New records go into a new segment behind it; what is void is removed. */
  readonly scan: Pick<Scan, 'end' | 'segments' | 'void'>;
  /** Whether what was written counts as safe without being synced: the process may die, the machine may not. */
  readonly trustsTheSystem: boolean;
  /** The first record of each segment. */
  head(): { readonly kind: number; readonly payload: readonly Uint8Array[] };
  readonly segmentBytes?: number;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;

/** Larger records are too rare to keep their memory. */
const LARGEST_SCRATCH_BYTES = 256 * 1024;

interface Segment {
  readonly base: number;
  readonly file: GrowingFile;
}

export class Log {
  readonly #options: LogOptions;
  readonly #segmentBytes: number;
  /** Where each segment begins, the oldest first. */
  readonly #bases: number[];
  /** Full, and not synced yet. */
  readonly #retired: GrowingFile[] = [];
  #current: Segment | undefined;
  #scratch = Buffer.alloc(0);
  #folderChanged = false;
  /** Why a record was not written whole: nothing may come to lie behind it. */
  #torn: { readonly error: unknown } | undefined;
  #end: number;
  #safe: number;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;

  private constructor(options: LogOptions) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#bases = [...options.scan.segments];
    this.#end = options.scan.end;
    this.#safe = this.#end;
  }

  /** Resolves once what is there is safe: the process that wrote it may have died before it had synced it. */
  static async open(options: LogOptions): Promise<Log> {
    const { disk, folder, scan, trustsTheSystem } = options;
    for (const base of scan.void) disk.remove(segmentPath(folder, base));
    if (!trustsTheSystem) for (const base of scan.segments) await disk.syncFile(segmentPath(folder, base));
    // The names as well: if a void segment came back after a power cut, it would lie amid what is written from now on.
    if (!trustsTheSystem || scan.void.length > 0) disk.syncFolder(folder);
    return new Log(options);
  }

  /** The position of the oldest record. */
  get begin(): number {
    return this.#bases[0] ?? this.#end;
  }

  /** The position behind the newest one. */
  get end(): number {
    return this.#end;
  }

  /** How much there is of it, in bytes. */
  get size(): number {
    return this.end - this.begin;
  }

  /** Where the oldest segment ends; undefined as long as that is the one that is written. */
  get oldestSegmentEnd(): number | undefined {
    return this.#bases[1];
  }

  /** Writes a record; it survives the process from now on. Throws what the disk throws, and from then on the same again. */
  append(kind: number, payload: readonly Uint8Array[]): Place {
    const { trustsTheSystem, head } = this.#options;
    if (!this.#current || this.#end - this.#current.base >= this.#segmentBytes) {
      this.#begin();
      const { kind: headKind, payload: headPayload } = head();
      this.#write(this.#frame(headKind, this.#safe, headPayload));
    }
    return this.#write(this.#frame(kind, trustsTheSystem ? this.#end : this.#safe, payload));
  }

  /**
   * Resolves once all that was appended before the call survives a power cut. Rejects when the disk fails: then nobody
   * knows what of it is safe, and a second try would not tell.
   */
  sync(): Promise<void> {
    // One that has not begun yet covers this call as well.
    this.#nextSync ??= this.#syncing.then(() => {
      this.#nextSync = undefined;
      this.#syncing = this.#sync();
      return this.#syncing;
    });
    return this.#nextSync;
  }

  /** The payload of a record. Throws when it cannot be read, or is not what was written. */
  read({ position, length }: Place): Buffer {
    const { disk, folder } = this.#options;
    const base = this.#bases.findLast((begin) => begin <= position) ?? 0;
    const frame = frameAt(disk.read(segmentPath(folder, base), position - base, length), 0);
    if (!frame) throw new Error(`the record at ${position} in ${segmentPath(folder, base)} is damaged`);
    return frame.payload;
  }

  /** Removes the segments that end at this position or before it; never the one that is written. */
  dropBefore(position: number): void {
    this.#shed(position, (path) => this.#options.disk.remove(path));
  }

  /** The same, but keeps them, in another folder. */
  setAsideBefore(position: number, folder: string): void {
    const { disk } = this.#options;
    disk.makeFolder(folder);
    this.#shed(position, (path) => {
      disk.rename(path, join(folder, basename(path)));
      disk.syncFolder(folder);
    });
  }

  close(): void {
    for (const file of this.#retired.splice(0)) file.close();
    this.#current?.file.close();
    this.#current = undefined;
  }

  #shed(position: number, shed: (path: string) => void): void {
    const { disk, folder, trustsTheSystem } = this.#options;
    for (let next = this.#bases[1]; next !== undefined && next <= position; next = this.#bases[1]) {
      const base = this.#bases.shift();
      if (base !== undefined) shed(segmentPath(folder, base));
      // One after the other: if an older one came back without a newer one, something safe would seem to be missing.
      if (!trustsTheSystem) disk.syncFolder(folder);
    }
  }

  #begin(): void {
    const { disk, folder, trustsTheSystem } = this.#options;
    const file = disk.create(segmentPath(folder, this.#end));
    if (trustsTheSystem) this.#current?.file.close();
    else if (this.#current) this.#retired.push(this.#current.file);
    this.#current = { base: this.#end, file };
    this.#bases.push(this.#end);
    this.#folderChanged = true;
  }

  /** Good until the next one: what is written at once needs no memory of its own. */
  #frame(kind: number, safe: number, payload: readonly Uint8Array[]): Buffer {
    return encodeFrame(kind, safe, payload, (bytes) => {
      if (bytes > LARGEST_SCRATCH_BYTES) return Buffer.allocUnsafe(bytes);
      if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * bytes);
      return this.#scratch.subarray(0, bytes);
    });
  }

  #write(frame: Buffer): Place {
    if (this.#torn) throw this.#torn.error;
    const place = { position: this.#end, length: frame.length };
    try {
      this.#current?.file.append(frame);
    } catch (error) {
      this.#torn = { error };
      throw error;
    }
    this.#end += frame.length;
    return place;
  }

  async #sync(): Promise<void> {
    const { disk, folder } = this.#options;
    const [upTo, current] = [this.#end, this.#current?.file];
    // The older ones first: what is promised of a newer one must not outlive them.
    for (const file of [...this.#retired]) {
      await file.sync();
      this.#retired.shift()?.close();
    }
    await current?.sync();
    if (this.#folderChanged) disk.syncFolder(folder);
    this.#folderChanged = false;
    this.#safe = upTo;
  }
}
