/**
 * Tells whether threads compute beside the event loop: a hash, a compression or a native package in Node's thread pool. Node
 * lists nothing of it, but the processor's time tells it from something that simply stays open; and where the machine is so
 * busy that a thread gets none for a while, that it waits for it does.
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
  /**
   * The threads beside the event loop's that run or wait for a processor at this moment: how long each has done so in all, by
   * its id.
   */
  readonly runnable: ReadonlyMap<string, number>;
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
    return haveWaited(last, now) || besideLoopMs > LEAST_SHARE * (now.nowMs - last.nowMs);
  }
}

/**
 * Whether a thread has run or waited for a processor at both looks, and for most of the time between them. One that wakes for a
 * moment again and again may be seen so at any look.
 */
function haveWaited(last: ThreadTimes, now: ThreadTimes): boolean {
  const leastMs = (now.nowMs - last.nowMs) / 2;
  return [...now.runnable].some(([id, ms]) => {
    const lastMs = last.runnable.get(id);
    // The system adds a wait when it is over: where nothing was added, the thread waits on.
    return lastMs !== undefined && (ms === lastMs || ms - lastMs >= leastMs);
  });
}

function measureThreads(): ThreadTimes {
  const { user, system } = process.cpuUsage();
  return {
    usedMs: (user + system) / 1_000,
    loopMs: ownThreadMs(),
    nowMs: performance.now(),
    runnable: new Map(
      otherThreads().flatMap((id) => {
        const ms = stateOf(id) === 'R' ? runnableMs(id) : undefined;
        return ms === undefined ? [] : [[id, ms]];
      }),
    ),
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

/** How long a thread has run and waited for a processor; undefined where the system does not tell it. */
const runnableMs = (id: string): number | undefined =>
  tryOr(() => {
    const [ranNs, waitedNs] = readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8').split(' ');
    return (Number(ranNs) + Number(waitedNs)) / 1e6;
  }, undefined);

/** The letter for the state of a thread, which stands behind its name; undefined once the thread has ended. */
const stateOf = (id: string): string | undefined =>
  tryOr(() => /\) (\w) [^)]*$/.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))?.[1], undefined);
