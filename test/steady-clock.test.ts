import { describe, expect, it } from '@jest/globals';
import { SteadyClock } from '../src/steady-clock.js';
import { FakeClock, settle } from './support/fake-clock.js';

/** A started clock over a stepped source, and the stand-stills that it has told. */
function given(cpuMs = () => 0) {
  const source = new FakeClock();
  const told: number[] = [];
  const clock = new SteadyClock({ source, cpuMs, stoodStill: (ms) => told.push(ms) });
  clock.start();
  return { source, told, clock };
}

describe('a steady clock', () => {
  it('follows its source while the event loop turns, however long nobody reads it', async () => {
    const { source, told, clock } = given();
    await source.advance(3_600_000);
    expect(clock.now()).toBe(3_600_000);
    expect(told).toEqual([]);
  });

  it('leaves out the time in which the process stood still, and tells it once', async () => {
    const { source, told, clock } = given();
    await source.advance(10_000);
    source.skip(120_000);
    expect(clock.now()).toBe(10_000);
    await source.advance(5_000);
    expect(clock.now()).toBe(15_000);
    expect(told).toEqual([120_000]);
  });

  it('leaves out each of several stand-stills', async () => {
    const { source, told, clock } = given();
    for (const ms of [7_000, 8_000]) {
      source.skip(ms);
      await source.advance(1_000);
    }
    expect(clock.now()).toBe(2_000);
    expect(told).toEqual([7_000, 8_000]);
  });

  it('counts the time of an event loop that was busy for no more than 5 s', async () => {
    const { source, told, clock } = given();
    source.skip(5_000);
    await source.advance(0);
    expect(clock.now()).toBe(5_000);
    expect(told).toEqual([]);
  });

  it('counts the time for which the program has computed, however long that was', async () => {
    let cpuMs = 0;
    const { source, told, clock } = given(() => cpuMs);
    for (let block = 0; block < 3; block++) {
      cpuMs += 6_000;
      source.skip(10_000);
      await source.advance(500);
    }
    expect(clock.now()).toBe(31_500);
    source.skip(10_000);
    expect(clock.now()).toBe(31_500);
    expect(told).toEqual([10_000]);
  });

  it('leaves nothing out once it is stopped, and has no timer then', async () => {
    const { source, told, clock } = given();
    clock.stop();
    source.skip(60_000);
    expect(clock.now()).toBe(60_000);
    expect(told).toEqual([]);
    expect(source.pending).toBe(0);
  });
});

describe('a timer of a steady clock', () => {
  it('waits for the rest after a stand-still', async () => {
    const { source, clock } = given();
    let fired = 0;
    clock.after(10_000, () => fired++);
    await source.advance(4_000);
    source.skip(60_000);
    await source.advance(5_990);
    expect(fired).toBe(0);
    await source.advance(10);
    expect(fired).toBe(1);
    await source.advance(60_000);
    expect(fired).toBe(1);
  });

  it('can be cancelled before and after a stand-still', async () => {
    const { source, clock } = given();
    let fired = 0;
    const cancels = [clock.after(10_000, () => fired++), clock.after(10_000, () => fired++)];
    cancels[0]?.();
    source.skip(60_000);
    await source.advance(1_000);
    cancels[1]?.();
    await source.advance(60_000);
    expect(fired).toBe(0);
    clock.stop();
    expect(source.pending).toBe(0);
  });

  it('never fires after Infinity', () => {
    const { source, clock } = given();
    clock.stop();
    clock.after(Number.POSITIVE_INFINITY, () => {});
    expect(source.pending).toBe(0);
  });
});

describe('a sleep of a steady clock', () => {
  it('lasts for the rest after a stand-still', async () => {
    const { source, clock } = given();
    let woken = false;
    const sleep = clock.sleep(10_000).then(() => {
      woken = true;
    });
    await source.advance(4_000);
    source.skip(60_000);
    await source.advance(5_990);
    expect(woken).toBe(false);
    await source.advance(10);
    await sleep;
  });

  it("ends with the signal's reason, after a stand-still, too", async () => {
    const { source, clock } = given();
    const controller = new AbortController();
    const sleep = clock.sleep(10_000, controller.signal).catch((reason: unknown) => reason);
    source.skip(60_000);
    await source.advance(1_000);
    controller.abort('stop');
    await settle();
    expect(await sleep).toBe('stop');
  });
});
