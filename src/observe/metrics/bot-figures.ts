/** Shows what is known of the bots at a moment as metrics. Nothing is counted here. */
import type { BotMeters } from '../../bots-gauges.js';
import type { DeadReason } from '../../inbox/inbox.js';
import { pollingStates, type StatusReport } from '../status/report.js';
import type { MetricStore } from './store.js';
import type { LabelsOf, NameOf } from './table.js';

export interface BotFigures {
  readonly report: StatusReport;
  /** Undefined before the bot is launched. */
  readonly meters: BotMeters | undefined;
  /** How long the stop of the previous run took, in milliseconds; undefined if it did not end by one. */
  readonly previousStopMs: number | undefined;
}

export interface Conditions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The bots of which no new handler starts. */
  readonly held: ReadonlySet<number>;
  /** The bots whose previous runs were killed. */
  readonly killed: ReadonlySet<number>;
  /** The bots that have ended because they cannot be polled any more, and were not launched again. */
  readonly failed: ReadonlySet<number>;
  /** How many dead letters a bot has had since the process started. */
  deadOf(bot: number): Readonly<Record<DeadReason, number>>;
}

/** The metrics that have the bot as their only label. */
type OfBot = {
  [N in NameOf<'counter' | 'gauge'>]: keyof LabelsOf<N> extends 'bot'
    ? 'bot' extends keyof LabelsOf<N>
      ? N
      : never
    : never;
}[NameOf<'counter' | 'gauge'>];

/** The results of updates as the label says them, each with the name of its count. */
const results = {
  handled: 'handled',
  caught: 'caught',
  failed: 'failed',
  'timed-out': 'timedOut',
  expired: 'expired',
  dropped: 'dropped',
} as const;

/** Brings the metrics of the bots up to date. Those of bots that have ended go, except that one has failed. */
export function showBots(store: MetricStore, bots: readonly BotFigures[], conditions: Conditions): void {
  const { now, held, killed, failed, deadOf } = conditions;
  const each = (name: OfBot, pick: (figures: BotFigures) => number | undefined) =>
    store.show(
      name,
      bots.flatMap((figures) => {
        const value = pick(figures);
        return value === undefined ? [] : [[{ bot: figures.report.bot }, value] as const];
      }),
    );

  // A bot that has failed has no report any more, and its absence would alarm nobody.
  const current = new Map([...failed].map((bot): [number, string] => [bot, 'ended']));
  for (const { report } of bots) current.set(report.bot, report.polling.state);
  store.show(
    'lastcall_bot_state',
    [...current].flatMap(([bot, itsState]) =>
      pollingStates.map((state) => [{ bot, state }, state === itsState ? 1 : 0] as const),
    ),
  );
  const stopMs = bots.find(({ report }) => report.stop)?.report.stop?.budgetMs;
  store.show('lastcall_stop_budget_seconds', stopMs === undefined ? [] : [[{}, stopMs / 1e3]]);
  each('lastcall_previous_stop_duration_seconds', ({ previousStopMs }) => inSeconds(previousStopMs));
  // Nobody takes down how a run ends that shares its bot with others.
  each('lastcall_previous_run_killed', ({ report: { bot, inbox } }) =>
    inbox.kind === 'postgres' ? undefined : killed.has(bot) ? 1 : 0,
  );

  each('lastcall_last_poll_timestamp_seconds', ({ report: { polling } }) =>
    inSeconds(polling.lastPoll && now - polling.lastPoll.agoMs),
  );
  store.show(
    'lastcall_poll_failures_total',
    bots.flatMap(({ report: { bot }, meters }) =>
      Object.entries(meters?.pollFailures ?? {}).map(
        ([name, calls]) => [{ bot, class: name }, calls] as const,
      ),
    ),
  );
  each('lastcall_confirm_lag_seconds', ({ meters }) => inSeconds(meters?.confirmLagMs));

  each('lastcall_updates_fetched_total', ({ meters }) => meters?.counts.fetched);
  each('lastcall_updates_recovered_total', ({ meters }) => meters?.counts.recovered);
  store.show(
    'lastcall_updates_total',
    bots.flatMap(({ report: { bot }, meters }) =>
      Object.entries(results).map(([result, name]) => [{ bot, result }, meters?.counts[name] ?? 0] as const),
    ),
  );
  each('lastcall_updates_put_back_total', ({ meters }) => meters?.counts.putBack);
  each('lastcall_updates_waiting', ({ report: { counts } }) => counts.waiting);
  each('lastcall_oldest_update_age_seconds', ({ report: { counts, inbox } }) =>
    counts.waiting + counts.running === 0 ? 0 : inSeconds(inbox.oldestMs),
  );
  each('lastcall_handlers_running', ({ report: { counts } }) => counts.running);
  each('lastcall_handlers_hung', ({ meters }) => meters?.hung);
  each('lastcall_dispatch_held', ({ report }) => (held.has(report.bot) ? 1 : 0));
  each('lastcall_jammed_chats', ({ report }) => report.jams.length);

  store.show(
    'lastcall_dead_letters_total',
    bots.flatMap((figures) =>
      Object.entries(givenUp(figures, deadOf)).map(
        ([reason, letters]) => [{ bot: figures.report.bot, reason }, letters] as const,
      ),
    ),
  );
  each('lastcall_dead_letters_dropped_total', ({ meters }) => meters?.counts.deadDropped);
  each('lastcall_dead_letters_kept', ({ report: { counts } }) => counts.dead);
  each('lastcall_inbox_bytes', ({ meters }) => meters?.inboxBytes);
}

/**
 * Each reason from 0 on: a counter that begins with 1 hides the first update from those who look at its increase. The memory
 * inbox keeps no dead letters, and tells only what became of the updates.
 */
function givenUp(
  { report: { bot, inbox }, meters }: BotFigures,
  deadOf: Conditions['deadOf'],
): Readonly<Record<DeadReason, number>> {
  if (inbox.kind !== 'memory') return deadOf(bot);
  const { failed = 0, caught = 0, timedOut = 0, expired = 0 } = meters?.counts ?? {};
  return { failed, caught, 'timed-out': timedOut, expired, died: 0, cut: 0 };
}

const inSeconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1e3);
