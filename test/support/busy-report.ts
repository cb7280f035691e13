/** The report of a bot with much to do, one slow handler and a chat that jams. */
import type { StatusReport } from '../../src/observe/status/report.js';

export const busyReport: StatusReport = {
  ...{
    bot: 123456789,
    name: '@my_bot',
    pid: 4711,
    supervisor: 'systemd',
    upMs: 11_045_000,
    phase: 'running',
  },
  polling: {
    state: 'polling',
    forMs: 11_040_000,
    lastPoll: { agoMs: 43_000, updates: 0 },
    pollTimeoutMs: 50_000,
    isLate: false,
  },
  counts: {
    waiting: 14,
    running: 2,
    handled: 1_203,
    caught: 0,
    failed: 3,
    timedOut: 0,
    expired: 0,
    putBack: 5,
    dead: 2,
  },
  handlerTimes: { withinMs: 300_000, count: 312, medianMs: 41.3, p99Ms: 1_234, maxMs: 2_000 },
  slowest: [
    { updateId: 627819794, kind: 'message', key: '202', forMs: 12_300 },
    { updateId: 627819801, kind: 'callback_query', key: '-100303', forMs: 420 },
  ],
  jams: [{ key: '202', waiting: 3, waitedMs: 11_900 }],
  inbox: { kind: 'journal', oldestMs: 12_400 },
  stop: { budgetMs: 90_000, drainMs: 60_000, handlersMs: 58_000 },
};
