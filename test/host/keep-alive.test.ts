import { describe, expect, it } from '@jest/globals';
import { KeepAlive } from '../../src/host/keep-alive.js';

/** A run's surroundings, which write down what becomes of their hold on the process. */
function surroundings() {
  const calls: string[] = [];
  const note = (call: string) => () => void calls.push(call);
  const owner = { channel: { ref: note('channel held'), unref: note('channel released') } };
  return { calls, keepAlive: new KeepAlive(owner) };
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('the hold on the process', () => {
  it('is a timer, and leaves alone what it has not released', () => {
    const { calls, keepAlive } = surroundings();
    const before = timers();
    keepAlive.hold();
    keepAlive.hold();
    expect(timers()).toBe(before + 1);
    keepAlive.end();
    expect(timers()).toBe(before);
    expect(calls).toEqual([]);
  });

  it('is given up and taken again, with that of the channel to the parent', () => {
    const { calls, keepAlive } = surroundings();
    const before = timers();
    keepAlive.hold();
    keepAlive.release();
    expect(timers()).toBe(before);
    expect(calls.splice(0)).toEqual(['channel released']);
    keepAlive.hold();
    expect(timers()).toBe(before + 1);
    expect(calls).toEqual(['channel held']);
    keepAlive.end();
  });
});
