/** The events of a lifecycle. The values of `event` are stable: they are the event names in the log. */
import type { LastcallError } from '../errors.js';
import type { Outcome, Phase, Step } from './outcome.js';
import type { StopReason } from './stop-reason.js';

/** A change of the lifecycle's state. */
export type LifecycleTransition =
  | { readonly event: 'lifecycle.starting' }
  | { readonly event: 'lifecycle.running'; readonly durationMs: number }
  | { readonly event: 'lifecycle.stopping'; readonly reason: StopReason; readonly budgetMs: number }
  | ({ readonly event: 'lifecycle.stopped' } & Outcome);

/** The beginning or end of a hook's step. `limitMs` is how long the step may last, `durationMs` how long it took. */
export type HookEvent =
  | { readonly event: 'hook.starting' | 'hook.stopping'; readonly hook: string; readonly limitMs: number }
  | {
      readonly event: 'hook.started' | 'hook.called-off' | 'hook.stopped';
      readonly hook: string;
      readonly durationMs: number;
    }
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
  | { readonly event: 'lifecycle.stop-repeated'; readonly reason: StopReason }
  /** `limitMs` is how long each hook's stop may last from now on. */
  | { readonly event: 'lifecycle.hastened'; readonly limitMs: number };

/** Returns the event for the end of a step. */
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
