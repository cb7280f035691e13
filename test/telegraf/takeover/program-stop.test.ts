import { describe, expect, it } from '@jest/globals';
import type { OpenResources } from '../../../src/telegraf/takeover/open-resources.js';
import {
  type ProgramStop,
  type StopContext,
  stopProgram,
} from '../../../src/telegraf/takeover/program-stop.js';
import { FakeClock } from '../../support/fake-clock.js';

const GRACE_MS = 1_000;
const nothing: OpenResources = { work: [], others: [], planned: [] };
const work = (...kinds: string[]): OpenResources => ({ work: kinds, others: [], planned: [] });
const others = (...kinds: string[]): OpenResources => ({ work: [], others: kinds, planned: [] });

/** A program's turn on a clock that stands still; what is open changes as the test says. */
function turn(
  options: Partial<ProgramStop> = {},
  {
    remainingMs = Number.POSITIVE_INFINITY,
    ...context
  }: { remainingMs?: number } & Partial<StopContext> = {},
) {
  const clock = new FakeClock();
  const overdue = new AbortController();
  const state = { open: nothing, leftOpen: [] as string[][], over: false, exit: () => {} };
  let empty = () => {};
  const over = stopProgram(
    {
      listeners: [],
      settleLaunches: () => true,
      process: {
        exitRequested: new Promise(() => {}),
        requestedExitCode: undefined,
        exitCodeSet: undefined,
        endBy: () => {},
      },
      untilEmpty: () =>
        new Promise((resolve) => {
          empty = resolve;
        }),
      look: () => state.open,
      graceMs: GRACE_MS,
      clock,
      leftOpen: (kinds) => void state.leftOpen.push([...kinds]),
      exiting: () => undefined,
      ...options,
    },
    { signal: overdue.signal, deadline: { remainingMs: () => remainingMs - clock.now() }, ...context },
  ).finally(() => {
    state.over = true;
  });
  over.catch(() => {});
  return { clock, overdue, state, over, empty: () => empty() };
}

describe("the program's turn", () => {
  it('is over at once when the program has nothing left to do, and leaves no timer', async () => {
    const { clock, state, empty } = turn({ look: () => others('TCPServerWrap') });
    empty();
    await clock.advance(0);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is over in 10 ms when only schedules keep the process alive', async () => {
    const { clock, state } = turn();
    await clock.advance(10);
    expect(state.over).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is not over at the first quiet moment: the next step may be about to begin', async () => {
    const { clock, state } = turn();
    await clock.advance(2);
    state.open = work('FSReqCallback');
    await clock.advance(100);
    expect(state.over).toBe(false);
    state.open = nothing;
    await clock.advance(100);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([]);
  });

  it('lasts for as long as there is work, beyond the grace', async () => {
    const { clock, state } = turn({}, { remainingMs: 60_000 });
    state.open = work('ProcessWrap');
    await clock.advance(50_000);
    expect(state.over).toBe(false);
    state.open = nothing;
    await clock.advance(100);
    expect(state.over).toBe(true);
  });

  it('fails when work is cut, just before the deadline, and names it with what else is open', async () => {
    const { clock, state, over } = turn({}, { remainingMs: 5_000 });
    state.open = { work: ['Timeout'], others: ['TCPServerWrap'], planned: [] };
    await clock.advance(4_850);
    expect(state.over).toBe(false);
    await clock.advance(100);
    await expect(over).rejects.toMatchObject({ code: 'WORK_CUT', culprit: 'program', exitCode: 1 });
    expect(state.leftOpen).toEqual([['Timeout', 'TCPServerWrap']]);
  });

  it('gives work no more than the grace where Node would have ended the process', async () => {
    const { clock, state, over } = turn({}, { remainingMs: 60_000, isHurried: true });
    state.open = work('Timeout');
    await clock.advance(GRACE_MS + 30);
    expect(state.over).toBe(true);
    await expect(over).resolves.toBeUndefined();
    expect(state.leftOpen).toEqual([['Timeout']]);
  });

  it('waits for the work of a module without listeners, and for nothing else: hooks of its own may close that', async () => {
    const { clock, state } = turn({ settleLaunches: () => false });
    state.open = { work: ['Timeout'], others: ['TCPSocketWrap'], planned: [] };
    await clock.advance(5_000);
    expect(state.over).toBe(false);
    state.open = others('TCPSocketWrap');
    await clock.advance(100);
    expect(state.over).toBe(true);
    expect(state.leftOpen).toEqual([]);
  });

  it('is over after the grace, and says what is open', async () => {
    const { clock, state } = turn();
    state.open = others('TCPServerWrap', 'TCPSocketWrap');
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
    state.open = others('TCPServerWrap');
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
    state.open = others('TCPServerWrap');
    await clock.advance(430);
    expect(state.over).toBe(true);
  });

  it('ends with the process.exit of the program, at once, and says nothing of what is open', async () => {
    let exit = () => {};
    const exitRequested = new Promise<number>((resolve) => {
      exit = () => resolve(0);
    });
    const { clock, state } = turn({
      process: { exitRequested, requestedExitCode: undefined, exitCodeSet: undefined, endBy: () => {} },
    });
    state.open = others('TCPServerWrap');
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
    ['a signal that the program listens for', [() => {}], false, true],
    ['a signal that nobody listens for', [], false, false],
    ["the program's own bot.stop()", [], true, true],
  ])('by %s: launches resolve as they do without lastcall', async (_, listeners, isRequested, resolving) => {
    const settled: boolean[] = [];
    const settleLaunches = (resolves: boolean) => settled.push(resolves) > 0;
    turn({ listeners, settleLaunches }, { isRequested });
    expect(settled).toEqual([resolving]);
  });

  it('tells of a failed listener when process.exit ends the process', async () => {
    const errors: unknown[] = [];
    let end: (() => number | undefined) | undefined;
    turn({
      listeners: [
        () => {
          throw new Error('no disk');
        },
        () => end?.(),
      ],
      process: {
        exitRequested: new Promise(() => {}),
        requestedExitCode: undefined,
        exitCodeSet: undefined,
        endBy(how) {
          end = how;
        },
      },
      exiting(error) {
        errors.push(error);
        return 1;
      },
    });
    expect(errors).toMatchObject([{ code: 'HOOK_FAILED', message: expect.stringContaining('no disk') }]);
  });

  it.each([
    [0, 7, false],
    [3, undefined, true],
    [undefined, 7, true],
    [undefined, 0, false],
  ])('process.exit(%p) with exitCode %p fails: %p', async (requestedExitCode, exitCodeSet, fails) => {
    const { clock, over } = turn({
      process: { exitRequested: new Promise(() => {}), requestedExitCode, exitCodeSet, endBy: () => {} },
    });
    await clock.advance(10);
    if (fails) await expect(over).rejects.toMatchObject({ code: 'HOOK_FAILED', culprit: 'program' });
    else await expect(over).resolves.toBeUndefined();
  });
});
