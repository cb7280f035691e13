import type { History } from '../../src/inbox/store/records.js';

/** A history of which all that is not given is none. */
export const historyWith = (given: Partial<History>): History => ({
  attempts: 0,
  deaths: 0,
  cuts: 0,
  putBacks: 0,
  retries: 0,
  notBeforeMs: 0,
  begun: false,
  ...given,
});
