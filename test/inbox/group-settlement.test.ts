import { describe, expect, it } from '@jest/globals';
import { newCounters } from '../../src/inbox/counters.js';
import { GroupSettlement } from '../../src/inbox/group-settlement.js';
import { orderKey, updateId } from '../../src/inbox/ids.js';
import type { Entry } from '../../src/inbox/inbox.js';

/** A settlement over an inbox that hands out one entry after the other, and what that inbox is told. */
function setUp() {
  const told: string[] = [];
  const handedOut: Entry<string>[] = [];
  const settlement = new GroupSettlement<string>({
    take: () => handedOut.splice(0),
    hasReady: true,
    outlivesRun: true,
    expiresAfterMs: 0,
    counts: { ...newCounters(), waiting: 0, taken: 0, dead: 0, mayRepeat: 0 },
    settle: ({ update }, result, error) =>
      told.push(`${update} ${result}${error === undefined ? '' : ` ${error}`}`),
    putBack: ({ update }, { delayMs }) => told.push(`${update} back ${delayMs}`),
  });
  let arrived = 0;
  /** Takes an entry of the group. */
  const take = (name: string, group?: string): Entry<string> => {
    const entry = {
      updateId: updateId(++arrived),
      key: orderKey('k'),
      kind: 'message',
      group,
      attempt: 1,
      putBacks: 0,
      retries: 0,
      acceptedAtMs: 0,
      update: name,
    };
    handedOut.push(entry);
    expect(settlement.take(1)).toEqual([entry]);
    return entry;
  };
  return { settlement, told, take };
}

const retry = { delayMs: 5, isRetry: false };

describe('updates of a group', () => {
  it('settle together, once the last of them has ended', () => {
    const { settlement, told, take } = setUp();
    const [a, b] = [take('a', 'g'), take('b', 'g')];
    settlement.settle(a, 'handled');
    const c = take('c', 'g');
    settlement.settle(b, 'handled');
    expect(told).toEqual([]);
    settlement.settle(c, 'handled');
    expect(told).toEqual(['a handled', 'b handled', 'c handled']);
  });

  it('are put back together, if the last one is', () => {
    const { settlement, told, take } = setUp();
    const [a, b] = [take('a', 'g'), take('b', 'g')];
    settlement.settle(a, 'handled');
    settlement.putBack(b, retry);
    expect(told).toEqual(['a back 5', 'b back 5']);
  });

  it('wait for no more than those at work: what fails or is put back before the last does so alone', () => {
    const { settlement, told, take } = setUp();
    const [a, b, c] = [take('a', 'g'), take('b', 'g'), take('c', 'g')];
    settlement.putBack(a, retry);
    settlement.settle(b, 'failed', 'no');
    expect(told).toEqual(['a back 5', 'b failed no']);
    settlement.settle(c, 'handled');
    expect(told.slice(2)).toEqual(['c handled']);
  });

  it('are put back in the order of their arrival', () => {
    const { settlement, told, take } = setUp();
    const [a, b, c] = [take('a', 'g'), take('b', 'g'), take('c', 'g')];
    settlement.settle(c, 'handled');
    settlement.settle(a, 'handled');
    settlement.putBack(b, retry);
    expect(told).toEqual(['a back 5', 'b back 5', 'c back 5']);
  });

  it('fail with the last one', () => {
    const { settlement, told, take } = setUp();
    const [a, b] = [take('a', 'g'), take('b', 'g')];
    settlement.settle(a, 'handled');
    settlement.settle(b, 'timed-out', 'late');
    expect(told).toEqual(['a timed-out late', 'b timed-out late']);
  });

  it('do not wait for other groups, nor does what has no group', () => {
    const { settlement, told, take } = setUp();
    const [a, b, c] = [take('a', 'g'), take('b', 'h'), take('c')];
    settlement.settle(c, 'handled');
    settlement.settle(a, 'handled');
    settlement.putBack(b, retry);
    expect(told).toEqual(['c handled', 'a handled', 'b back 5']);
  });
});
