/**
 * Writes lines to a stream of the process, mostly its stdout, so that no line is lost while somebody reads, nothing is
 * disturbed when nobody does, and it is known when all is written.
 *
 * It goes through the stream's `write`, as pm2 replaces that to get at the log of an app in cluster mode. On Linux a
 * pipe takes what its buffer holds (64 KiB) at once and the rest when it is read; a file and a terminal take all at
 * once. Whatever the stream is, it calls back, in order, when a line has been taken.
 */
import { type Clock, systemClock } from '../clock.js';

/** The part of a writable stream that is used. */
export interface Output {
  write(chunk: string, encoding: BufferEncoding, taken: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly writableLength?: number;
  /** It has failed (EPIPE: the reader is gone; EIO: the terminal is) and takes nothing any more. */
  readonly destroyed?: boolean;
}

export interface LogStreamOptions {
  /** Called when a stuck reader reads again, with the number of lines that were dropped meanwhile. */
  dropped(lines: number): void;
  /** How much may wait for the reader. */
  readonly limitBytes?: number;
  readonly clock?: Clock;
}

/** Some 50,000 lines: an hour or more of a busy bot. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** How long the last lines may keep a process from ending. */
const FLUSH_MS = 1_000;

export class LogStream {
  readonly #output: Output;
  readonly #options: LogStreamOptions;
  readonly #limitBytes: number;
  /** Lines are numbered from 1; those up to `#taken` are out of our hands. */
  #written = 0;
  #taken = 0;
  #dropped = 0;
  readonly #flushing = new Set<() => void>();

  constructor(output: Output, options: LogStreamOptions) {
    this.#output = output;
    this.#options = options;
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES;
    ignoreErrors(output);
  }

  /** Takes one line with its line break. Never throws, never waits. */
  write(line: string): void {
    if (this.#output.destroyed) return;
    if ((this.#output.writableLength ?? 0) > this.#limitBytes) {
      this.#dropped++;
      return;
    }
    const number = ++this.#written;
    try {
      // All three arguments, always: what pm2 puts in place of `write` knows no other form.
      this.#output.write(line, 'utf8', () => this.#onTaken(number));
    } catch {
      this.#onTaken(number);
    }
  }

  /** Resolves when all lines are taken, or nobody can take them any more, or a second has passed, or `withinMs`. */
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

  /**
   * Also called for a line that could not be written: there is nobody to tell. That need not be the end: where pm2
   * opens an app's log file anew, a line may fall in between.
   */
  #onTaken(number: number): void {
    this.#taken = number;
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

/** Keeps a stream's errors from ending the process; whoever writes hears of them by other ways, or does not care. */
export function ignoreErrors(stream: Pick<Output, 'on'>): void {
  stream.on('error', () => {});
}
