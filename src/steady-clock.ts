/**
 * A clock that leaves out the time in which the process stood still: while it was stopped by a signal, or while its container
 * or virtual machine was paused. Nobody could do anything then, so nobody's time limit should count it. The time of an event
 * loop that the program itself keeps busy counts: supervisors count it, too.
 */
import type { Clock } from './clock.js';

export interface SteadyClockOptions {
  /** The clock whose time is followed, and whose timers are used. */
  readonly source: Clock;
  /** The time for which the process has computed, in milliseconds. */
  readonly cpuMs?: () => number;
  /** Called once each time that the process has stood still, with the time that is left out, in milliseconds. */
  stoodStill(ms: number): void;
}

/** How often the clock is read at least, since an idle event loop may wait for longer without standing still. */
const BEAT_MS = 500;

/** A busy event loop is late, too; a shorter stand-still counts as that. */
const SHORTEST_STANDSTILL_MS = 5_000;

/** A process that has computed for more than this share of a gap did not stand still. */
const BUSY_SHARE = 0.5;

/** Timers fire up to this early. */
const TIMER_PRECISION_MS = 1;

/** Leaves nothing out before `start` and after `stop`. */
export class SteadyClock implements Clock {
  readonly #options: SteadyClockOptions;
  /** When the clock was last read, in the source's milliseconds; undefined unless the clock is started. */
  #readAt: number | undefined;
  /** The time for which the process had computed at the last beat. */
  #cpuMs = 0;
  #leftOutMs = 0;
  #cancelBeat = () => {};

  constructor(options: SteadyClockOptions) {
    this.#options = options;
  }

  start(): void {
    this.#readAt = this.#options.source.now();
    this.#cpuMs = this.#readCpuMs();
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
      const isLong = gapMs > BEAT_MS + SHORTEST_STANDSTILL_MS;
      if (isLong && this.#readCpuMs() - this.#cpuMs < gapMs * BUSY_SHARE) {
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
      this.#cpuMs = this.#readCpuMs();
      this.#beat();
    });
  }

  #readCpuMs(): number {
    const { cpuMs = cpuMsOfProcess } = this.#options;
    return cpuMs();
  }
}

function cpuMsOfProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
