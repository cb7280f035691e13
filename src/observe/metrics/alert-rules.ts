/** Alert rules for Prometheus: what an operator wants to be woken for. `lastcall metrics --rules` prints them. */

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long the expression has to be true. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
  /** What to do. */
  readonly description: string;
}

export const alertRules: readonly AlertRule[] = [
  {
    alert: 'LastcallDown',
    expr: 'up{job="lastcall"} == 0',
    for: '2m',
    severity: 'critical',
    summary: '{{ $labels.instance }} does not answer: the bot is down, or its event loop is blocked',
    description:
      'Look at the last line of its log, which is the receipt of its stop, and at `lastcall status`.',
  },
  {
    alert: 'LastcallNotPolling',
    expr: 'lastcall_bot_state{state=~"connecting|hindered|ended"} == 1',
    for: '5m',
    severity: 'critical',
    summary: 'Bot {{ $labels.bot }} on {{ $labels.instance }} gets no updates: {{ $labels.state }}',
    description: '`lastcall status` names what is in the way. Telegram keeps the updates for a day.',
  },
  {
    alert: 'LastcallUpdatesWait',
    // The age is not known where the inbox is in a database.
    expr: 'lastcall_oldest_update_age_seconds > 300 or lastcall_jammed_chats > 0',
    for: '5m',
    severity: 'warning',
    summary:
      'Updates of bot {{ $labels.bot }} on {{ $labels.instance }} wait for long{{ if gt $value 300.0 }}, the oldest for {{ $value | humanizeDuration }}{{ end }}',
    description:
      'Either a chat jams behind a slow handler (lastcall_jammed_chats), or all slots are busy, or handlers are put back because Telegram is out of reach. With INBOX=postgres://… only jams are noticed.',
  },
  {
    alert: 'LastcallHandlersFail',
    expr: [
      'sum by (job, instance, bot) (rate(lastcall_updates_total{result=~"failed|caught|timed-out|expired"}[15m]))',
      '/ sum by (job, instance, bot) (rate(lastcall_updates_total{result!="dropped"}[15m])) > 0.05',
    ].join(' '),
    for: '10m',
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of the updates of bot {{ $labels.bot }} on {{ $labels.instance }} fail',
    description:
      '`lastcall inbox --dead` lists them with their errors; `lastcall inbox retry` tries them again.',
  },
  {
    alert: 'LastcallRestarts',
    expr: 'changes(process_start_time_seconds{job="lastcall"}[30m]) > 3',
    for: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} has restarted {{ $value }} times within half an hour',
    description:
      'The receipts in its log say why each run ended, and the line after each start whether one was killed.',
  },
];

/** The rules as a file for `rule_files` of Prometheus. */
export function rulesFile(rules: readonly AlertRule[] = alertRules): string {
  const lines = rules.flatMap(({ alert, expr, for: time, severity, summary, description }) => [
    `      - alert: ${alert}`,
    `        expr: ${quoted(expr)}`,
    `        for: ${time}`,
    `        labels: { severity: ${severity} }`,
    '        annotations:',
    `          summary: ${quoted(summary)}`,
    `          description: ${quoted(description)}`,
  ]);
  return ['groups:', '  - name: lastcall', '    rules:', ...lines, ''].join('\n');
}

/** A string of YAML in single quotes, in which nothing but a single quote has a meaning. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
