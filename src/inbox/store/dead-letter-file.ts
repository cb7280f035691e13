/**
 * The file of the dead letters: frames that are appended. What was removed takes up space until the file is
 * rewritten.
 */
import type { AppendFile, Disk } from '../log/disk.js';
import { type FoundFrame, findFrame, frameAt } from '../log/frame.js';

/** The bytes of one frame in the file. */
export interface FileExtent {
  offset: number;
  readonly length: number;
}

export class DeadLetterFile {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #path: string;
  /** Open once the file was rewritten, which comes before the first append. */
  #file: AppendFile | undefined;
  #bytes = 0;
  #isSynced = true;
  #syncing: Promise<void> = Promise.resolve();

  constructor(disk: Disk, folder: string, path: string) {
    this.#disk = disk;
    this.#folder = folder;
    this.#path = path;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** The size of the open file, with what was removed. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Calls `visit` for each frame that can be read, and returns how many bytes are damaged; a torn end does not count.
   * Throws what the disk throws.
   */
  scan(visit: (frame: FoundFrame) => void): number {
    const content = this.#disk.read(this.#path);
    let damagedBytes = 0;
    let end = 0;
    for (let frame = findFrame(content, 0); frame; frame = findFrame(content, end)) {
      damagedBytes += frame.offset - end;
      end = frame.offset + frame.length;
      visit(frame);
    }
    return damagedBytes;
  }

  /**
   * The frame in this place, or undefined if there is none, for example because another process has rewritten the
   * file. Throws what the disk throws.
   */
  read({ offset, length }: FileExtent): FoundFrame | undefined {
    return frameAt(this.#disk.read(this.#path, offset, length), 0);
  }

  /** Appends a frame to the open file; durable once `sync` has resolved. Throws what the disk throws. */
  append(frame: Buffer): FileExtent {
    const extent = { offset: this.#bytes, length: frame.length };
    this.#file?.append(frame);
    this.#bytes += frame.length;
    this.#isSynced = false;
    return extent;
  }

  /** Resolves once everything that was appended survives a power cut. Rejects with the disk's error. */
  async sync(): Promise<void> {
    if (!this.#isSynced) {
      this.#isSynced = true;
      this.#syncing = this.#syncing.then(async () => {
        await this.#file?.sync();
        this.#disk.syncFolder(this.#folder);
      });
    }
    // Also where another call has begun the sync.
    await this.#syncing;
  }

  /**
   * Opens a new file with these frames only in the old one's place, and updates their offsets. Throws what the disk
   * throws.
   */
  rewrite(kept: Iterable<FileExtent>): void {
    const disk = this.#disk;
    const unfinished = `${this.#path}.new`;
    disk.remove(unfinished);
    const file = disk.create(unfinished);
    let end = 0;
    for (const extent of kept) {
      const frame = disk.read(this.#path, extent.offset, extent.length);
      file.append(frame);
      extent.offset = end;
      end += frame.length;
    }
    file.syncNow();
    disk.rename(unfinished, this.#path);
    const replaced = this.#file;
    const close = () => replaced?.close();
    // A sync of the old file may be under way.
    this.#syncing.then(close, close);
    this.#file = file;
    this.#bytes = end;
    this.#isSynced = false;
  }

  /** Copies the file, damaged parts included. Throws what the disk throws. */
  copyTo(path: string): void {
    const copy = this.#disk.create(path);
    copy.append(this.#disk.read(this.#path));
    copy.syncNow();
    copy.close();
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
