/**
 * The log while it is written: records are appended, become durable together, and are removed from the old end once
 * nothing in them is needed any more. The log does not know what its records mean.
 */
import { basename, join } from 'node:path';
import type { AppendFile, Disk } from './disk.js';
import { encodeFrame } from './frame.js';
import { type Extent, type Position, position } from './position.js';
import type { TurnOptions } from './reading.js';
import { readPayload, type Scan, segmentPath } from './scan.js';

export interface LogOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** What the folder holds already. New records go into a new segment; discarded segments are removed. */
  readonly scan: Pick<Scan, 'end' | 'segments' | 'discarded'>;
  /** Whether records have to survive a power cut. If not, a record counts as durable as soon as it is written. */
  readonly survivesPowerCut: boolean;
  /** Returns the first record of a new segment. */
  header(): { readonly kind: number; readonly payload: readonly Uint8Array[] };
  readonly segmentBytes?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How opening the log takes turns with other work. */
  readonly turns?: TurnOptions;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;

/** What nothing needs any more stays readable in the segment that is written, but not for longer than this. */
const RENEW_AFTER_MS = 60 * 60 * 1_000;
const RENEW_FREE_BYTES = 16 * 1024 * 1024;

/** The largest frame that is built in reused memory. Larger ones are too rare to keep so much for. */
const MAX_SCRATCH_BYTES = 256 * 1024;

interface Segment {
  readonly start: Position;
  readonly file: AppendFile;
  /** Where the records behind the header begin. */
  readonly contentStart: Position;
}

export class Log {
  readonly #options: LogOptions;
  readonly #segmentBytes: number;
  /** Where each segment begins, the oldest first. */
  readonly #segmentStarts: Position[];
  /** The files of full segments that are not synced yet, the oldest first. */
  readonly #unsynced: AppendFile[] = [];
  #current: Segment | undefined;
  #scratch = Buffer.alloc(0);
  #folderChanged = false;
  #renewedAtMs: number;
  #renewedEnd = position(0);
  /** Why a record was not written whole. A record behind a torn one would be lost with it. */
  #writeFailure: { readonly error: unknown } | undefined;
  #end: Position;
  #durableEnd: Position;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;

  private constructor(options: LogOptions) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#segmentStarts = [...options.scan.segments];
    this.#end = options.scan.end;
    this.#durableEnd = this.#end;
    this.#renewedAtMs = options.now();
  }

  /**
   * Resolves once the records in the folder are durable: the process that wrote them may have died before it synced
   * them. Rejects with the disk's error.
   */
  static async open(options: LogOptions): Promise<Log> {
    const { disk, folder, scan, survivesPowerCut, turns } = options;
    for (const start of scan.discarded) disk.remove(segmentPath(folder, start));
    for (const start of survivesPowerCut ? scan.segments : []) {
      turns?.signal?.throwIfAborted();
      await disk.syncFile(segmentPath(folder, start));
      turns?.progress?.();
    }
    // A discarded segment that came back after a power cut would lie amid the records that are written from now on.
    if (survivesPowerCut || scan.discarded.length > 0) disk.syncFolder(folder);
    return new Log(options);
  }

  /** The position of the oldest record. */
  get start(): Position {
    return this.#segmentStarts[0] ?? this.#end;
  }

  /** The position behind the newest record. */
  get end(): Position {
    return this.#end;
  }

  /** The size of all segments, in bytes. */
  get bytes(): number {
    return this.end - this.start;
  }

  /** Where the oldest segment ends, or undefined if it is still being written. */
  get oldestSegmentEnd(): Position | undefined {
    return this.#segmentStarts[1];
  }

  /** The end of what was written before the log was renewed last. */
  get renewedEnd(): Position {
    return this.#renewedEnd;
  }

  /** Begins a new segment once an hour, so that the one before can be removed. Throws what the disk throws. */
  renew(): void {
    const nowMs = this.#options.now();
    // The system's clock may be set back, too.
    if (Math.abs(nowMs - this.#renewedAtMs) < RENEW_AFTER_MS) return;
    const { disk, folder } = this.#options;
    // A bot that has nothing to write outlives a full disk.
    if (disk.freeBytes(folder) < RENEW_FREE_BYTES) return;
    this.#renewedAtMs = nowMs;
    this.#renewedEnd = this.#end;
    if (this.#end > (this.#current?.contentStart ?? this.start)) this.#beginSegment();
  }

  /**
   * Writes a record, which survives the process from then on. Throws what the disk throws; after a failed write each
   * further call throws the same error.
   */
  append(kind: number, payload: readonly Uint8Array[]): Extent {
    const { survivesPowerCut } = this.#options;
    if (!this.#current || this.#end - this.#current.start >= this.#segmentBytes) {
      this.#beginSegment();
    }
    return this.#write(this.#frame(kind, survivesPowerCut ? this.#durableEnd : this.#end, payload));
  }

  /**
   * Resolves once everything that was appended before the call survives a power cut. Rejects with the disk's error.
   * Then it is unknown which records are durable, and another sync would not tell.
   */
  sync(): Promise<void> {
    // A sync that has not begun yet covers this call too.
    this.#nextSync ??= this.#syncing.then(() => {
      this.#nextSync = undefined;
      this.#syncing = this.#sync();
      return this.#syncing;
    });
    return this.#nextSync;
  }

  /** Reads the payload of a record. Throws what the disk throws, and DamagedRecordError. */
  read(extent: Extent): Buffer {
    const { disk, folder } = this.#options;
    return readPayload(disk, folder, this.#segmentStarts, extent);
  }

  /**
   * Removes the segments that end at the position or before it, but never the one that is written. Throws what the
   * disk throws.
   */
  removeBefore(end: Position): void {
    this.#releaseBefore(end, (path) => this.#options.disk.remove(path));
  }

  /**
   * Moves the segments that end at the position or before it to another folder, but never the one that is written.
   * Throws what the disk throws.
   */
  moveBefore(end: Position, folder: string): void {
    const { disk } = this.#options;
    disk.makeFolder(folder);
    this.#releaseBefore(end, (path) => {
      disk.rename(path, join(folder, basename(path)));
      disk.syncFolder(folder);
    });
  }

  /**
   * Writes a last record, if any was written before, all of which have to be durable by now. It proves that they were:
   * without it, damage to the very last one could not be told from a torn end. It needs no sync: where a power cut takes
   * it, the log is as a kill would have left it. Throws what the disk throws.
   */
  seal(kind: number): void {
    if (this.#current) this.append(kind, []);
  }

  close(): void {
    for (const file of this.#unsynced.splice(0)) file.close();
    this.#current?.file.close();
    this.#current = undefined;
  }

  #releaseBefore(end: Position, release: (path: string) => void): void {
    const { disk, folder, survivesPowerCut } = this.#options;
    for (;;) {
      const [start, next] = this.#segmentStarts;
      if (start === undefined || next === undefined || next > end) return;
      this.#segmentStarts.shift();
      release(segmentPath(folder, start));
      // One at a time: if an older segment came back without a newer one, durable records would seem to be missing.
      if (survivesPowerCut) disk.syncFolder(folder);
    }
  }

  #beginSegment(): void {
    const { disk, folder, survivesPowerCut, header } = this.#options;
    const file = disk.create(segmentPath(folder, this.#end));
    if (!survivesPowerCut) this.#current?.file.close();
    else if (this.#current) this.#unsynced.push(this.#current.file);
    const [start, first] = [this.#end, header()];
    const frame = this.#frame(first.kind, this.#durableEnd, first.payload);
    this.#current = { start, file, contentStart: position(start + frame.length) };
    this.#segmentStarts.push(start);
    this.#folderChanged = true;
    this.#write(frame);
  }

  /** Encodes a frame in reused memory: the frame is valid until the next call. */
  #frame(kind: number, durableEnd: Position, payload: readonly Uint8Array[]): Buffer {
    return encodeFrame(kind, durableEnd, payload, (bytes) => {
      if (bytes > MAX_SCRATCH_BYTES) return Buffer.allocUnsafe(bytes);
      if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * bytes);
      return this.#scratch.subarray(0, bytes);
    });
  }

  #write(frame: Buffer): Extent {
    if (this.#writeFailure) throw this.#writeFailure.error;
    const extent = { position: this.#end, length: frame.length };
    try {
      this.#current?.file.append(frame);
    } catch (error) {
      this.#writeFailure = { error };
      throw error;
    }
    this.#end = position(this.#end + frame.length);
    return extent;
  }

  async #sync(): Promise<void> {
    const { disk, folder } = this.#options;
    const [end, current] = [this.#end, this.#current?.file];
    // The older ones first: a newer record may say that an older one is durable.
    for (const file of [...this.#unsynced]) {
      await file.sync();
      this.#unsynced.shift()?.close();
    }
    await current?.sync();
    if (this.#folderChanged) disk.syncFolder(folder);
    this.#folderChanged = false;
    this.#durableEnd = end;
  }
}
