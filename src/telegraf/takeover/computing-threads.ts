/**
 * Tells whether threads compute beside the event loop: a hash, a compression or a native package in Node's thread pool. Node
 * lists nothing of it, but the processor's time tells it from something that simply stays open; and where the machine is so
 * busy that a thread gets none for a while, its state does.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { tryOr } from '../../thrown.js';

/** What is measured, in milliseconds since the process began. */
export interface ThreadTimes {
  /** The processor's time of all threads. */
  readonly usedMs: number;
  /** The processor's time of the event loop. */
  readonly loopMs: number;
  readonly nowMs: number;
  /** Whether a thread other than the event loop's runs, or waits for a processor. */
  readonly isRunnable: boolean;
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

  /** Returns whether threads other than the event loop's compute, or have done so since this was asked last. */
  haveComputed(): boolean {
    const last = this.#last;
    const now = this.#measure();
    this.#last = now;
    const besideLoopMs = now.usedMs - last.usedMs - (now.loopMs - last.loopMs);
    return now.isRunnable || besideLoopMs > LEAST_SHARE * (now.nowMs - last.nowMs);
  }
}

function measureThreads(): ThreadTimes {
  const { user, system } = process.cpuUsage();
  return {
    usedMs: (user + system) / 1_000,
    loopMs: ownThreadMs(),
    nowMs: performance.now(),
    isRunnable: otherThreads().some((id) => stateOf(id) === 'R'),
  };
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

/** The ids of the threads beside this one; none where the system does not tell them. */
const otherThreads = (): string[] =>
  tryOr(() => {
    // Where `/proc` is that of another namespace, the process has another id there.
    const own = basename(readlinkSync('/proc/thread-self'));
    return readdirSync('/proc/self/task').filter((id) => id !== own);
  }, []);

/** The letter for the state of a thread, which stands behind its name; undefined once the thread has ended. */
const stateOf = (id: string): string | undefined =>
  tryOr(() => /\) (\w) [^)]*$/.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))?.[1], undefined);
