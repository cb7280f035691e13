/**
 * Appends lines to the history of bots. What is written while a bot is at work is written asynchronously, one write at a time
 * for the whole process, so that a disk that hangs costs one thread of Node's pool and nothing else. Each write begins on a
 * line of its own, whatever a killed process has left behind.
 */
import { closeSync, constants, fstatSync, openSync, renameSync, type Stats, writeSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../make-folder.js';
import { HISTORY_FILES, type HistoryRecord } from './record.js';

export interface HistoryFilesOptions {
  /** The folder that has one folder a bot in it. */
  readonly stateDir: string;
  /** Called with the first write that fails. */
  failed(path: string, error: unknown): void;
  /** Default: 2 MB. */
  readonly mostBytes?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** A busy week. The file before this one is kept, too. */
const MOST_BYTES = 2_000_000;
/** The file before this one is as old at most. */
const MOST_AGE_MS = 30 * 24 * 60 * 60 * 1_000;
/** What waits for a write that hangs. */
const MOST_QUEUED = 100;
/** A write that has not ended within this time is one to a disk that hangs, which nobody else should wait for. */
const HANGS_AFTER_MS = 1_000;

const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** A link that somebody else has put there is not followed, and the reader of a named pipe is not waited for. */
const APPENDING = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
const OWNER_ONLY = 0o600;

/** A run that has a bot. */
interface OpenRun {
  /** What its records in a file begin with. */
  head(): HistoryRecord;
  /** The inode of the file that has the head. A file that has been begun since may have the inode of one that is gone. */
  inode: number | undefined;
}

export class HistoryFiles {
  readonly #options: Required<HistoryFilesOptions>;
  /** The lines that are not written yet, by the keys of the bots. */
  readonly #queued = new Map<string, string[]>();
  readonly #runs = new Map<string, OpenRun>();
  #writingSince: number | undefined;
  #hasFailed = false;

  constructor(options: HistoryFilesOptions) {
    this.#options = { mostBytes: MOST_BYTES, now: () => performance.now(), ...options };
  }

  /**
   * Writes the head of a run before it returns, and again whenever a file is begun, until the run ends: its records would
   * belong to no run once the file with its beginning is gone.
   */
  begin(key: string, head: () => HistoryRecord): void {
    this.#runs.set(key, { head, inode: undefined });
    this.appendNow(key);
  }

  /** Writes the last records of a run before it returns. */
  end(key: string, ...records: readonly HistoryRecord[]): void {
    this.appendNow(key, ...records);
    this.#runs.delete(key);
  }

  /** Writes the records before it returns, and before them what waits. Does nothing while the disk hangs. Never throws. */
  appendNow(key: string, ...records: readonly HistoryRecord[]): void {
    if (this.#hangs) return;
    for (const record of records) this.#enqueue(key, record);
    const path = this.#pathOf(key);
    try {
      makeFolder(join(this.#options.stateDir, key));
      const descriptor = openSync(path, APPENDING, OWNER_ONLY);
      try {
        const stats = assertFile(fstatSync(descriptor));
        // A write that is under way may be about to rename it as well, and would then put an empty file in place of the older one.
        if (this.#isFull(stats) && this.#writingSince === undefined) renameSync(path, this.#olderPathOf(key));
        writeSync(descriptor, this.#textOf(key, stats));
        this.#hasHead(key, stats);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      this.#fail(path, error);
    }
  }

  /** Writes the record soon. Drops the oldest of what waits for a disk that hangs. Never throws. */
  append(key: string, record: HistoryRecord): void {
    this.#enqueue(key, record);
    if (this.#writingSince === undefined) void this.#writeQueued();
  }

  get #hangs(): boolean {
    const since = this.#writingSince;
    return since !== undefined && this.#options.now() - since > HANGS_AFTER_MS;
  }

  #enqueue(key: string, record: HistoryRecord): void {
    const lines = this.#queued.get(key) ?? [];
    lines.push(JSON.stringify(record));
    if (lines.length > MOST_QUEUED) lines.shift();
    this.#queued.set(key, lines);
  }

  async #writeQueued(): Promise<void> {
    for (let [key] = this.#queued.keys(); key !== undefined; [key] = this.#queued.keys()) {
      this.#writingSince = this.#options.now();
      const path = this.#pathOf(key);
      try {
        await this.#write(key, path);
      } catch (error) {
        this.#queued.delete(key);
        this.#fail(path, error);
      }
    }
    this.#writingSince = undefined;
  }

  async #write(key: string, path: string): Promise<void> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, APPENDING, OWNER_ONLY);
      const stats = assertFile(await file.stat());
      const text = this.#textOf(key, stats);
      if (text !== '') {
        await file.write(text);
        this.#hasHead(key, stats);
      }
      // Last, since what is written at once meanwhile may come into the next file.
      if (this.#isFull(stats)) await rename(path, this.#olderPathOf(key));
    } finally {
      await file?.close();
    }
  }

  /** Whether the file is to become the older one, with this write as its last. Some file systems tell no time of birth. */
  #isFull({ size, birthtimeMs }: Stats): boolean {
    return size > this.#options.mostBytes || (birthtimeMs > 0 && Date.now() - birthtimeMs > MOST_AGE_MS);
  }

  /** Takes what waits, as one text, behind the head of the run where the file lacks that. */
  #textOf(key: string, { ino, size }: Stats): string {
    const lines = this.#queued.get(key) ?? [];
    this.#queued.delete(key);
    const run = this.#runs.get(key);
    if (run && (size === 0 || run.inode !== ino)) lines.unshift(JSON.stringify(run.head()));
    return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
  }

  #hasHead(key: string, { ino }: Stats): void {
    const run = this.#runs.get(key);
    if (run) run.inode = ino;
  }

  #pathOf(key: string): string {
    return join(this.#options.stateDir, key, HISTORY_FILES[1]);
  }

  #olderPathOf(key: string): string {
    return join(this.#options.stateDir, key, HISTORY_FILES[0]);
  }

  #fail(path: string, error: unknown): void {
    if (!this.#hasFailed) this.#options.failed(path, error);
    this.#hasFailed = true;
  }
}

/** A stranger may have put something else at the path. */
function assertFile(stats: Stats): Stats {
  if (!stats.isFile()) throw new Error('it is no regular file');
  return stats;
}
