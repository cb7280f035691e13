/** Events of a run, as several tests observe them. */
import { StopReason } from '../../src/lifecycle/stop-reason.js';

export const unreachable = {
  event: 'poll.failed',
  class: 'unreachable',
  detail: 'ECONNREFUSED',
  retryInMs: 1_000,
  attempt: 1,
} as const;

export const stopping = {
  event: 'lifecycle.stopping',
  reason: StopReason.signal('SIGTERM'),
  budgetMs: 18_000,
} as const;
