/** All that a lifecycle tells, as it happens; the log is one listener among others. */
import type { LastcallError } from '../errors.js';
import type { Outcome, Phase, Step } from './outcome.js';
import type { StopReason } from './stop-reason.js';

/** The steps from one state to the next. */
export type LifecycleTransition =
  | { readonly event: 'lifecycle.starting' }
  /** `durationMs`: how long the start took. */
  | { readonly event: 'lifecycle.running'; readonly durationMs: number }
  | { readonly event: 'lifecycle.stopping'; readonly reason: StopReason; readonly budgetMs: number }
  | ({ readonly event: 'lifecycle.stopped' } & Outcome);

/** `limitMs`: how long the step may last as things stand; `durationMs`: how long it took. */
export type HookEvent =
  | { readonly event: 'hook.starting'; readonly hook: string; readonly limitMs: number }
  | { readonly event: 'hook.started'; readonly hook: string; readonly durationMs: number }
  | { readonly event: 'hook.called-off'; readonly hook: string; readonly durationMs: number }
  | { readonly event: 'hook.stopping'; readonly hook: string; readonly limitMs: number }
  | { readonly event: 'hook.stopped'; readonly hook: string; readonly durationMs: number }
  | {
      readonly event: 'hook.failed' | 'hook.cut';
      readonly hook: string;
      readonly step: Step;
      readonly durationMs: number;
      readonly error: LastcallError;
    };

export type LifecycleEvent =
  | LifecycleTransition
  | HookEvent
  /** A stop was asked again; the first reason stays. */
  | { readonly event: 'lifecycle.stop-repeated'; readonly reason: StopReason }
  /** `limitMs`: what each hook gets from now on. */
  | { readonly event: 'lifecycle.hastened'; readonly limitMs: number };

/** How a step ended, as an event. */
export function hookEvent(phase: Phase): HookEvent {
  const { hook, step, durationMs } = phase;
  switch (phase.result) {
    case 'done':
      return { event: step === 'start' ? 'hook.started' : 'hook.stopped', hook, durationMs };
    case 'called-off':
      return { event: 'hook.called-off', hook, durationMs };
    default:
      return { event: `hook.${phase.result}`, hook, step, durationMs, error: phase.error };
  }
}
