import { pbkdf2 } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ComputingThreads, type ThreadTimes } from '../../../src/telegraf/takeover/computing-threads.js';

interface Times extends Pick<ThreadTimes, 'usedMs' | 'loopMs'> {
  /** What a thread has run and waited in all, at each of the two looks that saw it do so. */
  readonly runnableMs?: readonly [number | undefined, number | undefined] | undefined;
}

const runnable = (ms: number | undefined): ReadonlyMap<string, number> =>
  new Map(ms === undefined ? [] : [['17', ms]]);

/** Whether threads have computed while so much time of the processor and of the event loop went by, in 100 ms. */
function haveComputed({
  usedMs,
  loopMs,
  runnableMs: [before, after] = [undefined, undefined],
}: Times): boolean {
  let now: ThreadTimes = { usedMs: 5_000, loopMs: 4_000, nowMs: 60_000, runnable: runnable(before) };
  const threads = new ComputingThreads(() => now);
  now = { usedMs: 5_000 + usedMs, loopMs: 4_000 + loopMs, nowMs: 60_100, runnable: runnable(after) };
  return threads.haveComputed();
}

describe('threads beside the event loop', () => {
  it('compute when more of the processor is used than the event loop can have used', () => {
    expect(haveComputed({ usedMs: 100, loopMs: 0 })).toBe(true);
    expect(haveComputed({ usedMs: 180, loopMs: 90 })).toBe(true);
  });

  it('compute on a machine that leaves them a twentieth of a processor', () => {
    expect(haveComputed({ usedMs: 6, loopMs: 1 })).toBe(true);
  });

  it.each<[string, Times['runnableMs']]>([
    ['has waited for most of the time', [2_000, 2_050]],
    ['still waits, of which the system has added nothing yet', [2_000, 2_000]],
  ])('compute when the machine has left them no processor, for which one %s', (_, runnableMs) => {
    expect(haveComputed({ usedMs: 0, loopMs: 0, runnableMs })).toBe(true);
  });

  it.each<[string, Times['runnableMs']]>([
    ['runs for a moment', [undefined, 2_000]],
    ['has run for a moment', [2_000, undefined]],
    ['wakes again and again', [2_000, 2_049]],
  ])('do not compute when one of them %s', (_, runnableMs) => {
    expect(haveComputed({ usedMs: 1, loopMs: 0, runnableMs })).toBe(false);
  });

  it('do not compute when only the event loop works, or nothing', () => {
    expect(haveComputed({ usedMs: 95, loopMs: 100 })).toBe(false);
    expect(haveComputed({ usedMs: 2, loopMs: 1 })).toBe(false);
  });

  it('are asked about the time since they were asked last', () => {
    let usedMs = 0;
    let nowMs = 0;
    const threads = new ComputingThreads(() => ({ usedMs, loopMs: 0, nowMs, runnable: new Map() }));
    usedMs = nowMs = 100;
    expect(threads.haveComputed()).toBe(true);
    nowMs = 200;
    expect(threads.haveComputed()).toBe(false);
  });

  it('are those of this process, at each look while they compute', async () => {
    const threads = new ComputingThreads();
    const looks: boolean[] = [];
    let isOver = false;
    const hash = promisify(pbkdf2)('password', 'salt', 1e6, 32, 'sha256').finally(() => {
      isOver = true;
    });
    for (;;) {
      await setImmediate();
      if (isOver) break;
      looks.push(threads.haveComputed());
    }
    await hash;
    expect(looks.length).toBeGreaterThan(0);
    // The thread may not have begun at the first look, and may be over at the last ones.
    expect(looks.filter((has) => has).length).toBeGreaterThan(looks.length * 0.9);
  });
});
