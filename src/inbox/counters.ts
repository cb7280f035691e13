/** What a run of an inbox has come to so far. */
import type { InboxCounts, Settlement } from './inbox.js';

/** The totals of an inbox; what waits, what is taken and what is dead is counted elsewhere. */
export type Counters = {
  -readonly [C in Exclude<keyof InboxCounts, 'dead' | 'waiting' | 'taken' | 'mayRepeat'>]: number;
};

export const newCounters = (): Counters => ({
  accepted: 0,
  recovered: 0,
  handled: 0,
  caught: 0,
  failed: 0,
  timedOut: 0,
  expired: 0,
  putBack: 0,
  dropped: 0,
  deadDropped: 0,
});

export const counterOf = {
  handled: 'handled',
  caught: 'caught',
  failed: 'failed',
  'timed-out': 'timedOut',
  expired: 'expired',
} as const satisfies Record<Settlement, keyof Counters>;
