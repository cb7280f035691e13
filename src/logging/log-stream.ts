/**
 * Writes lines to a stream of the process. No line is lost while somebody reads, and a stuck reader does no harm.
 *
 * Lines go through the stream's `write`, because pm2 replaces that method to get the log of an app in cluster mode. On
 * Linux, a pipe takes as much as its buffer holds (64 KiB) at once and the rest when it is read; a file and a terminal
 * take everything at once. Every stream calls back, in order, when it has taken a line.
 */
import { type Clock, systemClock } from '../clock.js';

/** The part of a writable stream that the log needs. */
export interface Output {
  write(chunk: string, encoding: BufferEncoding, taken: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly writableLength?: number;
  /** Whether the stream has failed (EPIPE: the reader is gone; EIO: the terminal is gone) and takes no more lines. */
  readonly destroyed?: boolean;
}

export interface LogStreamOptions {
  /** Called when a stuck reader reads again, with the number of lines dropped until then. */
  dropped(lines: number): void;
  readonly limitBytes?: number;
  readonly clock?: Clock;
}

/** Holds some 50,000 lines, which is an hour or more of a busy bot. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** How long the last lines may keep a process from ending. */
const FLUSH_MS = 1_000;

export class LogStream {
  readonly #output: Output;
  readonly #options: LogStreamOptions;
  readonly #limitBytes: number;
  /** The number of the last line written. Lines are numbered from 1. */
  #written = 0;
  #taken = 0;
  #dropped = 0;
  /** Whether the last line has failed. */
  #failed = false;
  readonly #flushing = new Set<() => void>();

  constructor(output: Output, options: LogStreamOptions) {
    this.#output = output;
    this.#options = options;
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES;
    ignoreErrors(output);
  }

  /** Writes one line, which ends in a line break. Never throws, never waits. */
  write(line: string): void {
    if (this.#output.destroyed) return;
    if ((this.#output.writableLength ?? 0) > this.#limitBytes) {
      this.#dropped++;
      return;
    }
    const number = ++this.#written;
    try {
      // With all three arguments, because the function that pm2 puts in place of `write` accepts no other form.
      this.#output.write(line, 'utf8', (error) => this.#onTaken(number, error));
    } catch (error) {
      this.#onTaken(number, error);
    }
  }

  /** Whether no line waits for its reader. */
  get isWritten(): boolean {
    return this.#output.destroyed === true || (this.#output.writableLength ?? 0) === 0;
  }

  /** Whether the last line has failed (EPIPE, EIO), as the next ones will, unless pm2 reopens the log file just now. */
  get isBroken(): boolean {
    return this.#failed || this.#output.destroyed === true;
  }

  /** Resolves when the stream has taken all lines or has failed, at the latest after a second or `withinMs`. */
  flush(withinMs: number = FLUSH_MS): Promise<void> {
    if (this.#output.destroyed || this.#taken >= this.#written) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#flushing.delete(done);
        resolve();
      };
      const cancel = (this.#options.clock ?? systemClock).after(Math.min(withinMs, FLUSH_MS), done);
      this.#flushing.add(done);
    });
  }

  /** Counts a line as taken, even if it failed: a single line can fail while pm2 reopens the log file of an app. */
  #onTaken(number: number, error?: unknown): void {
    this.#taken = number;
    this.#failed = error !== undefined && error !== null;
    this.#tellDropped();
    if (this.#taken < this.#written) return;
    for (const done of [...this.#flushing]) done();
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || (this.#output.writableLength ?? 0) > this.#limitBytes / 2) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#options.dropped(lines);
  }
}

/** Keeps errors of a stream from ending the process. */
export function ignoreErrors(stream: Pick<Output, 'on'>): void {
  stream.on('error', () => {});
}
