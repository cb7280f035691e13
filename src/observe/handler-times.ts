/**
 * How long handlers took in the last minutes. Durations are counted in buckets, each 9 % wider than the one before, so that
 * one costs next to nothing however many there are, and a quantile is off by 5 % at most.
 */

/** What the handlers of the last minutes took. */
export interface HandlerTimesSummary {
  /** How long ago the first of these handlers may have ended. */
  readonly withinMs: number;
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const WINDOW_MS = 60_000;
const WINDOWS = 5;

const SHORTEST_MS = 0.01;
const BUCKETS_PER_DOUBLING = 8;
/** Up to 99 hours; what takes longer counts in the last bucket. */
const BUCKETS = 280;

/** The handlers that ended within one minute. */
interface Window {
  /** The number of the minute since the clock began. */
  minute: number;
  count: number;
  maxMs: number;
  readonly buckets: Uint32Array;
}

export class HandlerTimes {
  /** One slot for each of the last minutes; a slot is made when it is first needed, and used again. */
  readonly #windows: Window[] = [];
  #current: Window | undefined;

  /** @param now when the handler ended, in the clock's milliseconds */
  add(durationMs: number, now: number): void {
    const window = this.#windowAt(Math.floor(now / WINDOW_MS));
    window.count++;
    if (durationMs > window.maxMs) window.maxMs = durationMs;
    const bucket = bucketOf(durationMs);
    window.buckets[bucket] = (window.buckets[bucket] ?? 0) + 1;
  }

  /** Undefined if no handler has ended in the last minutes. */
  summary(now: number): HandlerTimesSummary | undefined {
    const minute = Math.floor(now / WINDOW_MS);
    const recent = this.#windows.filter((window) => window.count > 0 && window.minute > minute - WINDOWS);
    const count = recent.reduce((sum, window) => sum + window.count, 0);
    if (count === 0) return undefined;
    const maxMs = Math.max(...recent.map((window) => window.maxMs));
    const quantile = (share: number) => Math.min(maxMs, quantileOf(recent, Math.ceil(count * share)));
    return { withinMs: WINDOWS * WINDOW_MS, count, medianMs: quantile(0.5), p99Ms: quantile(0.99), maxMs };
  }

  #windowAt(minute: number): Window {
    if (this.#current?.minute === minute) return this.#current;
    const slot = minute % WINDOWS;
    const old = this.#windows.find((window) => window.minute % WINDOWS === slot);
    const window = old ?? { minute, count: 0, maxMs: 0, buckets: new Uint32Array(BUCKETS) };
    if (old) {
      Object.assign(old, { minute, count: 0, maxMs: 0 });
      old.buckets.fill(0);
    } else this.#windows.push(window);
    this.#current = window;
    return window;
  }
}

function bucketOf(durationMs: number): number {
  if (durationMs <= SHORTEST_MS) return 0;
  const bucket = Math.floor(Math.log2(durationMs / SHORTEST_MS) * BUCKETS_PER_DOUBLING) + 1;
  return Math.min(bucket, BUCKETS - 1);
}

/** The middle of the bucket that holds the handler of this rank; the shortest has rank 1. */
function quantileOf(windows: readonly Window[], rank: number): number {
  let passed = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (const { buckets } of windows) passed += buckets[bucket] ?? 0;
    if (passed >= rank) return bucket === 0 ? SHORTEST_MS : middleOf(bucket);
  }
  return Number.POSITIVE_INFINITY;
}

const middleOf = (bucket: number): number => SHORTEST_MS * 2 ** ((bucket - 0.5) / BUCKETS_PER_DOUBLING);
