import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventLoop } from '../../../src/telegraf/takeover/event-loop.js';

/** An event loop that is waited for, and what it does. */
function waiting() {
  const calls: string[] = [];
  const loop = new EventLoop({
    hold: () => void calls.push('hold'),
    release: () => void calls.push('release'),
  });
  const controller = new AbortController();
  loop.untilEmpty(controller.signal).then(
    () => calls.push('empty'),
    (reason) => calls.push(`${reason}`),
  );
  return { loop, calls, controller, listen: () => void calls.push('listener') };
}

describe('the event loop', () => {
  it('is empty when Node says so, and is held again at once', async () => {
    const { loop, calls } = waiting();
    expect(calls).toEqual(['release']);
    loop.beforeExit(undefined);
    expect(calls).toEqual(['release', 'hold']);
    await turn();
    expect(calls).toEqual(['release', 'hold', 'empty']);
  });

  it('is empty when Node says so for the second time, if listeners have begun nothing', async () => {
    const { loop, calls, listen } = waiting();
    loop.beforeExit(listen);
    expect(calls).toEqual(['release', 'listener']);
    loop.beforeExit(listen);
    await turn();
    expect(calls).toEqual(['release', 'listener', 'hold', 'empty']);
  });

  it('is not empty while listeners have begun something: they are called again behind it', async () => {
    const { loop, calls, listen } = waiting();
    loop.beforeExit(listen);
    await turn();
    await turn();
    loop.beforeExit(listen);
    expect(calls).toEqual(['release', 'listener', 'listener']);
    loop.beforeExit(listen);
    await turn();
    expect(calls).toEqual(['release', 'listener', 'listener', 'hold', 'empty']);
  });

  it('is left to itself when nobody waits for it any longer, and can be waited for again', async () => {
    const { loop, calls, controller, listen } = waiting();
    controller.abort('enough');
    await turn();
    expect(calls.splice(0)).toEqual(['release', 'hold', 'enough']);
    loop.beforeExit(listen);
    expect(calls.splice(0)).toEqual(['listener']);
    const empty = loop.untilEmpty(new AbortController().signal);
    loop.beforeExit(undefined);
    await empty;
    expect(calls).toEqual(['release', 'hold']);
  });

  it('is told to be empty a turn later, so that it may be released again at once', async () => {
    const { loop, calls } = waiting();
    loop.beforeExit(undefined);
    await Promise.resolve();
    await new Promise(process.nextTick);
    expect(calls).toEqual(['release', 'hold']);
    await turn();
    expect(calls).toEqual(['release', 'hold', 'empty']);
  });
});
