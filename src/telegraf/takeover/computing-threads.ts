/**
 * Tells whether threads compute beside the event loop: a hash, a compression or a native package in Node's thread pool. Node
 * lists nothing of it, but the processor's time tells it from something that simply stays open.
 */

/** What is measured, in milliseconds since the process began. */
export interface ThreadTimes {
  /** The processor's time of all threads. */
  readonly usedMs: number;
  /** How long the event loop was not waiting. */
  readonly loopMs: number;
  readonly nowMs: number;
}

/** Less than this of one processor is what Node's own threads use. A machine that is short of processors leaves more. */
const LEAST_SHARE = 0.1;

export class ComputingThreads {
  readonly #measure: () => ThreadTimes;
  #last: ThreadTimes;

  constructor(measure = measureThreads) {
    this.#measure = measure;
    this.#last = measure();
  }

  /** Returns whether threads other than the event loop's have computed since this was asked last. */
  haveComputed(): boolean {
    const last = this.#last;
    const now = this.#measure();
    this.#last = now;
    const besideLoopMs = now.usedMs - last.usedMs - (now.loopMs - last.loopMs);
    return besideLoopMs > LEAST_SHARE * (now.nowMs - last.nowMs);
  }
}

function measureThreads(): ThreadTimes {
  const { user, system } = process.cpuUsage();
  const { active } = performance.eventLoopUtilization();
  return { usedMs: (user + system) / 1_000, loopMs: active, nowMs: performance.now() };
}
