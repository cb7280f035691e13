import { describe, expect, it } from '@jest/globals';
import { Pauses } from '../../src/dispatch/pauses.js';
import { FakeClock, settle } from '../support/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const controller = new AbortController();
  const pauses = new Pauses(clock);
  return {
    clock,
    controller,
    pauses,
    pause: (ms: number, latestEnd = Number.POSITIVE_INFINITY) =>
      pauses.pause(ms, latestEnd, controller.signal),
  };
}

describe('a pause', () => {
  it('ends after its time', async () => {
    const { clock, pause } = setUp();
    let result: boolean | undefined;
    void pause(2_000).then((waited) => {
      result = waited;
    });
    await clock.advance(1_999);
    expect(result).toBeUndefined();
    await clock.advance(1);
    expect(result).toBe(true);
  });

  it('is not begun unless the handler has 1 s behind it', async () => {
    const { clock, pause } = setUp();
    expect(await pause(2_000, clock.now() + 2_999)).toBe(false);
    const enough = pause(2_000, clock.now() + 3_000);
    await clock.advance(2_000);
    expect(await enough).toBe(true);
  });

  it("ends by the signal's reason, also where that has aborted before", async () => {
    const { controller, pause } = setUp();
    const paused = pause(2_000);
    controller.abort(new Error('the stop'));
    await expect(paused).rejects.toThrow('the stop');
    await expect(pause(2_000)).rejects.toThrow('the stop');
  });

  it('is given up when a drain begins that it would outlast, or that leaves no time behind it', async () => {
    const { clock, pauses, pause } = setUp();
    const long = pause(9_001);
    const short = pause(9_000);
    pauses.endBy(clock.now() + 10_000);
    expect(await long).toBe(false);
    expect(await pause(9_001)).toBe(false);
    await settle();
    await clock.advance(9_000);
    expect(await short).toBe(true);
  });
});
