/** Starts the hooks of a lifecycle one by one, in order, and stops those that have started in reverse order. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { type AttemptOptions, attempt } from './attempt.js';
import { SHORT_STOP_MS, shortShareMs, startCapMs, stopCapMs } from './budget.js';
import { DeadlineTimer } from './deadline.js';
import { type HookEvent, hookEvent } from './events.js';
import type { Hook, HookLog } from './hook.js';
import { hookTimedOut, type Phase, phaseOf, type Step } from './outcome.js';
import type { StopReason } from './stop-reason.js';

interface HookSequenceOptions {
  readonly clock: Clock;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly hookLog: (hookName: string) => HookLog;
  readonly emit: (event: HookEvent) => void;
  /** Aborts with the StopReason when the stop begins. */
  readonly signal: AbortSignal;
  readonly hastenSignal: AbortSignal;
  /** Called when a start fails or is overdue. Must make `signal` abort. */
  readonly startFailed: (error: LastcallError) => void;
}

interface RegisteredHook {
  readonly hook: Hook;
  isStarted: boolean;
}

export class HookSequence {
  readonly #options: HookSequenceOptions;
  readonly #registered: RegisteredHook[] = [];
  /** The steps that have ended, in the order in which they ended. */
  readonly phases: Phase[] = [];
  #stage: 'before' | 'starting' | 'closed' = 'before';
  /** The step that runs now. */
  #current: { readonly hook: string; readonly step: Step; readonly begunAt: number } | undefined;
  #insertAt = 0;

  constructor(options: HookSequenceOptions) {
    this.#options = options;
  }

  /** Appends a hook, or inserts it after the one that is starting. @throws LastcallError LIFECYCLE_USED once closed */
  add(hook: Hook): void {
    if (this.#stage === 'closed')
      throw new LastcallError(
        'LIFECYCLE_USED',
        hook.name,
        `the hook "${hook.name}" was added after the start`,
      );
    // A start may add a hook that closes what the start has just opened, which must happen even if the start fails.
    const isStarted = this.#stage === 'starting' && !hook.start;
    this.#registered.splice(this.#insertAt++, 0, { hook, isStarted });
  }

  close(): void {
    this.#stage = 'closed';
  }

  /** Starts the hooks, one after another, until all have started or the signal aborts. Never rejects. */
  async start(): Promise<void> {
    this.#stage = 'starting';
    let leftMs = this.#options.startTimeoutMs;
    // A start may insert hooks right after its own; the iterator visits them next.
    for (const [index, registered] of this.#registered.entries()) {
      if (this.#options.signal.aborted) break;
      this.#insertAt = index + 1;
      if (registered.hook.start) leftMs -= await this.#start(registered, leftMs);
      else registered.isStarted = true;
    }
    this.close();
  }

  /** Stops the hooks in reverse order. The budget counts from `begunAt`, in the clock's milliseconds. Never rejects. */
  async stop(begunAt: number): Promise<void> {
    const hooks = this.#hooksToStop();
    for (let hook = hooks.pop(); hook; hook = hooks.pop()) await this.#stop(hook, hooks.length, begunAt);
  }

  /** Records the step that runs now as ended: as done, or as failed by the error. */
  endStep(error?: LastcallError): void {
    if (!this.#current) return;
    const { begunAt, ...step } = this.#current;
    const durationMs = this.#options.clock.now() - begunAt;
    this.#record(
      phaseOf({ ...step, durationMs }, error ? { kind: 'threw', thrown: error } : { kind: 'done' }),
    );
  }

  /** Returns how long the stop of a hook may last if it begins now, in milliseconds; 0 without such a hook. */
  stopLimitMs(name: string, reason: StopReason): number {
    const hooks = this.#hooksToStop();
    const index = hooks.findIndex((hook) => hook.name === name);
    const hook = hooks[index];
    return hook ? this.#stopLimitMs(hook, index, 0, reason) : 0;
  }

  /** Resolves with the milliseconds that the start has used of the time for all starts. */
  async #start(registered: RegisteredHook, leftMs: number): Promise<number> {
    const { signal, clock, stopTimeoutMs, startFailed } = this.#options;
    const { hook } = registered;
    const limitMs = startCapMs(leftMs, hook.startTimeoutMs);
    const deadline = new DeadlineTimer(clock);
    const onOverdue = () => startFailed(hookTimedOut(hook.name, 'start', limitMs));
    const phase = await this.#runStep(hook, 'start', {
      deadline,
      signal,
      arm: () => deadline.set(limitMs, onOverdue),
      // Called when the stop begins: this start and the stops after it share the whole budget.
      graceMs: () => shortShareMs(stopTimeoutMs, this.#hooksToStop().length + 1),
    });
    registered.isStarted = phase.result === 'done';
    if (phase.result === 'failed') startFailed(phase.error);
    return limitMs === Number.POSITIVE_INFINITY ? 0 : phase.durationMs;
  }

  async #stop(hook: Hook, later: number, begunAt: number): Promise<void> {
    const { clock, signal, hastenSignal } = this.#options;
    const stepBegunAt = clock.now();
    const deadline = new DeadlineTimer(clock);
    const overdue = new AbortController();
    const onOverdue = () => {
      removeListener();
      overdue.abort(hookTimedOut(hook.name, 'stop', clock.now() - stepBegunAt));
    };
    const hasten = () => deadline.set(Math.min(SHORT_STOP_MS, deadline.remainingMs()), onOverdue);
    const removeListener = onAbort(hastenSignal, hasten);
    await this.#runStep(hook, 'stop', {
      deadline,
      signal: overdue.signal,
      arm: () =>
        deadline.set(this.#stopLimitMs(hook, later, stepBegunAt - begunAt, signal.reason), onOverdue),
      graceMs: () => 0,
    });
    removeListener();
  }

  #stopLimitMs(hook: Hook, later: number, elapsedMs: number, reason: StopReason): number {
    const { stopTimeoutMs: budgetMs, hastenSignal } = this.#options;
    const latestEndMs = hook.stopLatestEndMs?.({ budgetMs, reason }) ?? Number.POSITIVE_INFINITY;
    const hastenedMs = hastenSignal.aborted ? SHORT_STOP_MS : undefined;
    const ownMs = [hook.stopTimeoutMs, latestEndMs - elapsedMs, hastenedMs];
    return stopCapMs(budgetMs - elapsedMs, later, ...ownMs);
  }

  #hooksToStop(): Hook[] {
    return this.#registered.filter(({ isStarted, hook }) => isStarted && hook.stop).map(({ hook }) => hook);
  }

  /** Runs one step. `arm` sets the deadline; it is part of the attempt, because it may call code of the hook. */
  async #runStep(
    hook: Hook,
    step: Step,
    { arm, ...options }: AttemptOptions & { arm(): void },
  ): Promise<Phase> {
    const { clock, emit, hookLog, signal } = this.#options;
    const begunAt = clock.now();
    this.#current = { hook: hook.name, step, begunAt };
    const work = () => {
      arm();
      const event = step === 'start' ? 'hook.starting' : 'hook.stopping';
      emit({ event, hook: hook.name, limitMs: options.deadline.remainingMs() });
      return hook[step]?.({
        signal: options.signal,
        log: hookLog(hook.name),
        deadline: options.deadline,
        get reason() {
          return signal.reason;
        },
      });
    };
    const result = await attempt(work, options);
    const durationMs = clock.now() - begunAt;
    return this.#record(phaseOf({ hook: hook.name, step, durationMs }, result, options.signal.reason));
  }

  #record(phase: Phase): Phase {
    this.#current = undefined;
    this.phases.push(phase);
    this.#options.emit(hookEvent(phase));
    return phase;
  }
}
