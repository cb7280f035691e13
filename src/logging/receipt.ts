/** The receipt: the last line of a run, which says how it ended and what was done. */
import { ExitCode } from '../exit-code.js';
import type { Outcome, Phase } from '../lifecycle/outcome.js';
import { count, durationInWords } from '../words.js';
import { reasonFields } from './events/lifecycle.js';
import type { Level } from './events/row.js';
import type { EventLog } from './events.js';
import { lineFields, roundedMs } from './line-fields.js';

/** What a run came to, in updates. */
export interface ReceiptCounts {
  readonly fetched: number;
  /** Left by earlier runs, or dead letters that were tried again. */
  readonly recovered: number;
  readonly handled: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Given up, or dropped on request. */
  readonly dropped: number;
  /** Accepted but not settled: the next run handles them. */
  readonly left: number;
  /** Those of them, or beside them, that the next run may handle a second time. */
  readonly mayRepeat: number;
  /** The id of the newest update that Telegram was told to forget; undefined if none was, or there were several bots. */
  readonly confirmedUpTo: number | undefined;
}

/** Everything in order; something was cut off or failed; or the program itself was at fault. */
export type Verdict = 'clean' | 'cut' | 'fault';

export function verdictOf({ clean, exitCode }: Pick<Outcome, 'clean' | 'exitCode'>): Verdict {
  if (exitCode === ExitCode.fault) return 'fault';
  return clean ? 'clean' : 'cut';
}

/** Writes the receipt, at `info` if all went well, else louder. */
export function logReceipt(log: EventLog, outcome: Outcome, counts: ReceiptCounts): void {
  const { reason, exitCode, durationMs, stopDurationMs, phases } = outcome;
  const verdict = verdictOf(outcome);
  const fields = {
    event: 'lifecycle.stopped',
    ...reasonFields(reason),
    outcome: verdict,
    exitCode,
    durationMs,
    stopDurationMs,
    counts,
    phases: phases.map(phaseFields),
  };
  log[levelOf(verdict, exitCode)](lineFields(fields), receiptMessage(outcome, counts));
}

/** What had to end the run is an error; what was merely cut off at its end, a warning. */
function levelOf(verdict: Verdict, exitCode: number): Level {
  if (verdict === 'cut' && exitCode <= ExitCode.cut) return 'warn';
  return exitCode === ExitCode.clean ? 'info' : 'error';
}

function phaseFields(phase: Phase): object {
  const { hook, step, result, durationMs } = phase;
  const error = 'error' in phase ? { error: phase.error.message } : undefined;
  return { hook, step, result, durationMs: roundedMs(durationMs), ...error };
}

function receiptMessage(outcome: Outcome, counts: ReceiptCounts): string {
  const { reason, exitCode, durationMs, stopDurationMs } = outcome;
  const how = reason.kind === 'start-failed' ? 'Could not start' : endings[verdictOf(outcome)];
  return [
    `${how} (${reason.message}), exit code ${exitCode}`,
    `up ${durationInWords(durationMs)}, the stop took ${durationInWords(stopDurationMs)}`,
    countsInWords(counts),
  ].join('; ');
}

const endings: Readonly<Record<Verdict, string>> = {
  clean: 'Stopped cleanly',
  cut: 'Stopped, not cleanly',
  fault: 'Stopped by a fault',
};

/** The updates; what is zero and would be bad news goes unsaid. */
function countsInWords(counts: ReceiptCounts): string {
  const { fetched, recovered, handled, failed, timedOut, dropped, left, mayRepeat } = counts;
  const further = [
    [failed, 'failed'],
    [timedOut, 'timed out'],
    [dropped, 'dropped'],
    [left, 'left for the next run'],
    [mayRepeat, 'may come twice'],
  ] as const;
  const told = further.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const came = [`${count(fetched, 'update')} fetched`];
  if (recovered > 0) came.push(`${recovered} from earlier runs`);
  return [...came, `${handled} handled`, ...told].join(', ');
}
