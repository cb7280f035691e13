/**
 * Keeps the process alive while lastcall runs. Nothing else of lastcall does for long: its timers, its lock and its messages
 * do not, so that Node tells when a bot program, which lastcall runs, has nothing left to do.
 */
import timers from 'node:timers';
import { LONGEST_TIMER_MS } from '../clock.js';

// Kept, since an unchanged bot program is given other functions in their place.
const { setInterval, clearInterval } = timers;

/** The part of `process` that is the channel to the parent. */
interface ChannelOwner {
  readonly channel?: { ref(): void; unref(): void } | undefined;
}

/**
 * While it is released, the process is alive for as long as it would be without lastcall: then Node emits `beforeExit` as soon
 * as the bot program has nothing to wait for any more.
 */
export class KeepAlive {
  readonly #process: ChannelOwner;
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(owner: ChannelOwner = process) {
    this.#process = owner;
  }

  hold(): void {
    this.#timer ??= setInterval(() => {}, LONGEST_TIMER_MS);
    if (!this.#isReleased) return;
    this.#isReleased = false;
    // The same timer, since a new one would look like something that the program has begun.
    this.#timer.ref();
    this.#process.channel?.ref();
  }

  /** Until `hold`, neither the run nor the channel to the parent keeps the process alive. */
  release(): void {
    this.#isReleased = true;
    this.#timer?.unref();
    this.#process.channel?.unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
