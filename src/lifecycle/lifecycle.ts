/**
 * The lifecycle of a run: its five states, and the transitions between them.
 *
 *     idle ──run()──▶ starting ──all started──▶ running
 *       │                │                         │
 *       └────────────────┴──────── stop() ─────────┤
 *                                                  ▼
 *                                              stopping ──all stopped──▶ stopped
 *
 * `run()` calls one asynchronous function, `#runHooks`: it starts the hooks, waits for the stop, and stops the hooks.
 * `stop()` only aborts the signal that `#runHooks` watches, so two steps never overlap, whatever requests a stop, at any
 * moment and any number of times. Every step is abandoned after its deadline, so the run always ends.
 */
import { aborted, onAbort } from '../abort.js';
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { guarded } from '../listener.js';
import { SHORT_STOP_MS } from './budget.js';
import type { LifecycleEvent, LifecycleTransition } from './events.js';
import { type Hook, type HookLog, silentLog } from './hook.js';
import { HookSequence } from './hook-sequence.js';
import { exitStatusOf, type Outcome } from './outcome.js';
import { StopReason } from './stop-reason.js';

export type LifecycleState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

export interface LifecycleOptions {
  /** The time for all starts together. */
  readonly startTimeoutMs: number;
  /** The time for the whole stop, from the moment when it is requested. */
  readonly stopTimeoutMs: number;
  readonly clock?: Clock;
  /** Receives every event. Errors of the listener are ignored, so that no listener can block the stop. */
  readonly emit?: (event: LifecycleEvent) => void;
  readonly hookLog?: (hookName: string) => HookLog;
}

export interface RunOptions {
  /** Aborting ends the run in a clean stop. */
  readonly signal?: AbortSignal;
  /** Ends the run in a clean stop, this many milliseconds after all hooks have started. */
  readonly stopAfterMs?: number;
}

const stateAfter = {
  'lifecycle.starting': 'starting',
  'lifecycle.running': 'running',
  'lifecycle.stopping': 'stopping',
  'lifecycle.stopped': 'stopped',
} as const satisfies Record<LifecycleTransition['event'], LifecycleState>;

export class Lifecycle {
  readonly #clock: Clock;
  readonly #emit: (event: LifecycleEvent) => void;
  readonly #stopTimeoutMs: number;
  readonly #hooks: HookSequence;
  readonly #stopController = new AbortController();
  readonly #hastenController = new AbortController();
  /** The reasons of all requests to stop; the first is the reason of the stop. */
  readonly #reasons: StopReason[] = [];
  readonly #waiters = new Set<(outcome: Outcome) => void>();
  #state: LifecycleState = 'idle';
  #runAt: number | undefined;
  #stopAt = 0;
  #outcome: Outcome | undefined;

  constructor(options: LifecycleOptions) {
    const {
      startTimeoutMs,
      stopTimeoutMs,
      clock = systemClock,
      hookLog = () => silentLog,
      emit = () => {},
    } = options;
    this.#clock = clock;
    this.#emit = guarded(emit);
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#hooks = new HookSequence({
      startTimeoutMs,
      stopTimeoutMs,
      clock,
      hookLog,
      emit: this.#emit,
      signal: this.signal,
      hastenSignal: this.hastenSignal,
      startFailed: (error) => void this.stop(StopReason.startFailed(error)),
    });
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Aborts with the {@link StopReason} when the stop begins. */
  get signal(): AbortSignal {
    return this.#stopController.signal;
  }

  /** Aborts with the {@link StopReason} when `hasten` is called. */
  get hastenSignal(): AbortSignal {
    return this.#hastenController.signal;
  }

  /**
   * Appends a hook. While hooks start, a hook is inserted right after the one that is starting. If it has no `start`, it
   * counts as started at once: its `stop` closes what the current start has opened, even if that start fails.
   *
   * @throws LastcallError LIFECYCLE_USED once the starts are over
   */
  add(hook: Hook): void {
    this.#hooks.add(hook);
  }

  /**
   * Starts the hooks, runs until a stop is requested, stops the hooks, and resolves with the outcome. Never rejects.
   * If a stop was requested before, the run ends at once without starting anything.
   *
   * @throws LastcallError LIFECYCLE_USED, synchronously, if called a second time
   */
  run({ signal, stopAfterMs = Number.POSITIVE_INFINITY }: RunOptions = {}): Promise<Outcome> {
    if (this.#runAt !== undefined) throw new LastcallError('LIFECYCLE_USED', 'run', 'run() was called twice');
    this.#runAt = this.#clock.now();
    if (signal) {
      const removeListener = onAbort(signal, () => void this.stop(StopReason.aborted(signal.reason)));
      onAbort(this.signal, removeListener);
    }
    if (this.#state === 'idle') void this.#runHooks(this.#runAt, stopAfterMs);
    else this.#hooks.close();
    return this.wait();
  }

  /**
   * Requests the stop, in any state, and resolves with the outcome. The first reason counts; a later reason only sets the
   * exit code, if no earlier one does. A hook or handler that awaits the outcome waits for itself until its time is up.
   */
  stop(reason = StopReason.request('lifecycle.stop')): Promise<Outcome> {
    if (this.#state === 'stopped') return this.wait();
    this.#reasons.push(reason);
    if (this.#state === 'stopping') {
      this.#emit({ event: 'lifecycle.stop-repeated', reason });
      return this.wait();
    }
    const neverRan = this.#state === 'idle';
    this.#stopAt = this.#clock.now();
    this.#transition({ event: 'lifecycle.stopping', reason, budgetMs: this.#stopTimeoutMs });
    this.#stopController.abort(reason);
    if (neverRan) this.#finish();
    return this.wait();
  }

  /** Limits each hook's stop to 1 s from now on, once, and requests the stop if none was requested before. */
  hasten(): void {
    if (this.#reasons.length === 0) void this.stop(StopReason.request('lifecycle.hasten'));
    if (this.#state === 'stopped' || this.hastenSignal.aborted) return;
    this.#emit({ event: 'lifecycle.hastened', limitMs: SHORT_STOP_MS });
    this.#hastenController.abort(this.#reasons[0]);
  }

  /**
   * Ends the run at once, within the stop of its last hook, which counts as done, or as failed by the error. For a process
   * that exits right after this call.
   */
  finishNow(error?: LastcallError): Outcome {
    this.#hooks.endStep(error);
    return this.#finish();
  }

  /** Returns how long the stop of a hook may last if it begins now, in milliseconds; 0 without such a hook. */
  stopLimitMs(hookName: string, reason: StopReason): number {
    return this.#hooks.stopLimitMs(hookName, reason);
  }

  /** Returns the known part of the outcome, for a process that ends before the run does. */
  partialOutcome(): Pick<Outcome, 'phases' | 'durationMs' | 'stopDurationMs'> {
    const now = this.#clock.now();
    return {
      phases: this.#hooks.phases,
      durationMs: now - (this.#runAt ?? now),
      stopDurationMs: this.signal.aborted ? now - this.#stopAt : 0,
    };
  }

  /** Resolves with the outcome, without requesting a stop. Rejects with the signal's reason when the signal aborts. */
  wait(signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#outcome) return resolve(this.#outcome);
      let removeListener = () => {};
      const waiter = (outcome: Outcome) => {
        removeListener();
        resolve(outcome);
      };
      this.#waiters.add(waiter);
      if (signal)
        removeListener = onAbort(signal, () => {
          this.#waiters.delete(waiter);
          reject(signal.reason);
        });
    });
  }

  async #runHooks(begunAt: number, stopAfterMs: number): Promise<void> {
    this.#transition({ event: 'lifecycle.starting' });
    await this.#hooks.start();
    if (!this.signal.aborted) {
      this.#transition({ event: 'lifecycle.running', durationMs: this.#clock.now() - begunAt });
      const cancel = this.#clock.after(stopAfterMs, () => void this.stop(StopReason.stopAfter(stopAfterMs)));
      await aborted(this.signal);
      cancel();
    }
    await this.#hooks.stop(this.#stopAt);
    this.#finish();
  }

  #finish(): Outcome {
    const { phases } = this.#hooks;
    const status = exitStatusOf(this.#reasons, phases);
    const outcome: Outcome = { reason: this.signal.reason, ...status, ...this.partialOutcome() };
    this.#outcome = outcome;
    this.#transition({ event: 'lifecycle.stopped', ...outcome });
    for (const waiter of this.#waiters) waiter(outcome);
    return outcome;
  }

  #transition(transition: LifecycleTransition): void {
    this.#state = stateAfter[transition.event];
    this.#emit(transition);
  }
}
