/** What the dashboard shows, by the questions of an operator: is the bot deaf, what waits, what fails, how is the process. */

/** A query, and what the legend says. */
type Query = readonly [expr: string, legend: string];

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: 'stat' | 'timeseries' | 'state-timeline';
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** Values that are shown in words, or in colours. */
  readonly mappings?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
}

const of = 'job=~"$job", instance=~"$instance", bot=~"$bot"';
export const ofProcess = 'job=~"$job", instance=~"$instance"';
const rate = '$__rate_interval';
const quantile = (share: number, name: string, by: string) =>
  `histogram_quantile(${share}, sum by (le, ${by}) (rate(${name}_bucket{${of}}[${rate}])))`;

/** The figures of the states, the worst highest. */
const states = { polling: 0, 'standing-by': 1, connecting: 2, hindered: 3, ended: 4 } as const;
const stateFigure = Object.entries(states)
  .map(([state, figure]) => `${figure} * (lastcall_bot_state{${of}, state="${state}"} == 1)`)
  .map((term) => `sum by (instance, bot) (${term})`)
  .join(' or ');

export const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Is it deaf?',
    [
      {
        title: 'State of the bots',
        type: 'state-timeline',
        unit: 'none',
        width: 12,
        queries: [[stateFigure, '{{instance}} {{bot}}']],
        mappings: {
          [states.polling]: { text: 'polling', color: 'green' },
          [states['standing-by']]: { text: 'standing by', color: 'blue' },
          [states.connecting]: { text: 'connecting', color: 'yellow' },
          [states.hindered]: { text: 'hindered', color: 'orange' },
          [states.ended]: { text: 'ended', color: 'red' },
        },
      },
      {
        title: 'Since the last poll',
        description: 'A quiet poll takes up to 50 s.',
        type: 'timeseries',
        unit: 's',
        width: 6,
        queries: [[`time() - lastcall_last_poll_timestamp_seconds{${of}}`, '{{instance}} {{bot}}']],
      },
      {
        title: 'Failed calls of polling',
        type: 'timeseries',
        unit: 'cps',
        width: 6,
        queries: [
          [
            `sum by (instance, bot, class) (rate(lastcall_poll_failures_total{${of}}[${rate}])) > 0`,
            '{{bot}} {{class}}',
          ],
        ],
      },
    ],
  ],
  [
    'What waits?',
    [
      {
        title: 'Updates',
        type: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          [`lastcall_updates_waiting{${of}}`, '{{bot}} waiting'],
          [`lastcall_handlers_running{${of}}`, '{{bot}} running'],
        ],
      },
      {
        title: 'Age of the oldest update',
        type: 'timeseries',
        unit: 's',
        width: 8,
        queries: [[`lastcall_oldest_update_age_seconds{${of}}`, '{{instance}} {{bot}}']],
      },
      {
        title: 'Jams, holds and confirms',
        description:
          'Chats that jam; 1 while no handler starts because Telegram is out of reach; how long fetched updates wait until Telegram is told to forget them.',
        type: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          [`lastcall_jammed_chats{${of}}`, '{{bot}} jammed chats'],
          [`lastcall_dispatch_held{${of}}`, '{{bot}} held'],
          [`lastcall_confirm_lag_seconds{${of}}`, '{{bot}} confirm lag, s'],
        ],
      },
    ],
  ],
  [
    'What becomes of updates?',
    [
      {
        title: 'Done with, by result',
        type: 'timeseries',
        unit: 'cps',
        width: 8,
        queries: [
          [`sum by (result) (rate(lastcall_updates_total{${of}}[${rate}]))`, '{{result}}'],
          [`sum (rate(lastcall_updates_fetched_total{${of}}[${rate}]))`, 'fetched'],
          [`sum (rate(lastcall_updates_put_back_total{${of}}[${rate}]))`, 'put back'],
        ],
      },
      {
        title: 'Time of handlers',
        type: 'timeseries',
        unit: 's',
        width: 8,
        queries: [
          [quantile(0.5, 'lastcall_handler_duration_seconds', 'kind'), '{{kind}}, half within'],
          [quantile(0.99, 'lastcall_handler_duration_seconds', 'kind'), '{{kind}}, 99 % within'],
        ],
      },
      {
        title: 'Given up, by reason',
        type: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          [`sum by (reason) (increase(lastcall_dead_letters_total{${of}}[${rate}]))`, '{{reason}}'],
          [`sum (lastcall_dead_letters_kept{${of}})`, 'kept'],
        ],
      },
    ],
  ],
  [
    'How is the process?',
    [
      {
        title: 'Up for',
        type: 'stat',
        unit: 's',
        width: 4,
        queries: [[`time() - process_start_time_seconds{${ofProcess}}`, '{{instance}}']],
      },
      {
        title: 'Last start and stop',
        type: 'stat',
        unit: 's',
        width: 4,
        queries: [
          [`lastcall_start_duration_seconds{${ofProcess}}`, 'start'],
          [`lastcall_previous_stop_duration_seconds{${of}}`, 'stop before'],
        ],
      },
      {
        title: 'Processor, and lag of the event loop',
        type: 'timeseries',
        unit: 's',
        width: 8,
        queries: [
          [`rate(process_cpu_seconds_total{${ofProcess}}[${rate}])`, '{{instance}} processor, s each s'],
          [`nodejs_eventloop_lag_p99_seconds{${ofProcess}}`, '{{instance}} lag, 99 % within'],
        ],
      },
      {
        title: 'Memory',
        type: 'timeseries',
        unit: 'bytes',
        width: 8,
        queries: [
          [`process_resident_memory_bytes{${ofProcess}}`, '{{instance}} resident'],
          [`nodejs_heap_size_used_bytes{${ofProcess}}`, '{{instance}} heap'],
        ],
      },
      {
        title: 'Journal on disk',
        type: 'timeseries',
        unit: 'bytes',
        width: 12,
        queries: [[`lastcall_inbox_bytes{${of}}`, '{{instance}} {{bot}}']],
      },
      {
        title: 'Time of syncs of the journal',
        type: 'timeseries',
        unit: 's',
        width: 12,
        queries: [
          [quantile(0.5, 'lastcall_inbox_sync_duration_seconds', 'instance'), '{{instance}}, half within'],
          [quantile(0.99, 'lastcall_inbox_sync_duration_seconds', 'instance'), '{{instance}}, 99 % within'],
        ],
      },
    ],
  ],
];
