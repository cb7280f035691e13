/**
 * Tells when a program that is being loaded has come to rest: it has nothing under way, and does nothing more by itself.
 * Node knows that exactly, if nothing of lastcall keeps the process alive meanwhile (see event-loop.ts).
 */
import type { Clock } from '../../clock.js';
import { BegunWork } from './begun-work.js';
import type { EventLoop } from './event-loop.js';
import { addedKinds, openResources, type Resources } from './open-kinds.js';

export interface ProgramWatchOptions {
  readonly eventLoop: Pick<EventLoop, 'untilEmpty'>;
  readonly clock: Clock;
}

/** Node's names for what stays open, and does not show that the program is about to do something. Intervals are such, too. */
const lasting: ReadonlySet<string> = new Set([
  'TCPServerWrap',
  'PipeServerWrap',
  'UDPWrap',
  'FSEventWrap',
  'StatWatcher',
]);

/** For how long a program must have open nothing but what lasts. */
const LASTING_MS = 1_000;

/** For how long a program may have something else open without trying to reach anything, such as a database. */
const PATIENCE_MS = 10_000;

const CHECK_MS = 100;

export class ProgramWatch {
  readonly #options: ProgramWatchOptions;
  readonly #openBefore: Resources;
  readonly #begun: BegunWork;
  readonly #over = new AbortController();
  /** Resolves when the program has come to rest; never if the watch ends before. */
  readonly atRest: Promise<void>;
  #isAtRest = false;

  constructor(options: ProgramWatchOptions) {
    this.#options = options;
    this.#begun = new BegunWork(options.clock);
    this.atRest = options.eventLoop.untilEmpty(this.#over.signal).then(
      () => {
        this.#isAtRest = true;
      },
      // The watch has ended.
      () => new Promise<never>(() => {}),
    );
    this.#openBefore = openResources();
  }

  /**
   * Resolves when the program has come to rest, or most probably waits for nothing any more: it has open only what lasts,
   * or has long tried to reach nothing. Rejects when the watch ends.
   */
  async settled(): Promise<void> {
    await Promise.race([this.atRest, this.#untilQuiet()]);
  }

  /** Whether the program has begun anything to wait for, such as a connection, whatever has become of that. */
  get hasWaited(): boolean {
    return this.#begun.any;
  }

  /** The kinds of what the program has open, in Node's words. */
  get open(): readonly string[] {
    return this.#isAtRest ? [] : addedKinds(openResources(), this.#openBefore);
  }

  end(): void {
    this.#over.abort();
    this.#begun.end();
  }

  async #untilQuiet(): Promise<void> {
    const { clock } = this.#options;
    let lastingSince: number | undefined;
    while (!this.#over.signal.aborted) {
      await clock.sleep(CHECK_MS, this.#over.signal).catch(() => {});
      const now = clock.now();
      lastingSince = this.#hasOnlyLasting ? (lastingSince ?? now) : undefined;
      if (lastingSince !== undefined && now - lastingSince >= LASTING_MS) return;
      if (now - this.#begun.lastAttemptAt >= PATIENCE_MS) return;
    }
  }

  get #hasOnlyLasting(): boolean {
    const { open } = this;
    const hasOther = open.some((kind) => kind !== 'Timeout' && !lasting.has(kind));
    return open.length > 0 && !hasOther && !this.#begun.hasTimeout;
  }
}
