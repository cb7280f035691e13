/** Adds up what became of the updates of all bots, also of those whose pipelines have ended while the run goes on. */
import type { ReceiptCounts } from './logging/receipt.js';

export class Tally {
  /** By the bots' keys: a bot that is launched again has several pipelines, one after the other. */
  readonly #ended = new Map<string, ReceiptCounts>();

  /** Adds the counts of a pipeline that has ended. */
  add(key: string, counts: ReceiptCounts): void {
    this.#ended.set(key, this.joined(key, counts));
  }

  /** The counts of the run so far; `confirmedUpTo` only where there was one bot. */
  total(working: Iterable<readonly [key: string, counts: ReceiptCounts]>): ReceiptCounts {
    const byKey = new Map(this.#ended);
    for (const [key, counts] of working) byKey.set(key, this.joined(key, counts));
    const [first, ...others] = byKey.values();
    if (!first) return noCounts;
    return others.reduce<ReceiptCounts>(
      (sum, counts) => ({ ...added(sum, counts), confirmedUpTo: undefined }),
      first,
    );
  }

  /**
   * The counts of a bot, of its pipeline at work and of those before. What one has left in the inbox is not left any more
   * once the next one has found it there.
   */
  joined(key: string, later: ReceiptCounts): ReceiptCounts {
    const earlier = this.#ended.get(key);
    if (!earlier) return later;
    const sum = added(earlier, later);
    const passedOn = Math.min(earlier.left, later.recovered);
    return {
      ...sum,
      left: sum.left - passedOn,
      recovered: sum.recovered - passedOn,
      mayRepeat: sum.mayRepeat - Math.min(earlier.mayRepeat, passedOn),
      confirmedUpTo: later.confirmedUpTo ?? earlier.confirmedUpTo,
    };
  }
}

/** The counts of a run that has fetched nothing. */
export const noCounts: ReceiptCounts = {
  fetched: 0,
  recovered: 0,
  handled: 0,
  caught: 0,
  failed: 0,
  timedOut: 0,
  expired: 0,
  dropped: 0,
  left: 0,
  mayRepeat: 0,
  putBack: 0,
  deadDropped: 0,
  confirmedUpTo: undefined,
};

const added = (a: ReceiptCounts, b: ReceiptCounts): ReceiptCounts => ({
  fetched: a.fetched + b.fetched,
  recovered: a.recovered + b.recovered,
  handled: a.handled + b.handled,
  caught: a.caught + b.caught,
  failed: a.failed + b.failed,
  timedOut: a.timedOut + b.timedOut,
  expired: a.expired + b.expired,
  dropped: a.dropped + b.dropped,
  left: a.left + b.left,
  mayRepeat: a.mayRepeat + b.mayRepeat,
  putBack: a.putBack + b.putBack,
  deadDropped: a.deadDropped + b.deadDropped,
  confirmedUpTo: b.confirmedUpTo,
});
