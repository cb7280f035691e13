import { describe, expect, it } from '@jest/globals';
import type { Resources } from '../../../src/telegraf/takeover/open-resources.js';
import { type ProgramStop, stopProgram } from '../../../src/telegraf/takeover/program-stop.js';
import { FakeClock } from '../../support/fake-clock.js';

const GRACE_MS = 1_000;
const open = (kinds: Record<string, number>): Resources => new Map(Object.entries(kinds));

/** A program's turn on a clock that stands still; what is open changes as the test says. */
function turn(options: Partial<ProgramStop> = {}, { remainingMs = Number.POSITIVE_INFINITY } = {}) {
  const clock = new FakeClock();
  const overdue = new AbortController();
  const state = { open: open({}), leftOpen: [] as string[][], over: false };
  const over = stopProgram(
    {
      listeners: [],
      settleLaunches: () => true,
      process: { exitRequested: new Promise(() => {}), requestedExitCode: undefined, exitCodeSet: undefined },
      openBefore: open({}),
      openResources: () => state.open,
      graceMs: GRACE_MS,
      clock,
      leftOpen: (kinds) => void state.leftOpen.push([...kinds]),
      ...options,
    },
    { signal: overdue.signal, deadline: { remainingMs: () => remainingMs - clock.now() } },
  ).finally(() => {
    state.over = true;
  });
  over.catch(() => {});
  return { clock, overdue, state, over };
}

describe("the program's turn", () => {
  it('is over in 10 ms when nothing is open, and leaves no timer', async () => {
    const { clock, state } = turn();
    await clock.advance(10);
    expect(state.over).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is not over at the first quiet moment: the next step may be about to begin', async () => {
    const { clock, state } = turn();
    await clock.advance(2);
    state.open = open({ FSReqCallback: 1 });
    await clock.advance(100);
    expect(state.over).toBe(false);
    state.open = open({});
    await clock.advance(100);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([]);
  });

  it('does not wait for what was open before the program was', async () => {
    const { clock, state } = turn({ openBefore: open({ PipeWrap: 2, TCPServerWrap: 1 }) });
    state.open = open({ PipeWrap: 2, TCPServerWrap: 1 });
    await clock.advance(10);
    expect(state.over).toBe(true);
  });

  it('is over at once for a module that has nothing to do in it: what it has open, hooks of its own may close', async () => {
    const { clock, state } = turn({
      settleLaunches: () => false,
      openResources: () => open({ TCPSocketWrap: 1 }),
    });
    await clock.advance(0);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([]);
  });

  it('counts only timers that are added to those of its beginning', async () => {
    let timers = 3;
    const options = { openResources: () => open({ Timeout: timers }) };
    const quiet = turn(options);
    await quiet.clock.advance(10);
    expect(quiet.state.over).toBe(true);

    const busy = turn({
      ...options,
      listeners: [
        () => {
          timers++;
        },
      ],
    });
    await busy.clock.advance(10);
    expect(busy.state.over).toBe(false);
  });

  it('is over after the grace, and says what is open', async () => {
    const { clock, state } = turn();
    state.open = open({ TCPServerWrap: 1, TCPSocketWrap: 2 });
    await clock.advance(GRACE_MS - 1);
    expect(state.over).toBe(false);
    await clock.advance(30);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([['TCPServerWrap', 'TCPSocketWrap']]);
  });

  it('begins the grace when what the listeners returned has settled', async () => {
    let finish = () => {};
    const listener = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    const { clock, state } = turn({ listeners: [listener] });
    state.open = open({ TCPServerWrap: 1 });
    await clock.advance(10 * GRACE_MS);
    expect(state.over).toBe(false);
    finish();
    await clock.advance(GRACE_MS - 1);
    expect(state.over).toBe(false);
    await clock.advance(30);
    expect(state.over).toBe(true);
  });

  it('ends the grace in time before the deadline', async () => {
    const { clock, state } = turn({}, { remainingMs: 500 });
    state.open = open({ TCPServerWrap: 1 });
    await clock.advance(430);
    expect(state.over).toBe(true);
  });

  it('ends with the process.exit of the program, at once, and says nothing of what is open', async () => {
    let exit = () => {};
    const exitRequested = new Promise<number>((resolve) => {
      exit = () => resolve(0);
    });
    const { clock, state } = turn({
      process: { exitRequested, requestedExitCode: undefined, exitCodeSet: undefined },
    });
    state.open = open({ TCPServerWrap: 1 });
    await clock.advance(100);
    exit();
    await clock.advance(0);
    expect(state.over).toBe(true);
    await clock.advance(10 * GRACE_MS);
    expect(state.leftOpen).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of the signal that cuts it', async () => {
    const { overdue, over } = turn({ listeners: [() => new Promise(() => {})] });
    overdue.abort(new Error('overdue'));
    await expect(over).rejects.toThrow('overdue');
  });

  it('settles launches behind the listeners, in the same turn of the event loop', async () => {
    const order: string[] = [];
    const settleLaunches = () => order.push('launches') > 0;
    turn({ listeners: [() => order.push('listener')], settleLaunches });
    expect(order).toEqual(['listener', 'launches']);
  });

  it.each([
    [0, 7, false],
    [3, undefined, true],
    [undefined, 7, true],
    [undefined, 0, false],
  ])('process.exit(%p) with exitCode %p fails: %p', async (requestedExitCode, exitCodeSet, fails) => {
    const { clock, over } = turn({
      process: { exitRequested: new Promise(() => {}), requestedExitCode, exitCodeSet },
    });
    await clock.advance(10);
    if (fails) await expect(over).rejects.toMatchObject({ code: 'HOOK_FAILED', culprit: 'program' });
    else await expect(over).resolves.toBeUndefined();
  });
});
