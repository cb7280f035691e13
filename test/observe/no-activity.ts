import type { Activity } from '../../src/pipeline-gauges.js';

/** Of a run that has done nothing yet. */
export const noActivity: Activity = {
  running: 0,
  handled: 0,
  caught: 0,
  failed: 0,
  timedOut: 0,
  expired: 0,
  putBack: 0,
  waiting: 0,
  dead: 0,
  latestEnd: Number.POSITIVE_INFINITY,
};
