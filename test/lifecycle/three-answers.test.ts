/** What to do instead of cutting polling off with a timeout: three ways that are right, and the wrong one made harmless. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Lifecycle } from '../../src/lifecycle/lifecycle.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { errors, Rig, steps } from './rig.js';

/** Polls once a second from its start until the lifecycle stops. */
class PollingRig extends Rig {
  polls = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(options?: { stopTimeoutMs: number }) {
    super(options);
    this.add('polling', {
      start: () => {
        this.#loop = this.#poll();
      },
      stop: () => this.#loop,
    });
  }

  async #poll(): Promise<void> {
    const { signal } = this.lifecycle;
    while (!signal.aborted) {
      this.polls++;
      await this.clock.sleep(1_000, signal).catch(() => {});
    }
  }

  /** A signal that aborts as AbortSignal.timeout does, by the test's clock. */
  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.clock.after(ms, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
    return controller.signal;
  }
}

describe('shield', () => {
  it('lets a waiter give up after 30 s, while polling goes on untouched and can still be stopped cleanly', async () => {
    const rig = new PollingRig();
    void rig.lifecycle.run();
    const waiter = rig.lifecycle.wait(rig.timeout(30_000));
    const gaveUp = expect(waiter).rejects.toMatchObject({ name: 'TimeoutError' });
    await rig.clock.advance(30_000);
    await gaveUp;
    const before = rig.polls;
    await rig.clock.advance(30_000);
    expect(rig.lifecycle.state).toBe('running');
    expect(rig.polls).toBe(before + 30);
    expect(await rig.lifecycle.stop()).toMatchObject({ clean: true, exitCode: 0, durationMs: 60_000 });
    expect(rig.clock.pending).toBe(0);
  });
});

describe('stop after', () => {
  it('ends polling by itself after that time, in order, exit 0', async () => {
    const rig = new PollingRig();
    rig.add('metrics');
    const run = rig.lifecycle.run({ stopAfterMs: 30_000 });
    await rig.clock.advance(30_000);
    const outcome = await run;
    expect(outcome).toMatchObject({
      clean: true,
      exitCode: 0,
      durationMs: 30_000,
      reason: { kind: 'stop-after' },
    });
    expect(rig.calls).toEqual(['start polling', 'start metrics', 'stop metrics', 'stop polling']);
    expect(rig.clock.pending).toBe(0);
    const { polls } = rig;
    await rig.clock.advance(10_000);
    expect(rig.polls).toBe(polls);
  });
});

describe('whole life', () => {
  /** Startup opens what polling needs; shutdown needs a whole minute to close it. */
  async function stopWith(stopTimeoutMs: number) {
    const rig = new PollingRig({ stopTimeoutMs });
    rig.add('database', { start: rig.ignoringFor(200) });
    rig.add('slow shutdown', { stop: rig.ignoringFor(60_000) });
    const run = rig.lifecycle.run();
    await rig.clock.advance(5_000);
    void rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    await rig.clock.advance(60_000);
    return { outcome: await run, ...rig };
  }

  it('awaits a shutdown hook of 60 s when the budget allows it', async () => {
    const { outcome, calls } = await stopWith(90_000);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, stopDurationMs: 60_000 });
    expect(calls.slice(3)).toEqual(['stop slow shutdown', 'stop database', 'stop polling']);
  });

  it('cuts it, by name, when the budget does not, and stops the others all the same', async () => {
    const { outcome } = await stopWith(30_000);
    expect(errors(outcome)).toEqual([
      'HOOK_TIMED_OUT the stop of "slow shutdown" did not end within 28000 ms',
    ]);
    expect(steps(outcome).slice(3)).toEqual([
      'stop slow shutdown: cut 28000 ms',
      'stop database: done 0 ms',
      'stop polling: done 0 ms',
    ]);
    expect(outcome).toMatchObject({ clean: false, exitCode: 1, stopDurationMs: 28_000 });
  });
});

describe('the wrong way made harmless', () => {
  it('ends in the same clean stop when a timeout is handed to run, with nothing left running', async () => {
    const rig = new PollingRig();
    rig.add('database');
    const signal = rig.timeout(30_000);
    const run = rig.lifecycle.run({ signal });
    await rig.clock.advance(30_000);
    const outcome = await run;
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'aborted' } });
    expect(rig.calls).toEqual(['start polling', 'start database', 'stop database', 'stop polling']);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(rig.clock.pending).toBe(0);
  });

  it('holds for the real AbortSignal.timeout on the real clock', async () => {
    const lifecycle = new Lifecycle({ startTimeoutMs: 60_000, stopTimeoutMs: 90_000 });
    const stopped: string[] = [];
    lifecycle.add({ name: 'database', stop: () => stopped.push('database') });
    const signal = AbortSignal.timeout(1);
    const outcome = await lifecycle.run({ signal });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'aborted' } });
    expect(outcome.reason.cause).toMatchObject({ name: 'TimeoutError' });
    expect(stopped).toEqual(['database']);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('makes no error of stopping what was never started, or twice', async () => {
    const rig = new PollingRig();
    const [first, second] = await Promise.all([rig.lifecycle.stop(), rig.lifecycle.stop()]);
    expect(first).toMatchObject({ clean: true, exitCode: 0 });
    expect(second).toBe(first);
    expect(rig.polls).toBe(0);
  });

  it('lets the same work be run again by a new lifecycle', async () => {
    const first = new PollingRig();
    await first.running();
    await first.lifecycle.stop();
    const again = new PollingRig();
    await again.running();
    expect(again.lifecycle.state).toBe('running');
    expect(await again.lifecycle.stop()).toMatchObject({ clean: true });
  });
});
