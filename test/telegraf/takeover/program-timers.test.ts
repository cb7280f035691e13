import { createRequire } from 'node:module';
import timers from 'node:timers';
import promises from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Patches } from '../../../src/telegraf/takeover/patches.js';
import { ProgramTimers } from '../../../src/telegraf/takeover/program-timers.js';
import { Folder } from '../../support/folder.js';

const originals = { ...timers };
let patches: Patches;
let watched: ProgramTimers;
beforeEach(() => {
  patches = new Patches();
  watched = new ProgramTimers(patches);
});
afterEach(() => patches.undo());

describe('the timers of a program', () => {
  it('are known while they are pending, with their delay and when they are due', () => {
    const callback = () => {};
    const timer = timers.setTimeout(callback, 5_000);
    expect(watched.pending).toEqual([
      {
        id: timer,
        callback,
        delayMs: 5_000,
        dueInMs: expect.any(Number),
        repeats: false,
        isByPackage: false,
      },
    ]);
    expect(watched.pending[0]?.dueInMs).toBeGreaterThan(4_900);
    expect(watched.pending[0]?.dueInMs).toBeLessThanOrEqual(5_000);
    timers.clearTimeout(timer);
    expect(watched.pending).toEqual([]);
  });

  it('repeat if they are intervals', () => {
    const interval = timers.setInterval(() => {}, 5_000);
    expect(watched.pending).toMatchObject([{ delayMs: 5_000, repeats: true }]);
    timers.clearInterval(interval);
  });

  it('do not count when they are unreferenced or have fired', async () => {
    const timer = timers.setTimeout(() => {}, 5_000).unref();
    await new Promise<void>((resolve) => void timers.setTimeout(resolve, 1));
    await promises.setImmediate();
    expect(watched.pending).toEqual([]);
    timers.clearTimeout(timer);
  });

  it('may be promises, until their signal aborts', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const sleeps = [
      promises.setTimeout(5_000, undefined, { signal }),
      promisify(timers.setTimeout)(4_000, undefined, { signal }),
    ];
    void promises.setTimeout(3_000, undefined, { ref: false, signal }).catch(() => {});
    expect(watched.pending).toMatchObject([{ delayMs: 5_000 }, { delayMs: 4_000 }]);
    controller.abort();
    await Promise.allSettled(sleeps);
    expect(watched.pending).toEqual([]);
  });

  it('of a second or more are told apart by whether a package has set them', () => {
    const source = 'exports.wait = (ms) => setTimeout(() => {}, ms);';
    using folder = new Folder({ 'node_modules/pool/index.js': source, 'own.js': source });
    const load = createRequire(folder.file('bot.js'));
    const set = [load('pool').wait(1_000), load('pool').wait(999), load('./own.js').wait(1_000)];
    expect(watched.pending.map(({ isByPackage }) => isByPackage)).toEqual([true, false, false]);
    for (const timer of set) timers.clearTimeout(timer);
  });

  it('are forgotten when they have ended, however many there were', () => {
    for (let n = 0; n < 5_000; n++) timers.clearTimeout(timers.setTimeout(() => {}, 5_000));
    expect(watched.pending).toEqual([]);
  });

  it('are set by the original functions again when the process is given back', () => {
    patches.undo();
    expect(timers.setTimeout).toBe(originals.setTimeout);
    expect(timers.setInterval).toBe(originals.setInterval);
  });
});
