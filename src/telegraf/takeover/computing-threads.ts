/**
 * Tells whether threads compute beside the event loop: a hash, a compression or a native package in Node's thread pool. Node
 * lists nothing of it, but the processor's time tells it from something that simply stays open.
 */

import { readFileSync } from 'node:fs';

/** What is measured, in milliseconds since the process began. */
export interface ThreadTimes {
  /** The processor's time of all threads. */
  readonly usedMs: number;
  /** The processor's time of the event loop. */
  readonly loopMs: number;
  readonly nowMs: number;
}

/** Less than this of one processor is what Node's own threads use. A machine that is short of processors leaves more. */
const LEAST_SHARE = 0.03;

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
  return { usedMs: (user + system) / 1_000, loopMs: ownThreadMs(), nowMs: performance.now() };
}

/** The processor's time of this thread. Where the system does not tell it, how long the event loop was not waiting. */
function ownThreadMs(): number {
  try {
    const [ns] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(ns) / 1e6;
  } catch {
    return performance.eventLoopUtilization().active;
  }
}
