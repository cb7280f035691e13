import type { ReceiptCounts } from '../../src/logging/receipt.js';

/** The figures of a run that has fetched nothing. */
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
