import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type AttemptResult, attempt } from '../../src/lifecycle/attempt.js';
import { DeadlineTimer } from '../../src/lifecycle/deadline.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { hanging, throwing } from './rig.js';

/** An attempt with a limit of 100 ms and a grace of 50 ms. */
function begin(work: (signal: AbortSignal) => unknown) {
  const clock = new FakeClock();
  const deadline = new DeadlineTimer(clock);
  const controller = new AbortController();
  const { signal } = controller;
  deadline.set(100, () => controller.abort(new Error('overdue')));
  const results: AttemptResult[] = [];
  void attempt(() => work(signal), { deadline, signal, graceMs: () => 50 }).then((result) =>
    results.push(result),
  );
  return { clock, signal, results };
}

describe('an attempt', () => {
  it.each<[string, () => unknown, AttemptResult]>([
    ['returns', () => 7, { kind: 'done' }],
    ['resolves', () => Promise.resolve(), { kind: 'done' }],
    ['throws', throwing('boom'), { kind: 'threw', thrown: 'boom' }],
    ['rejects', () => Promise.reject(undefined), { kind: 'threw', thrown: undefined }],
  ])('tells how work that %s has ended, and leaves no timer or listener', async (_, work, expected) => {
    const { clock, signal, results } = begin(work);
    await settle();
    expect(results).toEqual([expected]);
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  });

  it('waits for the grace after the abort, then abandons the work', async () => {
    const { clock, results } = begin(hanging);
    await clock.advance(149);
    expect(results).toEqual([]);
    await clock.advance(1);
    expect(results).toEqual([{ kind: 'abandoned' }]);
    expect(clock.pending).toBe(0);
  });

  it('counts work that ends within the grace', async () => {
    const { clock, results } = begin(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        }),
    );
    await clock.advance(100);
    expect(results).toEqual([{ kind: 'done' }]);
  });
});
