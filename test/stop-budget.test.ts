import { describe, expect, it } from '@jest/globals';
import { unsupervised } from '../src/host/supervisor.js';
import { budgetEvent, stopBudget } from '../src/stop-budget.js';

const pm2 = { ...unsupervised, kind: 'pm2', stopLimitMs: 1_200, killAfterMs: 1_600 } as const;
const lifecycle = { stopLimitMs: () => 800 };

describe('the budget of a stop', () => {
  it('is what the settings say, or what the supervisor leaves of it', () => {
    expect(stopBudget(90_000, unsupervised)).toEqual({
      budgetMs: 90_000,
      confirmMs: 1_000,
      confirmTimeoutMs: 900,
    });
    expect(stopBudget(90_000, pm2)).toEqual({ budgetMs: 1_200, confirmMs: 120, confirmTimeoutMs: 108 });
    expect(stopBudget(1_000, pm2).budgetMs).toBe(1_000);
  });

  it('is told with its shares, and with what to change where the supervisor cuts it short', () => {
    const event = { event: 'lifecycle.budget', budgetMs: 1_200, drainMs: 800, hooksMs: 400 };
    expect(budgetEvent(lifecycle, stopBudget(90_000, pm2), 90_000, pm2)).toEqual({
      ...event,
      cutShort: { killAfterMs: 1_600, neededMs: 95_000 },
    });
    const { killAfterMs: _, ...silent } = pm2;
    expect(budgetEvent(lifecycle, stopBudget(90_000, silent), 90_000, silent)).toMatchObject({
      cutShort: { killAfterMs: 1_200 },
    });
    expect(budgetEvent(lifecycle, stopBudget(1_200, pm2), 1_200, pm2)).toEqual(event);
  });
});
