/** The outcome of a run: how each step ended, and the exit code that follows. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { describeThrown, isLastcallError } from '../thrown.js';
import type { AttemptResult } from './attempt.js';
import { StopReason } from './stop-reason.js';

export type Step = 'start' | 'stop';

/**
 * How a step ended:
 * - `done`: the step resolved
 * - `called-off`: a start threw or rejected after a stop was requested; not an error
 * - `failed`: the step threw or rejected
 * - `cut`: the time of the step was up, and then the step rejected or was abandoned
 */
type StepResult =
  | { readonly result: 'done' | 'called-off' }
  | { readonly result: 'failed' | 'cut'; readonly error: LastcallError };

/** One step of one hook. */
export type Phase = { readonly hook: string; readonly step: Step; readonly durationMs: number } & StepResult;

export interface Outcome {
  /** The reason of the first request to stop. */
  readonly reason: StopReason;
  /** Whether no step failed or was cut: every hook that started has stopped, in order and in time. */
  readonly clean: boolean;
  readonly exitCode: number;
  /** The steps, in the order in which they ended. */
  readonly phases: readonly Phase[];
  /** The duration of the whole run; 0 if the run never began. */
  readonly durationMs: number;
  /** The duration of the stop, from the moment when it was requested. */
  readonly stopDurationMs: number;
}

/** The exit code is the first one that a reason sets; else the highest of the failed steps, at least 1; else 0. */
export function exitStatusOf(
  reasons: readonly StopReason[],
  phases: readonly Phase[],
): Pick<Outcome, 'clean' | 'exitCode'> {
  const errors = phases.flatMap((phase) => ('error' in phase ? [phase.error] : []));
  const requested = reasons.find((reason) => reason.exitCode !== ExitCode.clean)?.exitCode;
  const highest = Math.max(ExitCode.clean, ...errors.map((error) => Math.max(ExitCode.cut, error.exitCode)));
  return { clean: errors.length === 0, exitCode: requested ?? highest };
}

/**
 * Returns the phase of a step that has ended.
 *
 * @param abortReason why the step was asked to end: a StopReason for a start, a LastcallError for an overdue stop
 */
export function phaseOf(
  step: Pick<Phase, 'hook' | 'step' | 'durationMs'>,
  attempted: AttemptResult,
  abortReason?: StopReason | LastcallError,
): Phase {
  if (attempted.kind === 'done') return { ...step, result: 'done' };
  const overdue = hookTimedOut(step.hook, step.step, step.durationMs);
  if (attempted.kind === 'abandoned') return { ...step, result: 'cut', error: overdue };
  const { thrown } = attempted;
  if (abortReason === undefined)
    return { ...step, result: 'failed', error: hookFailed(step.hook, step.step, thrown) };
  // Hooks start one by one, so `start-failed` can only mean that this start was overdue.
  if (abortReason instanceof StopReason && abortReason.kind !== 'start-failed')
    return { ...step, result: 'called-off' };
  return { ...step, result: 'cut', error: isLastcallError(thrown) ? thrown : overdue };
}

/** Returns a LastcallError as it is, and wraps any other value that a hook threw in an error that names the hook. */
function hookFailed(hook: string, step: Step, thrown: unknown): LastcallError {
  if (isLastcallError(thrown)) return thrown;
  const message = `the ${step} of "${hook}" failed: ${describeThrown(thrown)}`;
  return new LastcallError('HOOK_FAILED', hook, message, { cause: thrown });
}

export function hookTimedOut(hook: string, step: Step, afterMs: number): LastcallError {
  const message = `the ${step} of "${hook}" did not end within ${Math.round(afterMs)} ms`;
  return new LastcallError('HOOK_TIMED_OUT', hook, message);
}
