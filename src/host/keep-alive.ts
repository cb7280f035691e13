/** Keeps the process alive while a run goes on, whatever else is open. */
import { LONGEST_TIMER_MS } from '../clock.js';
import type { Supervisor } from './supervisor.js';

/** The part of `process` that is the channel to the parent. */
interface ChannelOwner {
  readonly channel?: { ref(): void; unref(): void } | undefined;
}

/**
 * A run's own timers and sockets do not keep the process alive, but this does. While it is released, the process is alive
 * for as long as it would be without lastcall: then Node emits `beforeExit` as soon as the bot program has nothing to wait
 * for any more.
 */
export class KeepAlive {
  readonly #supervisor: Pick<Supervisor, 'release' | 'hold'>;
  readonly #process: ChannelOwner;
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(supervisor: Pick<Supervisor, 'release' | 'hold'>, owner: ChannelOwner = process) {
    this.#supervisor = supervisor;
    this.#process = owner;
  }

  hold(): void {
    this.#timer ??= setInterval(() => {}, LONGEST_TIMER_MS);
    if (!this.#isReleased) return;
    this.#isReleased = false;
    this.#process.channel?.ref();
    this.#supervisor.hold?.();
  }

  /** Until `hold`, neither the run, nor its supervisor, nor the channel to the parent keeps the process alive. */
  release(): void {
    this.end();
    this.#isReleased = true;
    this.#process.channel?.unref();
    this.#supervisor.release?.();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
