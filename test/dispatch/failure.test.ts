import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, type FailedItem, type Failure } from '../../src/dispatch/failure.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const fresh: FailedItem = { putBacks: 0, retries: 0, ageMs: 0 };
const options = { retries: 3, expiresAfterMs: DAY_MS, random: () => 1 };

describe('what becomes of an item whose handler failed', () => {
  it.each<[Failure, Partial<FailedItem>, object]>([
    [{ kind: 'unreachable' }, {}, { does: 'put back', delayMs: 1_000, isRetry: false }],
    [{ kind: 'unreachable' }, { putBacks: 2 }, { does: 'put back', delayMs: 4_000, isRetry: false }],
    [{ kind: 'unreachable' }, { putBacks: 30 }, { does: 'put back', delayMs: 600_000, isRetry: false }],
    [
      { kind: 'rate-limited', retryAfterMs: 7_000 },
      { putBacks: 5 },
      { does: 'put back', delayMs: 32_000, isRetry: false },
    ],
    [{ kind: 'rate-limited', retryAfterMs: 7_000 }, {}, { does: 'put back', delayMs: 7_000, isRetry: false }],
    [{ kind: 'asked', delayMs: 30_000 }, {}, { does: 'put back', delayMs: 30_000, isRetry: false }],
    [{ kind: 'stopping' }, {}, { does: 'leave' }],
    [{ kind: 'error' }, {}, { does: 'put back', delayMs: 5_000, isRetry: true }],
    [{ kind: 'error' }, { retries: 2, putBacks: 9 }, { does: 'put back', delayMs: 20_000, isRetry: true }],
    [{ kind: 'error' }, { retries: 3 }, { does: 'give up', why: 'failed' }],
    [{ kind: 'unreachable' }, { ageMs: DAY_MS }, { does: 'give up', why: 'expired' }],
    [{ kind: 'asked', delayMs: 2 * DAY_MS }, {}, { does: 'give up', why: 'expired' }],
    [{ kind: 'stopping' }, { ageMs: DAY_MS }, { does: 'leave' }],
  ])('%j of %j: %j', (failure, item, decision) => {
    expect(decide(failure, { ...fresh, ...item }, options)).toEqual(decision);
  });

  it('by default an error is not tried again', () => {
    expect(decide({ kind: 'error' }, fresh, { ...options, retries: 0 })).toEqual({
      does: 'give up',
      why: 'failed',
    });
  });

  it('waits between half of its delay and all of it, at most 10 min for Telegram', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (putBacks, random) => {
          const decision = decide(
            { kind: 'unreachable' },
            { ...fresh, putBacks },
            { retries: 0, expiresAfterMs: DAY_MS, random: () => random },
          );
          if (decision.does !== 'put back') throw new Error(decision.does);
          const longest = Math.min(600_000, 1_000 * 2 ** putBacks);
          expect(decision.delayMs).toBeGreaterThanOrEqual(longest / 2 - 1);
          expect(decision.delayMs).toBeLessThanOrEqual(longest);
        },
      ),
    );
  });
});
