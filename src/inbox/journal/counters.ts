/** What a run of the journal inbox has come to so far. */
import type { Settlement } from '../inbox.js';

export interface Counters {
  accepted: number;
  recovered: number;
  handled: number;
  failed: number;
  timedOut: number;
  dropped: number;
}

export const newCounters = (): Counters => ({
  accepted: 0,
  recovered: 0,
  handled: 0,
  failed: 0,
  timedOut: 0,
  dropped: 0,
});

export const counterOf = {
  handled: 'handled',
  failed: 'failed',
  'timed-out': 'timedOut',
} as const satisfies Record<Settlement, keyof Counters>;
