/**
 * A clock that leaves out the time in which the process stood still: while it was stopped by a signal, while its container
 * or virtual machine was paused, or while its event loop was blocked. Nobody could do anything then, so nobody's time limit
 * should count it.
 */
import type { Clock } from './clock.js';

export interface SteadyClockOptions {
  /** The clock whose time is followed, and whose timers are used. */
  readonly source: Clock;
  /** Called once each time that the process has stood still, with the time that is left out, in milliseconds. */
  stoodStill(ms: number): void;
}

/** How often the clock is read at least, since an idle event loop may wait for longer without standing still. */
const BEAT_MS = 500;

/** A busy event loop is late, too; a shorter stand-still counts as that. */
const SHORTEST_STANDSTILL_MS = 5_000;

/** Timers fire up to this early. */
const TIMER_PRECISION_MS = 1;

/** Leaves nothing out before `start` and after `stop`. */
export class SteadyClock implements Clock {
  readonly #options: SteadyClockOptions;
  /** When the clock was last read, in the source's milliseconds; undefined unless the clock is started. */
  #readAt: number | undefined;
  #leftOutMs = 0;
  #cancelBeat = () => {};

  constructor(options: SteadyClockOptions) {
    this.#options = options;
  }

  start(): void {
    this.#readAt = this.#options.source.now();
    this.#beat();
  }

  stop(): void {
    this.#readAt = undefined;
    this.#cancelBeat();
  }

  now(): number {
    const readAt = this.#options.source.now();
    if (this.#readAt !== undefined) {
      const gapMs = readAt - this.#readAt;
      this.#readAt = readAt;
      if (gapMs > BEAT_MS + SHORTEST_STANDSTILL_MS) {
        this.#leftOutMs += gapMs;
        this.#options.stoodStill(gapMs);
      }
    }
    return readAt - this.#leftOutMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const end = this.now() + ms;
    for (let leftMs = ms; ; ) {
      await this.#options.source.sleep(leftMs, signal);
      leftMs = end - this.now();
      if (leftMs < TIMER_PRECISION_MS) return;
    }
  }

  after(ms: number, callback: () => void): () => void {
    const { source } = this.#options;
    const end = this.now() + ms;
    const fire = () => {
      const leftMs = end - this.now();
      if (leftMs < TIMER_PRECISION_MS) callback();
      else cancel = source.after(leftMs, fire);
    };
    let cancel = source.after(ms, fire);
    return () => cancel();
  }

  #beat(): void {
    this.#cancelBeat = this.#options.source.after(BEAT_MS, () => {
      this.now();
      this.#beat();
    });
  }
}
