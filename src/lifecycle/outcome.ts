/** How a run ended: every step it took, and what that means for the exit code. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Ending } from './attempt.js';
import { inWords, StopReason } from './stop-reason.js';

export type Step = 'start' | 'stop';

/**
 * How a step ended:
 * - `done`: it resolved
 * - `called-off`: a start that gave up because a stop was asked; nothing is wrong with that
 * - `failed`: it threw or rejected
 * - `cut`: it was still at work when its time was up, and then gave up or was left behind
 */
type PhaseEnd =
  | { readonly result: 'done' | 'called-off' }
  | { readonly result: 'failed' | 'cut'; readonly error: LastcallError };

/** One step of one hook. */
export type Phase = { readonly hook: string; readonly step: Step; readonly durationMs: number } & PhaseEnd;

export interface Outcome {
  /** The first one given; later ones do not replace it. */
  readonly reason: StopReason;
  /** No step failed, none was cut: whatever started has stopped, in order and in its time. */
  readonly clean: boolean;
  readonly exitCode: number;
  /** In the order in which they ended. */
  readonly phases: readonly Phase[];
  /** Of the whole run; 0 if it never began. */
  readonly durationMs: number;
  /** From the moment the stop was asked. */
  readonly stopDurationMs: number;
}

/**
 * The exit code is the first that one of the reasons asks for (a fault amid a stop that began cleanly still
 * counts); else, if a step failed or was cut, the highest that its error asks for; else 0.
 */
export function judge(
  reasons: readonly StopReason[],
  phases: readonly Phase[],
): Pick<Outcome, 'clean' | 'exitCode'> {
  const errors = phases.flatMap((phase) => ('error' in phase ? [phase.error] : []));
  const asked = reasons.find((reason) => reason.exitCode !== ExitCode.clean)?.exitCode;
  const owed = Math.max(ExitCode.clean, ...errors.map((error) => Math.max(ExitCode.cut, error.exitCode)));
  return { clean: errors.length === 0, exitCode: asked ?? owed };
}

/**
 * What to make of the way a step ended.
 *
 * @param heard why the step was asked to end, if it was: a start by a stop reason, a stop by being overdue
 */
export function phaseOf(
  step: Pick<Phase, 'hook' | 'step' | 'durationMs'>,
  ending: Ending,
  heard: StopReason | LastcallError | undefined,
): Phase {
  if (ending.kind === 'done') return { ...step, result: 'done' };
  const overdue = hookTimedOut(step.hook, step.step, step.durationMs);
  if (ending.kind === 'left-behind') return { ...step, result: 'cut', error: overdue };
  const { thrown } = ending;
  if (heard === undefined)
    return { ...step, result: 'failed', error: hookFailed(step.hook, step.step, thrown) };
  // While a start is at work, nothing but that start itself can fail the start.
  if (heard instanceof StopReason && heard.kind !== 'start-failed') return { ...step, result: 'called-off' };
  return { ...step, result: 'cut', error: thrown instanceof LastcallError ? thrown : overdue };
}

/** What a hook threw, as an error that names the hook; one of lastcall's own speaks for itself. */
function hookFailed(hook: string, step: Step, thrown: unknown): LastcallError {
  if (thrown instanceof LastcallError) return thrown;
  const message = `the ${step} of "${hook}" failed: ${inWords(thrown)}`;
  return new LastcallError('HOOK_FAILED', hook, message, { cause: thrown });
}

export function hookTimedOut(hook: string, step: Step, afterMs: number): LastcallError {
  const message = `the ${step} of "${hook}" did not end within ${Math.round(afterMs)} ms`;
  return new LastcallError('HOOK_TIMED_OUT', hook, message);
}
