/** Knows the timers of the program that are pending, which Node does not tell: when they are due, and whether they repeat. */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import promises from 'node:timers/promises';
import { readText } from '../../thrown.js';
import type { Patches } from './patches.js';

const { setTimeout, clearTimeout } = timers;

export interface PendingTimer {
  /** The same for the same timer, whenever it is asked for. */
  readonly id: object;
  /** The function that the timer calls, if it is known. */
  readonly callback: unknown;
  readonly delayMs: number;
  readonly dueInMs: number;
  readonly repeats: boolean;
  /** Whether a package has set the timer, of which only those with a delay of a second or more are known. */
  readonly isByPackage: boolean;
}

/** The fields of Node's timers that are read. */
interface NodeTimer {
  readonly _idleStart: number;
  readonly _idleTimeout: number;
  readonly _onTimeout: unknown;
  readonly _repeat: number | null;
  readonly _destroyed: boolean;
  hasRef(): boolean;
}

interface Trace {
  readonly stack?: string;
}

interface SetTimer {
  /** Weak, since a timer that has ended may hold much. */
  readonly reference: WeakRef<NodeTimer>;
  /** Where a timer of a second or more was set. */
  readonly trace: Trace | undefined;
}

/** A timer that is a promise: Node gives nobody the timer itself. */
interface Sleep {
  readonly delayMs: number;
  readonly dueAt: number;
  readonly signal: AbortSignal | undefined;
}

type Timer = (...args: unknown[]) => unknown;

/** From this number of timers on, the ended ones are forgotten when the number has doubled. */
const FEW = 1_000;

/** Pools look after their connections by timers that are this long or longer. */
const SHORTEST_HOUSEKEEPING_MS = 1_000;

/** Node fires timers up to this late and keeps them for as long; a busy event loop is later. */
const SLEEP_SLACK_MS = 5;

export class ProgramTimers {
  #timers: SetTimer[] = [];
  #sleeps: Sleep[] = [];
  #forgetAt = FEW;

  constructor(patches: Patches) {
    for (const name of ['setTimeout', 'setInterval'] as const) {
      const watched = this.#watching(timers[name] as Timer);
      patches.replace(timers, name, watched);
      patches.replace(globalThis, name, watched);
    }
    patches.replace(promises, 'setTimeout', this.#watchingSleep(promises.setTimeout as Timer));
    syncBuiltinESMExports();
  }

  /** The pending timers that keep the process alive. */
  get pending(): readonly PendingTimer[] {
    this.#forget();
    const now = performance.now();
    const nodeNow = nodeTime();
    const sleeps = this.#sleeps.map((sleep) => ({
      id: sleep,
      callback: undefined,
      delayMs: sleep.delayMs,
      dueInMs: sleep.dueAt - now,
      repeats: false,
      isByPackage: false,
    }));
    const others = this.#timers.flatMap(({ reference, trace }) => {
      const timer = reference.deref();
      if (!timer?.hasRef()) return [];
      return {
        id: timer,
        callback: timer._onTimeout,
        delayMs: timer._idleTimeout,
        dueInMs: timer._idleStart + timer._idleTimeout - nodeNow,
        repeats: timer._repeat !== null,
        isByPackage: isByPackage(trace),
      };
    });
    return [...sleeps, ...others];
  }

  #watching(original: Timer): Timer {
    return inPlaceOf(original, (args, inPlace) => {
      const timer = Reflect.apply(original, undefined, args) as NodeTimer;
      const trace = Number(args[1]) >= SHORTEST_HOUSEKEEPING_MS ? traceOf(inPlace) : undefined;
      this.#timers.push({ reference: new WeakRef(timer), trace });
      if (this.#timers.length > this.#forgetAt) this.#forget();
      return timer;
    });
  }

  #watchingSleep(original: Timer): Timer {
    return inPlaceOf(original, (args) => {
      const [delay, , options] = args as [
        unknown,
        unknown,
        { ref?: boolean; signal?: AbortSignal } | undefined,
      ];
      const delayMs = Number(delay ?? 1);
      if (options?.ref !== false && delayMs >= 0) {
        this.#sleeps.push({ delayMs, dueAt: performance.now() + delayMs, signal: options?.signal });
        if (this.#sleeps.length > this.#forgetAt) this.#forget();
      }
      return Reflect.apply(original, undefined, args);
    });
  }

  #forget(): void {
    this.#timers = this.#timers.filter(({ reference }) => reference.deref()?._destroyed === false);
    const now = performance.now();
    this.#sleeps = this.#sleeps.filter(
      ({ dueAt, signal }) => !signal?.aborted && now < dueAt + SLEEP_SLACK_MS,
    );
    this.#forgetAt = FEW + 2 * Math.max(this.#timers.length, this.#sleeps.length);
  }
}

/** The time that Node's timers count in. */
function nodeTime(): number {
  const timer = setTimeout(() => {}, 1);
  clearTimeout(timer);
  return (timer as unknown as NodeTimer)._idleStart;
}

/** Returns a function that does what `call` does and looks like the original, also to `util.promisify`. */
function inPlaceOf(original: Timer, call: (args: unknown[], inPlace: Timer) => unknown): Timer {
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original) as PropertyDescriptorMap;
  const inPlace: Timer = (...args) => call(args, inPlace);
  return Object.defineProperties(inPlace, properties);
}

/** Takes down where a function is called. That costs little, since the text is made only when it is read. */
function traceOf(called: Timer): Trace {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  const trace: Trace = {};
  Error.captureStackTrace(trace, called);
  Error.stackTraceLimit = stackTraceLimit;
  return trace;
}

function isByPackage(trace: Trace | undefined): boolean {
  return /[\\/]node_modules[\\/]/.test(readText(trace, 'stack') ?? '');
}
