import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EventLoop } from '../../../src/telegraf/takeover/event-loop.js';
import { openResources } from '../../../src/telegraf/takeover/open-kinds.js';
import { programAtRest } from '../../../src/telegraf/takeover/program-rest.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const eventLoop = new EventLoop({ hold: () => {}, release: () => {} });
  const state = { told: [] as (readonly string[])[], end: 'none' };
  programAtRest(
    { clock, eventLoop, openBefore: openResources(), stillOpen: (kinds) => void state.told.push(kinds) },
    stop.signal,
  ).then(
    () => {
      state.end = 'at rest';
    },
    (reason: unknown) => {
      state.end = `${reason}`;
    },
  );
  return { clock, stop, eventLoop, state };
}

describe('a program without a bot', () => {
  it('is at rest when Node says so, without a word where that is soon', async () => {
    const { clock, eventLoop, state } = setUp();
    await clock.advance(999);
    eventLoop.beforeExit(undefined);
    await settle();
    expect(state).toEqual({ told: [], end: 'at rest' });
    expect(clock.pending).toBe(0);
  });

  it('is told once, with what it has open, while it goes on', async () => {
    const { clock, eventLoop, state } = setUp();
    const server = createServer().listen(0, '127.0.0.1');
    await clock.advance(10_000);
    server.close();
    expect(state).toEqual({ told: [['TCPServerWrap']], end: 'none' });
    eventLoop.beforeExit(undefined);
    await settle();
    expect(state.end).toBe('at rest');
  });

  it('is waited for until the signal aborts', async () => {
    const { stop, clock, state } = setUp();
    stop.abort('launched again');
    await settle();
    expect(state.end).toBe('launched again');
    expect(clock.pending).toBe(0);
  });
});
