/** Writes the receipt: the last log line of a run, which says how the run ended and what it did. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Receipt } from '../host/run-record.js';
import type { Outcome, Phase } from '../lifecycle/outcome.js';
import type { StopReason } from '../lifecycle/stop-reason.js';
import { count, durationInWords, firstFew } from '../words.js';
import { reasonFields } from './events/lifecycle.js';
import type { Level } from './events/row.js';
import type { EventLog } from './events.js';
import { lineFields, roundedMs } from './line-fields.js';

/**
 * The numbers of updates that a run has fetched, handled and left. Every update is counted once on each side of
 * fetched + recovered = handled + caught + failed + timedOut + expired + dropped + left.
 */
export interface ReceiptCounts {
  readonly fetched: number;
  /** Updates left by earlier runs, and dead letters that were retried. */
  readonly recovered: number;
  readonly handled: number;
  /** Updates whose handler failed, and whose error `bot.catch` took. */
  readonly caught: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Updates that were put back until they were too old to be answered. */
  readonly expired: number;
  /** Updates that were given up, or dropped on request. */
  readonly dropped: number;
  /** Updates accepted but not settled, which the next run handles. */
  readonly left: number;
  /** Updates that the next run may handle a second time. */
  readonly mayRepeat: number;
  /** How often an update was put back, to be tried again. */
  readonly putBack: number;
  /** Dead letters, of this run or earlier ones, that were dropped because they were too many, too old or too large. */
  readonly deadDropped: number;
  /** The id of the newest update confirmed to Telegram; undefined if there is none, or if there were several bots. */
  readonly confirmedUpTo: number | undefined;
}

/** `cut`: something was cut off or failed. `fault`: the program itself failed. */
export type Verdict = 'clean' | 'cut' | 'fault';

export function verdictOf({ clean, exitCode }: Pick<Outcome, 'clean' | 'exitCode'>): Verdict {
  if (exitCode === ExitCode.fault) return 'fault';
  return clean ? 'clean' : 'cut';
}

/**
 * Writes the receipt, at level `info` after a clean stop, otherwise at a higher level.
 *
 * @param failures the errors of the bots that ended while others went on, by the bots' ids
 */
export function logReceipt(
  log: EventLog,
  outcome: Outcome,
  counts: ReceiptCounts,
  failures: ReadonlyMap<number, LastcallError> = new Map(),
): void {
  const { reason, exitCode, durationMs, stopDurationMs, phases } = outcome;
  const verdict = verdictOf(outcome);
  const fields = {
    event: 'lifecycle.stopped',
    ...reasonFields(reason, 'told'),
    outcome: verdict,
    exitCode,
    durationMs,
    stopDurationMs,
    counts,
    ...(failures.size > 0 && { failedBots: [...failures].map(([bot, { code }]) => ({ bot, code })) }),
    phases: phases.map(phaseFields),
  };
  const level = levelOf(verdict, exitCode);
  const message = receiptMessage(outcome, counts, failures);
  log[failures.size > 0 && level === 'info' ? 'warn' : level](lineFields(fields), message);
}

/** Returns `error` if the run had to end, and `warn` if something was cut off at its end. */
function levelOf(verdict: Verdict, exitCode: number): Level {
  if (verdict === 'cut' && exitCode <= ExitCode.cut) return 'warn';
  return exitCode === ExitCode.clean ? 'info' : 'error';
}

function phaseFields(phase: Phase): object {
  const { hook, step, result, durationMs } = phase;
  const error = 'error' in phase ? { error: phase.error.message } : undefined;
  return { hook, step, result, durationMs: roundedMs(durationMs), ...error };
}

/** Returns the receipt as it is kept for the next run, with secrets masked. */
export function receiptRecord(
  outcome: Outcome,
  counts: ReceiptCounts,
  failures: ReadonlyMap<number, LastcallError>,
  redact: (text: string) => string,
): Receipt {
  return {
    reason: redact(outcome.reason.message),
    outcome: verdictOf(outcome),
    counts: { ...counts },
    words: redact(receiptMessage(outcome, counts, failures)),
  };
}

function receiptMessage(
  outcome: Outcome,
  counts: ReceiptCounts,
  failures: ReadonlyMap<number, LastcallError>,
): string {
  const { reason, exitCode, durationMs, stopDurationMs } = outcome;
  const how = reason.kind === 'start-failed' ? 'Could not start' : endings[verdictOf(outcome)];
  return [
    `${how}${isTold(reason) ? '' : ` (${reason.message})`}, exit code ${exitCode}`,
    `up ${durationInWords(durationMs)}, the stop took ${durationInWords(stopDurationMs)}`,
    countsInWords(counts),
    ...(failures.size > 0 ? [failuresInWords(failures)] : []),
  ].join('; ');
}

/** Whether an earlier line (`hook.failed`) has told the reason in full. A hook that is cut off has no error of its own. */
function isTold({ kind, cause }: StopReason): boolean {
  return kind === 'start-failed' && !(cause instanceof LastcallError && cause.code === 'HOOK_TIMED_OUT');
}

function failuresInWords(failures: ReadonlyMap<number, LastcallError>): string {
  const bots = [...failures].map(([bot, { code }]) => `${bot} (${code})`);
  return `${count(bots.length, 'bot')} had ended before: ${firstFew(bots)}`;
}

const endings: Readonly<Record<Verdict, string>> = {
  clean: 'Stopped cleanly',
  cut: 'Stopped, not cleanly',
  fault: 'Stopped by a fault',
};

function countsInWords(counts: ReceiptCounts): string {
  const { fetched, recovered, handled, caught, failed, timedOut, expired, dropped } = counts;
  const { left, mayRepeat, putBack, deadDropped } = counts;
  const further = [
    [caught, 'caught'],
    [failed, 'failed'],
    [timedOut, 'timed out'],
    [expired, 'expired'],
    [dropped, 'dropped'],
    [left, 'left for the next run'],
    [mayRepeat, 'may come twice'],
    [putBack, 'put back'],
    [deadDropped, 'dead dropped'],
  ] as const;
  const nonZero = further.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const came = [`${count(fetched, 'update')} fetched`];
  if (recovered > 0) came.push(`${recovered} from earlier runs`);
  return [...came, `${handled} handled`, ...nonZero].join(', ');
}
