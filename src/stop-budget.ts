/** How long a stop may take, by the settings and by the supervisor's patience. */
import type { BudgetEvent } from './host/events.js';
import { recommendedKillAfterMs, type Supervisor } from './host/supervisor.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import { StopReason } from './lifecycle/stop-reason.js';

/** The most that the drain keeps for the final confirm; it is a tenth of a budget of less than ten times as much. */
const CONFIRM_MS = 1_000;
/** The confirm gives up a little before its time is over, so that the log names it and not the drain. */
const CONFIRM_TIMEOUT_SHARE = 0.9;

export interface StopBudget {
  /** For the whole stop. */
  readonly budgetMs: number;
  /** How much of the drain's time is kept for the final confirm. */
  readonly confirmMs: number;
  readonly confirmTimeoutMs: number;
}

export function stopBudget(stopTimeoutMs: number, { stopLimitMs }: Supervisor): StopBudget {
  const budgetMs = Math.min(stopTimeoutMs, stopLimitMs ?? Number.POSITIVE_INFINITY);
  const confirmMs = Math.min(CONFIRM_MS, budgetMs / 10);
  return { budgetMs, confirmMs, confirmTimeoutMs: confirmMs * CONFIRM_TIMEOUT_SHARE };
}

/** Tells the budget and its shares. True once all hooks have started. */
export function budgetEvent(
  lifecycle: Pick<Lifecycle, 'stopLimitMs'>,
  { budgetMs }: StopBudget,
  stopTimeoutMs: number,
  { stopLimitMs, killAfterMs = stopLimitMs }: Supervisor,
): BudgetEvent {
  const drainMs = lifecycle.stopLimitMs('drain', StopReason.request('lifecycle.stop'));
  const isCutShort = killAfterMs !== undefined && budgetMs < stopTimeoutMs;
  return {
    event: 'lifecycle.budget',
    budgetMs,
    drainMs,
    hooksMs: budgetMs - drainMs,
    ...(isCutShort && { cutShort: { killAfterMs, neededMs: recommendedKillAfterMs(stopTimeoutMs) } }),
  };
}
