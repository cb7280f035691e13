/** How long a stop may take, according to the settings and the supervisor. */
import type { BudgetEvent } from './host/events.js';
import { recommendedKillAfterMs, type Supervisor } from './host/supervisor.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import { StopReason } from './lifecycle/stop-reason.js';

/** The most time that the drain reserves for the final confirm. A budget below 10 s reserves a tenth. */
const CONFIRM_MS = 1_000;
/** The confirm gives up a little before its time is over, so that the log names the confirm and not the drain. */
const CONFIRM_TIMEOUT_SHARE = 0.9;

export interface StopBudget {
  /** The time for the whole stop. */
  readonly budgetMs: number;
  /** The part of the drain's time that is reserved for the final confirm. */
  readonly confirmMs: number;
  readonly confirmTimeoutMs: number;
}

export function stopBudget(stopTimeoutMs: number, { stopLimitMs }: Supervisor): StopBudget {
  const budgetMs = Math.min(stopTimeoutMs, stopLimitMs ?? Number.POSITIVE_INFINITY);
  const confirmMs = Math.min(CONFIRM_MS, budgetMs / 10);
  return { budgetMs, confirmMs, confirmTimeoutMs: confirmMs * CONFIRM_TIMEOUT_SHARE };
}

/** Creates the event that reports the budget and its shares. Call it once all hooks have started. */
export function budgetEvent(
  lifecycle: Pick<Lifecycle, 'stopLimitMs'>,
  { budgetMs }: StopBudget,
  stopTimeoutMs: number,
  { stopLimitMs, killAfterMs = stopLimitMs, killer }: Supervisor,
): BudgetEvent {
  const drainMs = lifecycle.stopLimitMs('drain', StopReason.request('lifecycle.stop'));
  const isCutShort = killAfterMs !== undefined && budgetMs < stopTimeoutMs;
  return {
    event: 'lifecycle.budget',
    budgetMs,
    drainMs,
    hooksMs: budgetMs - drainMs,
    ...(isCutShort && {
      cutShort: {
        killAfterMs,
        neededMs: recommendedKillAfterMs(stopTimeoutMs),
        ...(killer && { by: killer }),
      },
    }),
  };
}
