import { describe, expect, it } from '@jest/globals';
import type { Resources } from '../../../src/telegraf/takeover/open-kinds.js';
import { programAtRest } from '../../../src/telegraf/takeover/program-rest.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

const open = (kinds: Record<string, number>): Resources => new Map(Object.entries(kinds));

function setUp(now: Record<string, number>, before: Record<string, number> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const state = { open: open(now), told: [] as string[][], end: 'none' };
  programAtRest(
    {
      clock,
      openBefore: open(before),
      openResources: () => state.open,
      stillOpen: (kinds) => void state.told.push([...kinds]),
    },
    stop.signal,
  ).then(
    () => {
      state.end = 'at rest';
    },
    (reason: unknown) => {
      state.end = `${reason}`;
    },
  );
  return { clock, stop, state };
}

describe('a program without a bot', () => {
  it('is at rest in 10 ms when nothing is open but what was before', async () => {
    const { clock, state } = setUp({ PipeWrap: 2, Timeout: 1 }, { PipeWrap: 2, Timeout: 1 });
    await clock.advance(10);
    expect(state).toMatchObject({ end: 'at rest', told: [] });
    expect(clock.pending).toBe(0);
  });

  it('is not while it has a timer of its own, or a server, which is told once', async () => {
    const { clock, state } = setUp({ Timeout: 3, TCPServerWrap: 1 }, { Timeout: 2 });
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(state).toMatchObject({ end: 'none', told: [['Timeout', 'TCPServerWrap']] });
    state.open = open({ Timeout: 2 });
    await clock.advance(1_000);
    expect(state.end).toBe('at rest');
  });

  it('is waited for until the signal aborts', async () => {
    const { stop, state } = setUp({ TCPServerWrap: 1 });
    stop.abort('launched again');
    await settle();
    expect(state.end).toBe('launched again');
  });
});
