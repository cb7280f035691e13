/** What a span of a bot's history comes to. */
import { severityOf } from './end-words.js';
import type { Run, Stretch } from './runs.js';

/** A time in which nothing polled, or something kept the bot from polling. */
export interface Outage {
  readonly why: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Summary {
  /** Of the time since the first run began, or is known, the share in which the bot polled, from 0 to 1; undefined without any time. */
  readonly polledShare: number | undefined;
  /** Runs that began after another one. */
  readonly restarts: number;
  /** Runs that were killed, ended by a fault, or by an error that ends them. */
  readonly bad: number;
  /** Runs in whose stop something was cut off or failed. */
  readonly cut: number;
  readonly outages: readonly Outage[];
  readonly handled: number;
  readonly failed: number;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const hasPolled = ({ state }: Stretch): boolean => state === 'polling' || state === 'standing-by';

/** The runs that were alive within the span. */
export const runsWithin = (runs: readonly Run[], { fromMs, toMs }: Span): readonly Run[] =>
  runs.filter(({ beganMs, end }) => end.toMs >= fromMs && beganMs <= toMs);

export function summaryOf(runs: readonly Run[], span: Span): Summary {
  const within = runsWithin(runs, span);
  const fromMs = Math.max(span.fromMs, runs[0]?.stretches[0]?.fromMs ?? span.toMs);
  const stretches = within.flatMap((run) => run.stretches);
  const polledMs = stretches.filter(hasPolled).reduce((sum, one) => sum + overlapMs(one, span), 0);
  const counts = within.map((run) => countsWithin(run, span));
  const ended = within.filter(({ end }) => end.toMs <= span.toMs);
  return {
    polledShare: span.toMs > fromMs ? Math.min(1, polledMs / (span.toMs - fromMs)) : undefined,
    restarts: within.filter((run) => run !== runs[0] && run.beganMs >= span.fromMs).length,
    bad: ended.filter((run) => severityOf(run) === 'bad').length,
    cut: ended.filter((run) => severityOf(run) === 'cut').length,
    outages: outagesIn(within).filter((outage) => overlapMs(outage, span) > 0),
    handled: counts.reduce((sum, { handled }) => sum + handled, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** What kept the bot from polling while it ran. Stretches that touch are one outage. */
export function outagesIn(runs: readonly Run[]): readonly Outage[] {
  const outages: Outage[] = [];
  for (const { stretches } of runs)
    for (const { state, why = 'not polling', fromMs, toMs } of stretches) {
      if (state !== 'hindered') continue;
      const last = outages.at(-1);
      if (last?.toMs === fromMs && last.why === why) outages[outages.length - 1] = { ...last, toMs };
      else outages.push({ why, fromMs, toMs });
    }
  return outages;
}

/** The updates that a run has handled within the span, as far as its samples tell. */
function countsWithin(
  { samples, beganMs }: Run,
  { fromMs, toMs }: Span,
): { handled: number; failed: number } {
  // The samples of the time before the span may not be kept any more.
  const before = samples.findLast(({ atMs }) => atMs < fromMs) ?? (beganMs < fromMs ? samples[0] : undefined);
  const last = samples.findLast(({ atMs }) => atMs <= toMs);
  if (!last) return { handled: 0, failed: 0 };
  return {
    handled: last.handled - (before?.handled ?? 0),
    failed: last.failed - (before?.failed ?? 0),
  };
}

const overlapMs = (a: Span, b: Span): number =>
  Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
