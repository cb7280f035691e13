import { describe, expect, it } from '@jest/globals';
import type { DispatchEvent } from '../../src/dispatch/events.js';
import { JamWatch, type WaitingBehind } from '../../src/dispatch/jam-watch.js';
import { FakeClock } from '../support/fake-clock.js';

/** A watch over chats that a test fills: what runs, by its chat, and what waits behind it. */
function given() {
  const clock = new FakeClock();
  const events: DispatchEvent<string>[] = [];
  const running = new Map<string, { readonly startedAt: number; behind?: WaitingBehind }>();
  /** What waits behind items that do not run, because they were put back. */
  const putBack = new Map<string, WaitingBehind>();
  const slots = { areFree: true };
  const watch = new JamWatch<string>({
    *running() {
      for (const [item, { startedAt }] of running) yield { item, durationMs: clock.now() - startedAt };
    },
    hasFreeSlot: () => slots.areFree,
    waitingBehind: (item) => running.get(item)?.behind ?? putBack.get(item),
    keyOf: (item) => item.charAt(0),
    clock,
    now: () => clock.now(),
    emit: (event) => events.push(event),
  });
  watch.start();
  return {
    clock,
    events,
    running,
    putBack,
    slots,
    watch,
    /** Items are named by their chat and a number: `a1`. */
    run(item: string, waiting = 0) {
      const behind = waiting > 0 ? { behind: { waiting, acceptedAtMs: clock.now() } } : {};
      running.set(item, { startedAt: clock.now(), ...behind });
    },
  };
}

describe('a chat jams', () => {
  it('when its first waiting item has waited for 10 s', async () => {
    const t = given();
    await t.clock.advance(5_000);
    t.run('a1', 3);
    await t.clock.advance(9_000);
    expect(t.events).toEqual([]);
    await t.clock.advance(1_000);
    expect(t.events).toEqual([
      { event: 'dispatch.jammed', item: 'a1', durationMs: 10_000, waiting: 3, waitedMs: 10_000 },
    ]);
  });

  it('not when nothing waits behind a slow handler', async () => {
    const t = given();
    t.run('a1');
    await t.clock.advance(60_000);
    expect(t.events).toEqual([]);
  });

  it('not when its items wait for less, however many of them there are', async () => {
    const t = given();
    for (let n = 0; n < 60; n++) {
      t.running.clear();
      t.run(`a${n}`, 100);
      await t.clock.advance(1_000);
    }
    expect(t.events).toEqual([]);
  });

  it('not while all slots are taken, nor within 10 s after that', async () => {
    const t = given();
    t.slots.areFree = false;
    t.run('a1', 1);
    await t.clock.advance(60_000);
    t.slots.areFree = true;
    await t.clock.advance(9_000);
    expect(t.events).toEqual([]);
    await t.clock.advance(1_000);
    expect(t.events).toMatchObject([{ event: 'dispatch.jammed', waitedMs: 10_000, durationMs: 70_000 }]);
  });

  it('not by what it waited in an earlier run, or while the process stood still', async () => {
    const t = given();
    t.running.set('a1', { startedAt: 0, behind: { waiting: 1, acceptedAtMs: -3_600_000 } });
    await t.clock.advance(9_000);
    t.clock.skip(120_000);
    await t.clock.advance(9_000);
    expect(t.events).toEqual([]);
    await t.clock.advance(2_000);
    expect(t.events).toMatchObject([{ event: 'dispatch.jammed', waitedMs: 10_000 }]);
  });

  it('and each of several chats is told once a minute, also where several of its items run', async () => {
    const t = given();
    for (const item of ['a1', 'a2', 'b1']) t.run(item, 1);
    await t.clock.advance(69_000);
    expect(t.events.map((event) => 'item' in event && event.item)).toEqual(['a1', 'b1']);
    await t.clock.advance(1_000);
    expect(t.events.map((event) => 'item' in event && event.item)).toEqual(['a1', 'b1', 'a1', 'b1']);
    expect(t.events.at(-1)).toMatchObject({ waitedMs: 70_000 });
  });
});

describe('the end of a jam', () => {
  it('is told, with how long it lasted', async () => {
    const t = given();
    t.run('a1', 1);
    await t.clock.advance(30_000);
    t.running.clear();
    await t.clock.advance(1_000);
    expect(t.events.slice(1)).toEqual([{ event: 'dispatch.unjammed', key: 'a', jammedMs: 31_000 }]);
    await t.clock.advance(60_000);
    expect(t.events).toHaveLength(2);
  });

  it('does not come because the item ahead was put back', async () => {
    const t = given();
    t.run('a1', 1);
    await t.clock.advance(10_000);
    t.running.clear();
    t.putBack.set('a1', { waiting: 1, acceptedAtMs: 0 });
    await t.clock.advance(30_000);
    expect(t.events).toHaveLength(1);
    t.putBack.clear();
    await t.clock.advance(1_000);
    expect(t.events.at(-1)).toEqual({ event: 'dispatch.unjammed', key: 'a', jammedMs: 41_000 });
  });

  it('does not come because all slots are taken', async () => {
    const t = given();
    t.run('a1', 1);
    await t.clock.advance(10_000);
    t.slots.areFree = false;
    await t.clock.advance(30_000);
    expect(t.events).toHaveLength(1);
  });

  it('is followed by the next jam of the chat no sooner than a minute after the last was told', async () => {
    const t = given();
    t.run('a1', 1);
    await t.clock.advance(10_000);
    t.running.clear();
    await t.clock.advance(1_000);
    t.run('a2', 1);
    await t.clock.advance(58_000);
    expect(t.events.map(({ event }) => event)).toEqual(['dispatch.jammed', 'dispatch.unjammed']);
    await t.clock.advance(1_000);
    expect(t.events.at(-1)).toMatchObject({ event: 'dispatch.jammed', item: 'a2', waitedMs: 59_000 });
  });
});

it('has no timer after it is stopped, even if it is started then', () => {
  const t = given();
  t.watch.stop();
  t.watch.start();
  expect(t.clock.pending).toBe(0);
});

describe('the jams of this moment', () => {
  it('are told on request, the longest first, also within a minute of an earlier one of the chat', async () => {
    const t = given();
    t.run('a1', 2);
    await t.clock.advance(1_000);
    t.run('b1', 1);
    await t.clock.advance(9_000);
    expect(t.watch.jams).toEqual([{ key: 'a', waiting: 2, waitedMs: 10_000 }]);
    await t.clock.advance(1_000);
    expect(t.watch.jams.map(({ key }) => key)).toEqual(['a', 'b']);
    t.running.clear();
    await t.clock.advance(1_000);
    expect(t.watch.jams).toEqual([]);
    t.run('a2', 1);
    await t.clock.advance(11_000);
    expect(t.events.at(-1)).toMatchObject({ event: 'dispatch.unjammed' });
    expect(t.watch.jams).toEqual([{ key: 'a', waiting: 1, waitedMs: 11_000 }]);
  });

  it('include one whose item ahead was put back', async () => {
    const t = given();
    t.run('a1', 1);
    await t.clock.advance(10_000);
    t.running.clear();
    t.putBack.set('a1', { waiting: 1, acceptedAtMs: 0 });
    await t.clock.advance(5_000);
    expect(t.watch.jams).toEqual([{ key: 'a', waiting: 1, waitedMs: 15_000 }]);
  });
});
