/** The hook that lets running handlers end at a stop. */
import { onAbort } from './abort.js';
import type { Clock } from './clock.js';
import type { LifecycleEvent } from './lifecycle/events.js';
import type { Hook, HookContext } from './lifecycle/hook.js';
import type { StopReason } from './lifecycle/stop-reason.js';

/** The share of the stop's budget after which the drain has ended. The hooks that stop after it get the rest. */
const DRAIN_SHARE = 2 / 3;
/** The limit of a drain after a fault, when the state of the program is unknown and handlers may do harm. */
const FAULT_DRAIN_MS = 5_000;

export interface DrainHookOptions {
  /**
   * Lets running handlers end until `latestEnd` aborts, and then confirms the updates that are safe.
   *
   * @param cause returns why the run stops; called at the end of the drain
   * @param withinMs when `latestEnd` is expected to abort
   */
  drain(latestEnd: AbortSignal, cause: () => 'stop' | 'fault', withinMs: number): Promise<void>;
  readonly clock: Clock;
  /** When it aborts, running handlers are aborted at once. */
  readonly hastenSignal: AbortSignal;
  /** The part of the drain's time that is reserved for the final confirm. */
  readonly confirmMs: number;
}

export class DrainHook implements Hook {
  readonly name = 'drain';
  readonly #options: DrainHookOptions;
  readonly #faultDuringStop = new AbortController();

  constructor(options: DrainHookOptions) {
    this.#options = options;
  }

  /** Watches for a fault during the stop, which shortens the drain. */
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
    // Ends before the hook's own deadline, so that the log names the handlers and the final confirm has its time.
    const withinMs = deadline.remainingMs() - confirmMs;
    endWithin(withinMs);
    cancels.push(onAbort(fault, () => endWithin(FAULT_DRAIN_MS)));
    try {
      const cause = () => (reason?.kind === 'fault' || fault.aborted ? 'fault' : 'stop');
      await this.#options.drain(AbortSignal.any([time.signal, hastenSignal, signal]), cause, withinMs);
    } finally {
      for (const cancel of cancels) cancel();
    }
  }
}
