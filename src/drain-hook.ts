/** The hook that lets running handlers end at a stop. */
import { onAbort } from './abort.js';
import type { Clock } from './clock.js';
import type { LifecycleEvent } from './lifecycle/events.js';
import type { Hook, HookContext } from './lifecycle/hook.js';
import type { StopReason } from './lifecycle/stop-reason.js';

/** The share of the stop's budget by which the drain has ended. The hooks stopped after it get the rest. */
const DRAIN_SHARE = 2 / 3;
/** After a fault nobody knows what good handlers still do. */
const FAULT_DRAIN_MS = 5_000;

export interface DrainHookOptions {
  /**
   * Lets running handlers end until `latestEnd` aborts, then confirms what has become safe.
   *
   * @param why asked at the end of the drain
   * @param withinMs when `latestEnd` is expected to abort
   */
  drain(latestEnd: AbortSignal, why: () => 'stop' | 'fault', withinMs: number): Promise<void>;
  readonly clock: Clock;
  /** Aborts running handlers at once. */
  readonly hastenSignal: AbortSignal;
  /** How much of the drain's time is kept for the final confirm. */
  readonly confirmMs: number;
}

export class DrainHook implements Hook {
  readonly name = 'drain';
  readonly #options: DrainHookOptions;
  readonly #faultDuringStop = new AbortController();

  constructor(options: DrainHookOptions) {
    this.#options = options;
  }

  /** Hears what happens to the run: a fault during the stop shortens the drain. */
  observe(event: LifecycleEvent): void {
    if (event.event === 'lifecycle.stop-repeated' && event.reason.kind === 'fault')
      this.#faultDuringStop.abort();
  }

  stopLatestEndMs({ budgetMs, reason }: { readonly budgetMs: number; readonly reason: StopReason }): number {
    const shareMs = budgetMs * DRAIN_SHARE;
    return reason.kind === 'fault' ? Math.min(shareMs, FAULT_DRAIN_MS) : shareMs;
  }

  async stop({ signal, deadline, reason }: HookContext): Promise<void> {
    const { clock, hastenSignal, confirmMs } = this.#options;
    const fault = this.#faultDuringStop.signal;
    const time = new AbortController();
    const cancels: (() => void)[] = [];
    const endWithin = (ms: number) => cancels.push(clock.after(ms, () => time.abort(reason)));
    // Ends before the hook's own deadline, so that the log names the handlers, and the final confirm has its time.
    const withinMs = deadline.remainingMs() - confirmMs;
    endWithin(withinMs);
    cancels.push(onAbort(fault, () => endWithin(FAULT_DRAIN_MS)));
    try {
      const why = () => (reason?.kind === 'fault' || fault.aborted ? 'fault' : 'stop');
      await this.#options.drain(AbortSignal.any([time.signal, hastenSignal, signal]), why, withinMs);
    } finally {
      for (const cancel of cancels) cancel();
    }
  }
}
