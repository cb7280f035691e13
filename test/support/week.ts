/** The records of a made-up week of a bot: what its operators do to it, and what happens to it. */
import type { BotHistory } from '../../src/cli/history/read.js';
import { nameIn, runsOf } from '../../src/cli/history/runs.js';
import type {
  BegunRecord,
  EndedRecord,
  HandlerSample,
  HistoryRecord,
  PreviousEnd,
  StepRecord,
} from '../../src/observe/history/record.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A Sunday afternoon: the week ends here. */
export const WEEK_END_MS = Date.UTC(2026, 10, 29, 16, 20);
export const WEEK_BEGIN_MS = WEEK_END_MS - 7 * DAY_MS;

/** Monday is day 1 of this week. */
const at = (day: number, hour: number, minute = 0): number => Date.UTC(2026, 10, 22 + day, hour, minute);

type End = (run: Pick<BegunRecord, 'run' | 'atMs'>) => readonly HistoryRecord[];

interface PlannedRun {
  readonly fromMs: number;
  readonly toMs: number;
  readonly end?: End;
  /** What the next run finds of one that has left no receipt. */
  readonly leaves?: (pid: number) => PreviousEnd;
}

interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

const outages: readonly Outage[] = [
  { fromMs: at(4, 20, 10), toMs: at(4, 20, 34) },
  { fromMs: at(6, 9, 2), toMs: at(6, 9, 5) },
];

const done = (hook: string, afterMs: number, durationMs: number, limitMs: number): StepRecord => ({
  ...{ hook, step: 'stop', result: 'done', afterMs, durationMs, limitMs },
});

const cleanSteps: readonly StepRecord[] = [
  done('intake', 0.4, 31, 90_000),
  done('drain', 32, 840, 60_000),
  done('database', 873, 122, 89_000),
  done('bot', 996, 4, 89_000),
];

const cutSteps: readonly StepRecord[] = [
  done('intake', 0.4, 12, 20_000),
  done('drain', 13, 4_210, 13_000),
  {
    ...{ hook: 'database', step: 'stop', result: 'cut', afterMs: 4_224, durationMs: 14_500, limitMs: 14_500 },
    error: 'the stop of "database" did not end within 14500 ms',
  },
  done('bot', 18_726, 3, 1_200),
];

function receipt(
  atMs: number,
  budgetMs: number,
  given: Pick<EndedRecord, 'reason' | 'reasonKind' | 'outcome' | 'exitCode' | 'steps' | 'stopMs'>,
): End {
  return ({ run, atMs: beganMs }) => [
    { kind: 'stopping', run, atMs: atMs - given.stopMs, reason: given.reason, budgetMs },
    { kind: 'ended', run, atMs, upMs: atMs - beganMs, counts: {}, ...given },
  ];
}

const clean = (atMs: number): End =>
  receipt(atMs, 90_000, {
    ...{ reason: 'SIGTERM', reasonKind: 'signal', outcome: 'clean', exitCode: 0 },
    ...{ steps: cleanSteps, stopMs: 1_000 },
  });

const cut = (atMs: number): End =>
  receipt(atMs, 20_000, {
    ...{ reason: 'SIGTERM', reasonKind: 'signal', outcome: 'cut', exitCode: 1 },
    ...{ steps: cutSteps, stopMs: 18_730 },
  });

const fault = (atMs: number): End =>
  receipt(atMs, 90_000, {
    ...{ reasonKind: 'fault', outcome: 'fault', exitCode: 70, steps: cleanSteps.slice(0, 2), stopMs: 900 },
    reason: "uncaught exception: Cannot read properties of undefined (reading 'price')",
  });

const advice =
  "by systemd, if its event loop was blocked (the watchdog, or a stop); otherwise by kill -9, by the kernel when memory ran out, or by a crash of Node itself; the unit's log (`journalctl -u NAME`) or the kernel's (`journalctl -k`, `dmesg`) may say more";

const killed =
  (sinceMs: number, machineRestarted = false) =>
  (pid: number): PreviousEnd => ({
    ...{ pid, phase: 'running', sinceMs },
    killed: { machineRestarted, advice: machineRestarted ? 'the machine was restarted' : advice },
  });

function plan(): readonly PlannedRun[] {
  const stopped = (fromMs: number, toMs: number, end = clean(toMs)): PlannedRun => ({ fromMs, toMs, end });
  const loop = Array.from({ length: 5 }, (_, index) => {
    const fromMs = at(5, 14, 5) + index * 20_000;
    return stopped(fromMs, fromMs + 6_000, fault(fromMs + 6_000));
  });
  return [
    { fromMs: WEEK_BEGIN_MS, toMs: at(1, 4, 58), leaves: killed(WEEK_BEGIN_MS, true) },
    stopped(at(1, 5, 3), at(2, 10, 31)),
    { fromMs: at(2, 10, 31) + 2_400, toMs: at(3, 3, 12), leaves: killed(at(2, 10, 31)) },
    stopped(at(3, 3, 12) + 31_000, at(4, 11, 45)),
    stopped(at(4, 11, 45) + 1_900, at(5, 14, 4), fault(at(5, 14, 4))),
    ...loop,
    stopped(at(5, 14, 21), at(6, 11, 2), cut(at(6, 11, 2))),
    { fromMs: at(6, 11, 2) + 2_100, toMs: WEEK_END_MS },
  ];
}

/** The week as `lastcall history` has it of its files. */
export function week(name?: string): BotHistory {
  const records = weekOfRecords();
  const runs = runsOf(records, () => ({ kind: 'running' }), WEEK_END_MS);
  const folder = '/var/lib/lastcall/123456789';
  return { key: '123456789', folder, name: name ?? nameIn(records), runs, failedStarts: [] };
}

export function weekOfRecords(): readonly HistoryRecord[] {
  const random = seededRandom(16);
  const runs = plan();
  return runs.flatMap(({ fromMs, toMs, end }, index) => {
    const pid = 4_000 + index * 37;
    const run = `${pid}-week`;
    const previous = runs[index - 1];
    const begun: BegunRecord = {
      ...{ kind: 'begun', run, atMs: fromMs, pid, supervisor: 'systemd' },
      ...(previous?.leaves && { previous: previous.leaves(pid - 37) }),
    };
    const within = outages.filter((outage) => outage.fromMs > fromMs && outage.toMs < toMs);
    const states: readonly HistoryRecord[] = [
      { kind: 'state', run, atMs: Math.min(toMs, fromMs + 900), state: 'polling', name: '@corner_shop_bot' },
      ...within.flatMap((outage): HistoryRecord[] => [
        { kind: 'state', run, atMs: outage.fromMs, state: 'hindered', why: 'Telegram unreachable' },
        { kind: 'state', run, atMs: outage.toMs, state: 'polling', gapMs: outage.toMs - outage.fromMs },
      ]),
    ];
    const samples = samplesOf(run, fromMs, toMs, within, random);
    const all = [...states, ...samples].sort((a, b) => a.atMs - b.atMs);
    return [begun, ...all, ...(end?.(begun) ?? [])];
  });
}

function samplesOf(
  run: string,
  fromMs: number,
  toMs: number,
  within: readonly Outage[],
  random: () => number,
): readonly HistoryRecord[] {
  const samples: HistoryRecord[] = [];
  let [handled, failed, waiting] = [0, 0, 0];
  for (let atMs = fromMs + MINUTE_MS; atMs <= toMs; atMs += MINUTE_MS) {
    const isOut = within.some((outage) => atMs >= outage.fromMs && atMs < outage.toMs);
    const hour = (atMs % DAY_MS) / HOUR_MS;
    const came = Math.floor((18 + 16 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)) * random() * 2);
    // After an outage Telegram delivers what it has kept, faster than the handlers work.
    const backlog = within.some((outage) => atMs >= outage.toMs && atMs < outage.toMs + 2 * MINUTE_MS)
      ? 300
      : 0;
    // Before the kernel killed it, its memory and its handlers had grown for hours.
    const strain = atMs > at(2, 22) && atMs < at(3, 3, 13) ? 1 + (atMs - at(2, 22)) / HOUR_MS : 1;
    waiting = isOut
      ? waiting
      : Math.max(0, Math.floor(waiting * 0.4 + backlog + (strain > 3 ? came * (strain - 2) : 0)));
    const broken = Math.floor(random() * 1.02);
    handled += isOut ? 0 : came + (backlog > 0 ? 280 : 0);
    failed += isOut ? 0 : broken;
    const handlers: HandlerSample = {
      count: came * 5,
      medianMs: Math.round((35 + random() * 12) * strain),
      p99Ms: Math.round((240 + random() * 380) * strain ** 2),
    };
    samples.push({
      ...{
        kind: 'sample',
        run,
        atMs,
        state: isOut ? 'hindered' : 'polling',
        waiting,
        running: 1,
        handled,
        failed,
      },
      ...(came > 0 && !isOut && { handlers }),
    });
  }
  return samples;
}
