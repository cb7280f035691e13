/** The hooks of a lifecycle in their order: starts them one by one, stops those that started in reverse. */
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { attempt, type Bounds } from './attempt.js';
import { Countdown, shortShareMs, shortStopMs, startCapMs, stopCapMs } from './deadline.js';
import { type HookEvent, hookEvent } from './events.js';
import type { Hook, HookLog } from './hook.js';
import { hookTimedOut, type Phase, phaseOf, type Step } from './outcome.js';
import type { StopReason } from './stop-reason.js';

interface Surroundings {
  readonly clock: Clock;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly hookLog: (hookName: string) => HookLog;
  readonly emit: (event: HookEvent) => void;
  /** Aborts when the stop begins, with the StopReason. */
  readonly signal: AbortSignal;
  /** Aborts when the stop is hastened. */
  readonly urgency: AbortSignal;
  /** Told of a start that failed, or is overdue and still at work; has to make `signal` abort. */
  readonly startFailed: (error: LastcallError) => void;
}

interface Entry {
  readonly hook: Hook;
  started: boolean;
}

export class HookSequence {
  readonly #around: Surroundings;
  readonly #entries: Entry[] = [];
  readonly #phases: Phase[] = [];
  #stage: 'before' | 'starting' | 'closed' = 'before';
  #insertAt = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Every step taken, in the order in which they ended. */
  get phases(): readonly Phase[] {
    return this.#phases;
  }

  /** Appends a hook, or inserts it right behind the one that starts now. Throws LIFECYCLE_USED once closed. */
  add(hook: Hook): void {
    if (this.#stage === 'closed')
      throw new LastcallError(
        'LIFECYCLE_USED',
        hook.name,
        `the hook "${hook.name}" was added after the start`,
      );
    // What a start has just opened must be closed even if that start fails before the new hook's turn.
    const started = this.#stage === 'starting' && !hook.start;
    this.#entries.splice(this.#insertAt++, 0, { hook, started });
  }

  /** From now on no hook can be added. */
  close(): void {
    this.#stage = 'closed';
  }

  /** Starts hook after hook, until all have started or the signal aborts. Never rejects. */
  async start(): Promise<void> {
    this.#stage = 'starting';
    let leftMs = this.#around.startTimeoutMs;
    // A start may insert hooks right behind itself; the iterator meets them next.
    for (const [turn, entry] of this.#entries.entries()) {
      if (this.#around.signal.aborted) break;
      this.#insertAt = turn + 1;
      if (entry.hook.start) leftMs -= await this.#start(entry, leftMs);
      else entry.started = true;
    }
    this.close();
  }

  /** Resolves with how much of the budget it took, in milliseconds. */
  async #start(entry: Entry, leftMs: number): Promise<number> {
    const { signal, clock, stopTimeoutMs, startFailed } = this.#around;
    const { hook } = entry;
    const limitMs = startCapMs(leftMs, hook.startTimeoutMs);
    const limit = new Countdown(clock);
    const overdue = () => startFailed(hookTimedOut(hook.name, 'start', limitMs));
    const phase = await this.#take(hook, 'start', {
      limit,
      signal,
      arm: () => limit.set(limitMs, overdue),
      // Asked for as the stop begins: all of its budget is left, for this start and for the stops to come.
      graceMs: () => shortShareMs(stopTimeoutMs, this.#startedHooks().length + 1),
    });
    entry.started = phase.result === 'done';
    if (phase.result === 'failed') startFailed(phase.error);
    return limitMs === Number.POSITIVE_INFINITY ? 0 : phase.durationMs;
  }

  /**
   * Stops the hooks that have started and have a stop, last first, each within its share. Never rejects.
   *
   * @param begunAt when the stop began; its budget counts from there
   */
  async stop(begunAt: number): Promise<void> {
    const hooks = this.#startedHooks();
    for (let hook = hooks.pop(); hook; hook = hooks.pop()) await this.#stop(hook, hooks.length, begunAt);
  }

  /**
   * How long the stop of a hook may last, for that reason and by the hooks that have started, if its turn comes at once;
   * 0 where it is none of them, or has no stop.
   */
  stopLimitMs(name: string, reason: StopReason): number {
    const hooks = this.#startedHooks();
    const behind = hooks.findIndex((hook) => hook.name === name);
    const hook = hooks[behind];
    return hook ? this.#stopLimitMs(hook, behind, 0, reason) : 0;
  }

  async #stop(hook: Hook, behind: number, begunAt: number): Promise<void> {
    const { clock, signal, urgency } = this.#around;
    const turnAt = clock.now();
    const limit = new Countdown(clock);
    const cut = new AbortController();
    const overdue = () => cut.abort(hookTimedOut(hook.name, 'stop', clock.now() - turnAt));
    const hurry = () => limit.set(Math.min(shortStopMs, limit.remainingMs()), overdue);
    urgency.addEventListener('abort', hurry, { once: true, signal: cut.signal });
    await this.#take(hook, 'stop', {
      limit,
      signal: cut.signal,
      arm: () => limit.set(this.#stopLimitMs(hook, behind, turnAt - begunAt, signal.reason), overdue),
      graceMs: () => 0,
    });
    urgency.removeEventListener('abort', hurry);
  }

  #stopLimitMs(hook: Hook, behind: number, elapsedMs: number, reason: StopReason): number {
    const { stopTimeoutMs: budgetMs, urgency } = this.#around;
    const latestEndMs = hook.stopLatestEndMs?.({ budgetMs, reason }) ?? Number.POSITIVE_INFINITY;
    const hastenedMs = urgency.aborted ? shortStopMs : undefined;
    const ownMs = [hook.stopTimeoutMs, latestEndMs - elapsedMs, hastenedMs];
    return stopCapMs(budgetMs - elapsedMs, behind, ...ownMs);
  }

  #startedHooks(): Hook[] {
    return this.#entries.filter(({ started, hook }) => started && hook.stop).map(({ hook }) => hook);
  }

  /** Takes one step. `arm` sets its limit when it begins, for that may be up to the hook's own code. */
  async #take(hook: Hook, step: Step, { arm, ...bounds }: Bounds & { arm(): void }): Promise<Phase> {
    const { clock, emit, hookLog, signal } = this.#around;
    const begunAt = clock.now();
    const work = () => {
      arm();
      const event = step === 'start' ? 'hook.starting' : 'hook.stopping';
      emit({ event, hook: hook.name, limitMs: bounds.limit.remainingMs() });
      return hook[step]?.({
        signal: bounds.signal,
        log: hookLog(hook.name),
        deadline: bounds.limit,
        get reason() {
          return signal.reason;
        },
      });
    };
    const ending = await attempt(work, bounds);
    const durationMs = clock.now() - begunAt;
    const phase = phaseOf({ hook: hook.name, step, durationMs }, ending, bounds.signal.reason);
    this.#phases.push(phase);
    emit(hookEvent(phase));
    return phase;
  }
}
