/**
 * The lifecycle of a run: its states, and what moves it from one to the next.
 *
 *     idle ──run()──▶ starting ──all started──▶ running
 *       │                │                         │
 *       └────────────────┴──────── stop() ─────────┤
 *                                                  ▼
 *                                              stopping ──all stopped──▶ stopped
 *
 * `stop()` does little: it gives the signal its reason. The one run, asleep until then or amid its starts, hears it
 * and does the stopping itself; so no two steps of hooks ever overlap, whenever, however often and from wherever a
 * stop is asked. Every step ends within its share of the budget, if need be without the hook; so the run always
 * ends, and `run()` never rejects.
 */
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { shortStopMs } from './deadline.js';
import type { LifecycleEvent, LifecycleTransition } from './events.js';
import { type Hook, type HookLog, silentLog } from './hook.js';
import { HookSequence } from './hook-sequence.js';
import { judge, type Outcome } from './outcome.js';
import { StopReason } from './stop-reason.js';

export type LifecycleState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

export interface LifecycleOptions {
  /** For all starts together. */
  readonly startTimeoutMs: number;
  /** For the whole stop, from the moment it is asked. */
  readonly stopTimeoutMs: number;
  readonly clock?: Clock;
  /** Told of all that happens. What it throws is ignored: no listener may keep the stop from going on. */
  readonly emit?: (event: LifecycleEvent) => void;
  readonly hookLog?: (hookName: string) => HookLog;
}

export interface RunOptions {
  /** Another way to stop the run: when it aborts, the run ends in a clean stop. */
  readonly signal?: AbortSignal;
  /** Counted from the moment of running. */
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
  readonly #stopping = new AbortController();
  readonly #hurrying = new AbortController();
  /** The first is the one that counts. */
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
    this.#emit = emit;
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#hooks = new HookSequence({
      startTimeoutMs,
      stopTimeoutMs,
      clock,
      hookLog,
      emit: (event) => this.#tell(event),
      signal: this.signal,
      urgency: this.urgency,
      startFailed: (error) => void this.stop(StopReason.startFailed(error)),
    });
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Aborts when the stop begins, with the {@link StopReason}. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborts when the stop is hastened, with the {@link StopReason}. */
  get urgency(): AbortSignal {
    return this.#hurrying.signal;
  }

  /**
   * Appends a hook. While hooks start, it goes right behind the one that starts now, and one that has no `start`
   * counts as started at once, so that what a start has just opened is closed even if that start fails.
   *
   * @throws LastcallError LIFECYCLE_USED once the starts are over
   */
  add(hook: Hook): void {
    this.#hooks.add(hook);
  }

  /**
   * Starts the hooks, runs until a stop is asked, stops them, and resolves with how it went. Never rejects. If the
   * stop was asked before, it ends at once and has started nothing.
   *
   * @throws LastcallError LIFECYCLE_USED, synchronously, if called a second time
   */
  run({ signal, stopAfterMs = Number.POSITIVE_INFINITY }: RunOptions = {}): Promise<Outcome> {
    if (this.#runAt !== undefined) throw new LastcallError('LIFECYCLE_USED', 'run', 'run() was called twice');
    this.#runAt = this.#clock.now();
    const abort = () => void this.stop(StopReason.aborted(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true, signal: this.signal });
    if (this.#state === 'idle') void this.#live(this.#runAt, stopAfterMs);
    else this.#hooks.close();
    return this.wait();
  }

  /**
   * Asks for the stop, in whatever state, and resolves with the outcome once it is done. The first reason counts;
   * of later ones only an exit code, if the first asks for none. A hook that awaits this in its own `start` or
   * `stop`, or a handler that does, waits for itself, and is cut off when its time is up.
   */
  stop(reason = StopReason.request('lifecycle.stop')): Promise<Outcome> {
    if (this.#state === 'stopped') return this.wait();
    this.#reasons.push(reason);
    if (this.#state === 'stopping') {
      this.#tell({ event: 'lifecycle.stop-repeated', reason });
      return this.wait();
    }
    const neverRan = this.#state === 'idle';
    this.#stopAt = this.#clock.now();
    this.#become({ event: 'lifecycle.stopping', reason, budgetMs: this.#stopTimeoutMs });
    this.#stopping.abort(reason);
    if (neverRan) this.#finish();
    return this.wait();
  }

  /**
   * From now on a hook's stop gets at most 1 s, the one at work as well. Where no stop was asked yet, asks for it.
   * Without effect the second time, and once all has stopped.
   */
  hasten(): void {
    if (this.#reasons.length === 0) void this.stop(StopReason.request('lifecycle.hasten'));
    if (this.#state === 'stopped' || this.urgency.aborted) return;
    this.#tell({ event: 'lifecycle.hastened', limitMs: shortStopMs });
    this.#hurrying.abort(this.#reasons[0]);
  }

  /**
   * How long the stop of a hook may last, by the hooks that have started, if its turn comes at once; 0 where there is
   * nothing to stop.
   */
  stopLimitMs(hookName: string, reason: StopReason): number {
    return this.#hooks.stopLimitMs(hookName, reason);
  }

  /** What is known of the outcome already; for a process that ends amid the run, or amid the stop. */
  soFar(): Pick<Outcome, 'phases' | 'durationMs' | 'stopDurationMs'> {
    const now = this.#clock.now();
    return {
      phases: this.#hooks.phases,
      durationMs: now - (this.#runAt ?? now),
      stopDurationMs: this.signal.aborted ? now - this.#stopAt : 0,
    };
  }

  /**
   * Resolves with the outcome, and stops nothing: if the waiter's signal aborts, this rejects with its reason and
   * the run goes on untouched.
   */
  wait(signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#outcome) return resolve(this.#outcome);
      if (signal?.aborted) return reject(signal.reason);
      const giveUp = () => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const waiter = (outcome: Outcome) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(outcome);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiters.add(waiter);
    });
  }

  async #live(begunAt: number, stopAfterMs: number): Promise<void> {
    this.#become({ event: 'lifecycle.starting' });
    await this.#hooks.start();
    if (!this.signal.aborted) {
      this.#become({ event: 'lifecycle.running', durationMs: this.#clock.now() - begunAt });
      const cancel = this.#clock.after(stopAfterMs, () => void this.stop(StopReason.stopAfter(stopAfterMs)));
      await aborted(this.signal);
      cancel();
    }
    await this.#hooks.stop(this.#stopAt);
    this.#finish();
  }

  #finish(): void {
    const { phases } = this.#hooks;
    this.#outcome = { reason: this.signal.reason, ...judge(this.#reasons, phases), ...this.soFar() };
    this.#become({ event: 'lifecycle.stopped', ...this.#outcome });
    for (const waiter of this.#waiters) waiter(this.#outcome);
  }

  #become(transition: LifecycleTransition): void {
    this.#state = stateAfter[transition.event];
    this.#tell(transition);
  }

  #tell(event: LifecycleEvent): void {
    try {
      this.#emit(event);
    } catch {
      // A listener's trouble is its own.
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
