import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UpdateQueue } from '../../src/sandbox/update-queue.js';
import { FakeClock } from '../support/fake-clock.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

function queueOf(count: number, nextId = 100) {
  const clock = new FakeClock();
  const queue = new UpdateQueue({ clock, nextId });
  for (let number = 0; number < count; number++) queue.push({ message: { number } }, DAY_MS);
  const read = (offset: number, limit = 100) => queue.read(offset, limit).map(idOf);
  return { clock, queue, read };
}

const idOf = (json: string): unknown => JSON.parse(json).update_id;

describe('the queue of updates', () => {
  it('gives each update the next id', () => {
    const { queue } = queueOf(0);
    expect(queue.push({ message: { text: 'hé' } }, DAY_MS)).toBe(100);
    expect(queue.push({ poll: {} }, DAY_MS)).toBe(101);
    expect(queue.read(0, 100).map((json) => JSON.parse(json))).toEqual([
      { update_id: 100, message: { text: 'hé' } },
      { update_id: 101, poll: {} },
    ]);
  });

  it('returns unconfirmed updates again', () => {
    const { read } = queueOf(3);
    expect(read(0)).toEqual([100, 101, 102]);
    expect(read(0)).toEqual([100, 101, 102]);
  });

  it('removes the updates below an offset', () => {
    const { queue, read } = queueOf(3);
    expect(read(102)).toEqual([102]);
    expect(read(0)).toEqual([102]);
    expect(queue.size).toBe(1);
  });

  it('removes all but the last n updates with the offset -n', () => {
    const { read } = queueOf(5);
    expect(read(-2)).toEqual([103, 104]);
    expect(read(0)).toEqual([103, 104]);
    expect(read(-50)).toEqual([103, 104]);
  });

  it('ignores an offset far in the future', () => {
    const { read } = queueOf(3);
    expect(read(103 + 11)).toEqual([100, 101, 102]);
    expect(read(103 + 10)).toEqual([]);
    expect(read(0)).toEqual([]);
  });

  it('ignores an offset far in the past', () => {
    const { read } = queueOf(2, 3_000_000);
    expect(read(1)).toEqual([3_000_000, 3_000_001]);
  });

  it('ignores an offset two million below the next id, even if older updates are queued', () => {
    const { queue, read } = queueOf(2);
    queue.setNextId(2_000_101);
    expect(read(101)).toEqual([101]);
    queue.setNextId(2_000_103);
    expect(read(102)).toEqual([101]);
  });

  it('reads no more than the limit', () => {
    const { read } = queueOf(5);
    expect(read(0, 2)).toEqual([100, 101]);
    expect(read(102, 2)).toEqual([102, 103]);
  });

  it('cuts a response short before it exceeds four megabytes', () => {
    const { queue, read } = queueOf(0);
    for (let count = 0; count < 10; count++) queue.push({ message: { text: 'é'.repeat(250_000) } }, DAY_MS);
    expect(read(0)).toHaveLength(8);
  });

  it('keeps an update until it expires', async () => {
    const { clock, queue, read } = queueOf(1);
    await clock.advance(HOUR_MS);
    queue.push({ message: {} }, DAY_MS);
    queue.push({ callback_query: {} }, 150_000);
    await clock.advance(150_001);
    expect(read(0)).toEqual([100, 101]);
    await clock.advance(DAY_MS - HOUR_MS);
    expect(read(0)).toEqual([101]);
    await clock.advance(HOUR_MS);
    expect(queue.size).toBe(0);
  });

  it('accepts a lower next id only while it is empty', () => {
    const { queue, read } = queueOf(2);
    expect(() => queue.setNextId(50)).toThrow(RangeError);
    queue.setNextId(200);
    expect(queue.push({ message: {} }, DAY_MS)).toBe(200);
    expect(read(201)).toEqual([]);
    queue.setNextId(50);
    queue.push({ message: {} }, DAY_MS);
    // The client still uses its old offset, which is ignored.
    expect(read(201)).toEqual([50]);
    expect(read(51)).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it('keeps the next id when it is cleared', () => {
    const { queue, read } = queueOf(3);
    queue.clear();
    expect(queue.size).toBe(0);
    expect(queue.push({ message: {} }, DAY_MS)).toBe(103);
    expect(read(0)).toEqual([103]);
  });

  it('agrees with a model on every course of events', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 700 }) }),
      fc.record({
        do: fc.constant('read' as const),
        // Relative to the next id: behind, at and beyond it, and sometimes from the end.
        offset: fc.oneof(
          fc.integer({ min: -900, max: 20 }).map((by) => ({ by })),
          fc.integer({ min: -50, max: 0 }).map((at) => ({ at })),
        ),
        limit: fc.integer({ min: 1, max: 100 }),
      }),
      fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant('jump' as const), to: fc.integer({ min: 1_000, max: 9_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = new FakeClock();
        const queue = new UpdateQueue({ clock, nextId: 5_000 });
        let next = 5_000;
        let model: { id: number; until: number }[] = [];
        for (const event of steps) {
          if (event.do === 'wait') await clock.advance(event.hours * HOUR_MS);
          model = model.filter(({ until }) => until >= clock.now());
          if (event.do === 'push') {
            for (let count = 0; count < event.count; count++) {
              model.push({ id: next, until: clock.now() + DAY_MS });
              expect(queue.push({ message: {} }, DAY_MS)).toBe(next++);
            }
          } else if (event.do === 'jump' && model.length === 0) {
            next = event.to;
            queue.setNextId(next);
          } else if (event.do === 'read') {
            const offset = 'by' in event.offset ? next + event.offset.by : event.offset.at;
            const from = offset > 0 ? offset : offset < 0 ? next + offset : 0;
            if (from <= next + 10) model = model.filter(({ id }) => id >= from);
            expect(queue.read(offset, event.limit).map(idOf)).toEqual(
              model.slice(0, event.limit).map(({ id }) => id),
            );
          }
          expect(queue.size).toBe(model.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
