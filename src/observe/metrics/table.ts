/**
 * The metrics: their names, types, labels and meanings. Prometheus' text, the README's table, the dashboard and the alert
 * rules come from here. Names follow Prometheus' conventions: base units, `_total` for counters.
 */

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What it says, in a sentence. */
  readonly help: string;
  readonly labels: readonly string[];
  /** The upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** From a cached answer to a handler that is given up, in seconds. */
const HANDLER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 100];
/** A poll is answered at once, or when the server's patience is over, after 50 s. */
const POLL_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 40, 51, 60];
/** From a fast disk to one that is about to count as hung. */
const SYNC_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

const ofBot = ['bot'] as const;

export const metricTable = {
  lastcall_info: {
    type: 'gauge',
    help: 'Always 1. What runs: the version of lastcall, its supervisor, the kind of its inbox.',
    labels: ['version', 'supervisor', 'inbox'],
  },
  lastcall_phase: {
    type: 'gauge',
    help: '1 for the phase of the run: starting, running or stopping.',
    labels: ['phase'],
  },
  lastcall_start_duration_seconds: {
    type: 'gauge',
    help: 'How long the start took, connecting to Telegram not included; absent before its end.',
    labels: [],
  },
  lastcall_stop_duration_seconds: {
    type: 'gauge',
    help: 'How long the stop has lasted that is under way; 0 if none is.',
    labels: [],
  },
  lastcall_stop_budget_seconds: {
    type: 'gauge',
    help: 'How long a stop may take; absent before the end of the start.',
    labels: [],
  },
  lastcall_previous_stop_duration_seconds: {
    type: 'gauge',
    help: "How long the stop of the bot's previous run took; absent if it did not end by one.",
    labels: ofBot,
  },
  lastcall_previous_run_killed: {
    type: 'gauge',
    help: "1 if the bot's previous run was killed; absent with INBOX=postgres://…, with which that is not recorded.",
    labels: ofBot,
  },
  lastcall_bot_state: {
    type: 'gauge',
    help: '1 for the state of the bot: connecting, polling, standing-by, hindered or ended.',
    labels: ['bot', 'state'],
  },
  lastcall_last_poll_timestamp_seconds: {
    type: 'gauge',
    help: 'When Telegram answered the last poll, in seconds since 1970; absent before the first answer.',
    labels: ofBot,
  },
  lastcall_poll_duration_seconds: {
    type: 'histogram',
    help: 'How long polls took that were answered. Telegram answers a quiet poll after POLL_TIMEOUT.',
    labels: ofBot,
    buckets: POLL_BUCKETS,
  },
  lastcall_poll_failures_total: {
    type: 'counter',
    help: 'Calls of polling that failed, each try counted, by class: unreachable, rate-limited, conflict, token-refused, rejected.',
    labels: ['bot', 'class'],
  },
  lastcall_confirm_lag_seconds: {
    type: 'gauge',
    help: 'For how long fetched updates have waited until Telegram is told to forget them; 0 if none wait.',
    labels: ofBot,
  },
  lastcall_updates_fetched_total: {
    type: 'counter',
    help: 'Updates that were fetched from Telegram and accepted.',
    labels: ofBot,
  },
  lastcall_updates_recovered_total: {
    type: 'counter',
    help: 'Updates that earlier runs had left, and dead letters that are tried again.',
    labels: ofBot,
  },
  lastcall_updates_total: {
    type: 'counter',
    help: 'Updates that are done with, by result: handled, caught, failed, timed-out, expired, dropped.',
    labels: ['bot', 'result'],
  },
  lastcall_updates_put_back_total: {
    type: 'counter',
    help: 'How often an update was put back, to be tried again.',
    labels: ofBot,
  },
  lastcall_updates_waiting: {
    type: 'gauge',
    help: 'Updates in the inbox that wait for their handler.',
    labels: ofBot,
  },
  lastcall_oldest_update_age_seconds: {
    type: 'gauge',
    help: 'The age of the oldest update that is not done with; 0 without one, absent where only a database knows.',
    labels: ofBot,
  },
  lastcall_handlers_running: {
    type: 'gauge',
    help: 'Handlers at work.',
    labels: ofBot,
  },
  lastcall_handlers_limit: {
    type: 'gauge',
    help: 'How many handlers of a bot may be at work at once (CONCURRENCY).',
    labels: [],
  },
  lastcall_handlers_hung: {
    type: 'gauge',
    help: 'Handlers that were given up after HANDLER_TIMEOUT and still run.',
    labels: ofBot,
  },
  lastcall_handler_duration_seconds: {
    type: 'histogram',
    help: 'How long handlers took, by the kind of the update.',
    labels: ['bot', 'kind'],
    buckets: HANDLER_BUCKETS,
  },
  lastcall_dispatch_held: {
    type: 'gauge',
    help: '1 while no new handler starts because Telegram is out of reach.',
    labels: ofBot,
  },
  lastcall_jammed_chats: {
    type: 'gauge',
    help: 'Chats in which updates wait for long behind a handler, although slots are free.',
    labels: ofBot,
  },
  lastcall_dead_letters_total: {
    type: 'counter',
    help: 'Updates that were given up, by reason: failed, caught, timed-out, expired, died, cut. They are kept as dead letters, but not with INBOX=memory.',
    labels: ['bot', 'reason'],
  },
  lastcall_dead_letters_dropped_total: {
    type: 'counter',
    help: 'Dead letters that were dropped because of DEAD_LIMIT, DEAD_AGE or their size.',
    labels: ofBot,
  },
  lastcall_dead_letters_kept: {
    type: 'gauge',
    help: 'Dead letters that are kept.',
    labels: ofBot,
  },
  lastcall_inbox_bytes: {
    type: 'gauge',
    help: 'The size of what is written in the journal, without the room that its files have in advance; absent for other inboxes.',
    labels: ofBot,
  },
  lastcall_inbox_sync_duration_seconds: {
    type: 'histogram',
    help: 'How long it took to make safe what was written to the journal (fsync), the wait for the one before included.',
    labels: ofBot,
    buckets: SYNC_BUCKETS,
  },
  nodejs_eventloop_lag_mean_seconds: {
    type: 'gauge',
    help: 'How late the event loop came to its timers since the last scrape, on average.',
    labels: [],
  },
  nodejs_eventloop_lag_p99_seconds: {
    type: 'gauge',
    help: 'The same: 99 % of the times it was at most this late.',
    labels: [],
  },
  nodejs_eventloop_lag_max_seconds: {
    type: 'gauge',
    help: 'The same: the most it was late.',
    labels: [],
  },
  nodejs_heap_size_used_bytes: {
    type: 'gauge',
    help: 'The heap that is in use.',
    labels: [],
  },
  nodejs_heap_size_total_bytes: {
    type: 'gauge',
    help: 'The heap that the process has.',
    labels: [],
  },
  nodejs_external_memory_bytes: {
    type: 'gauge',
    help: 'Memory outside the heap that objects hold, such as buffers.',
    labels: [],
  },
  nodejs_version_info: {
    type: 'gauge',
    help: 'Always 1. The version of Node.js.',
    labels: ['version'],
  },
  process_cpu_seconds_total: {
    type: 'counter',
    help: 'Processor time of the process, in user and in system mode.',
    labels: [],
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory of the process that is resident.',
    labels: [],
  },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'When the process started, in seconds since 1970.',
    labels: [],
  },
  process_open_fds: {
    type: 'gauge',
    help: 'Open file descriptors, sockets among them. Linux only.',
    labels: [],
  },
  process_max_fds: {
    type: 'gauge',
    help: 'How many file descriptors may be open. Linux only.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

type MetricName = keyof typeof metricTable;

/** The labels of a metric, each with its value. */
export type LabelsOf<N extends MetricName> = Readonly<
  Record<(typeof metricTable)[N]['labels'][number], string | number>
>;

export type NameOf<T extends MetricRow['type']> = {
  [N in MetricName]: (typeof metricTable)[N]['type'] extends T ? N : never;
}[MetricName];
