/** How a run has ended, in plain words. */
import { ExitCode } from '../../exit-code.js';
import type { EndedRecord, StepRecord } from '../../observe/history/record.js';
import { durationInWords } from '../../words.js';
import type { Run } from './runs.js';

/** How much an end matters: as it should be, something was cut off, or something went wrong. */
export type Severity = 'fine' | 'cut' | 'bad';

export function severityOf({ end }: Pick<Run, 'end'>): Severity {
  switch (end.kind) {
    case 'running':
      return 'fine';
    case 'receipt':
      return severityOfExit(end.receipt.exitCode, end.receipt.outcome);
    case 'stopped':
      return severityOfExit(end.exitCode ?? ExitCode.clean, 'clean');
    case 'killed':
      return 'bad';
    case 'unknown':
      return 'cut';
  }
}

function severityOfExit(exitCode: number, outcome: EndedRecord['outcome']): Severity {
  if (outcome === 'fault' || exitCode > ExitCode.cut) return 'bad';
  return outcome === 'clean' && exitCode === ExitCode.clean ? 'fine' : 'cut';
}

/** In two or three words, for a mark in a picture. */
export function endInShort({ end }: Pick<Run, 'end'>): string {
  switch (end.kind) {
    case 'running':
      return 'running';
    case 'killed':
      return end.machineRestarted ? 'machine restarted' : 'killed';
    case 'unknown':
      return 'end unknown';
    case 'stopped':
      return end.exitCode ? `exit ${end.exitCode}` : 'stopped';
    case 'receipt': {
      const { exitCode, outcome, reason, reasonKind } = end.receipt;
      if (reasonKind === 'bot-ended') return `bot alone: ${reason}`;
      if (reasonKind === 'start-failed') return `could not start, exit ${exitCode}`;
      if (outcome === 'fault') return `fault, exit ${exitCode}`;
      if (exitCode > ExitCode.cut) return `exit ${exitCode}`;
      return outcome === 'clean' ? 'clean stop' : 'stop cut off';
    }
  }
}

/** In a sentence without its full stop: `SIGTERM, clean in 1.2 s`, `killed from outside, without a stop`. */
export function endInWords(run: Pick<Run, 'end' | 'stopping'>): string {
  const { end, stopping } = run;
  switch (end.kind) {
    case 'running':
      return stopping ? `stopping (${stopping.reason})` : 'still running';
    case 'receipt':
      return receiptInWords(end.receipt);
    case 'stopped': {
      const exit = end.exitCode === undefined ? '' : `, exit ${end.exitCode}`;
      return `${stopping?.reason ?? 'stopped'}${exit}; its receipt is lost`;
    }
    case 'killed':
      return killInWords(end, stopping);
    case 'unknown':
      return 'no word of its end';
  }
}

function receiptInWords({ reason, reasonKind, outcome, exitCode, stopMs, steps }: EndedRecord): string {
  const exit = exitCode === ExitCode.clean ? '' : `, exit ${exitCode}`;
  if (reasonKind === 'bot-ended') return `this bot alone: ${reason}`;
  if (reasonKind === 'start-failed') return `could not start: ${reason}${exit}`;
  if (outcome === 'fault') return `fault: ${reason}${exit}`;
  const took = durationInWords(stopMs);
  if (outcome === 'clean') return `${reason}, clean in ${took}${exit}`;
  const what = steps.filter(({ step }) => step === 'stop').flatMap(mishapInWords);
  return `${reason}, not clean: ${what.length > 0 ? what.join(', ') : `cut off after ${took}`}${exit}`;
}

function mishapInWords({ hook, result, durationMs, error }: StepRecord): readonly string[] {
  if (result === 'cut') return [`${hook} cut off after ${durationInWords(durationMs)}`];
  // What stands behind a semicolon names updates and the like.
  const why = error === undefined ? '' : ` (${error.split(';', 1)[0]})`;
  return result === 'failed' ? [`${hook} failed${why}`] : [];
}

function killInWords(
  { phase, hook, machineRestarted }: Extract<Run['end'], { kind: 'killed' }>,
  stopping: Run['stopping'],
): string {
  if (machineRestarted) return 'cut off, as the machine was restarted';
  switch (phase) {
    case 'starting':
      return `killed from outside, in the start${hook === undefined ? '' : ` of ${hook}`}`;
    case 'draining':
    case 'stopping':
      return `killed from outside, in the ${where(phase, hook)}${stopping ? ` after ${stopping.reason}` : ''}`;
    default:
      return 'killed from outside, without a stop';
  }
}

const where = (phase: 'draining' | 'stopping', hook: string | undefined): string =>
  phase === 'draining' ? 'drain' : `stop${hook === undefined ? '' : ` of ${hook}`}`;
