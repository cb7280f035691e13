import { getEventListeners } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import { Lifecycle } from '../../src/lifecycle/lifecycle.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { errors, hanging, Rig, steps, throwing } from './rig.js';

const used = expect.objectContaining({ code: 'LIFECYCLE_USED' });

const conflict = new LastcallError('POLL_CONFLICT', 'the token', 'another process polls');

describe('a run', () => {
  it('starts the hooks in order, stops them in reverse, and tells every step with its duration', async () => {
    const rig = new Rig();
    rig.add('db', { start: rig.ignoringFor(20), stop: rig.ignoringFor(30) });
    rig.add('cache', { start: rig.ignoringFor(5) });
    const run = rig.lifecycle.run();
    expect(rig.lifecycle.state).toBe('starting');
    await rig.clock.advance(100);
    expect(rig.lifecycle.state).toBe('running');
    const stopped = rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    expect(rig.lifecycle.state).toBe('stopping');
    await rig.clock.advance(100);
    expect(rig.lifecycle.state).toBe('stopped');

    const outcome = await run;
    expect(await stopped).toBe(outcome);
    expect(rig.calls).toEqual(['start db', 'start cache', 'stop cache', 'stop db']);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, durationMs: 130, stopDurationMs: 30 });
    expect(outcome.reason.signal).toBe('SIGTERM');
    expect(steps(outcome)).toEqual([
      'start db: done 20 ms',
      'start cache: done 5 ms',
      'stop cache: done 0 ms',
      'stop db: done 30 ms',
    ]);
    expect(rig.events).toEqual([
      { event: 'lifecycle.starting' },
      { event: 'hook.starting', hook: 'db', limitMs: 60_000 },
      { event: 'hook.started', hook: 'db', durationMs: 20 },
      { event: 'hook.starting', hook: 'cache', limitMs: 59_980 },
      { event: 'hook.started', hook: 'cache', durationMs: 5 },
      { event: 'lifecycle.running', durationMs: 25 },
      { event: 'lifecycle.stopping', reason: outcome.reason, budgetMs: 90_000 },
      { event: 'hook.stopping', hook: 'cache', limitMs: 89_000 },
      { event: 'hook.stopped', hook: 'cache', durationMs: 0 },
      { event: 'hook.stopping', hook: 'db', limitMs: 90_000 },
      { event: 'hook.stopped', hook: 'db', durationMs: 30 },
      { event: 'lifecycle.stopped', ...outcome },
    ]);
    expect(rig.clock.pending).toBe(0);
  });

  it.each([
    ['done', undefined, 0],
    ['failed', new LastcallError('HOOK_FAILED', 'db', 'the database does not answer'), 1],
  ])('can end at once in the stop of its last hook, which is %s then', async (result, error, exitCode) => {
    const rig = new Rig();
    rig.add('db', { stop: hanging });
    const run = rig.lifecycle.run();
    await rig.clock.advance(10);
    void rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    await rig.clock.advance(20);
    const outcome = rig.lifecycle.finishNow(error);
    expect(rig.lifecycle.state).toBe('stopped');
    expect(outcome).toMatchObject({ clean: exitCode === 0, exitCode, stopDurationMs: 20 });
    expect(outcome.phases.at(-1)).toMatchObject({ hook: 'db', step: 'stop', result, durationMs: 20 });
    expect(rig.events.at(-1)).toEqual({ event: 'lifecycle.stopped', ...outcome });
    expect(await run).toBe(outcome);
  });

  it('goes on after a hook that throws what nobody can look at', async () => {
    const rig = new Rig();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    rig.add('db');
    rig.add('odd', {
      start: () => {
        throw proxy;
      },
    });
    void rig.lifecycle.run();
    await rig.clock.advance(0);
    expect(rig.lifecycle.state).toBe('stopped');
    expect(rig.calls).toEqual(['start db', 'start odd', 'stop db']);
  });

  it('says at any time how it went so far', async () => {
    const rig = new Rig();
    expect(rig.lifecycle.partialOutcome()).toEqual({ phases: [], durationMs: 0, stopDurationMs: 0 });
    rig.add('db', { start: rig.ignoringFor(20), stop: rig.ignoringFor(30) });
    const run = rig.lifecycle.run();
    await rig.clock.advance(50);
    expect(rig.lifecycle.partialOutcome()).toMatchObject({ phases: [{}], durationMs: 50, stopDurationMs: 0 });
    void rig.lifecycle.stop();
    await rig.clock.advance(10);
    expect(rig.lifecycle.partialOutcome()).toMatchObject({
      phases: [{}],
      durationMs: 60,
      stopDurationMs: 10,
    });
    await rig.clock.advance(100);
    const { phases } = await run;
    expect(rig.lifecycle.partialOutcome().phases).toEqual(phases);
  });

  it('gives everyone the one signal, whose reason is the stop reason', async () => {
    const rig = new Rig();
    await rig.running();
    const reason = StopReason.supervisorGone();
    const heard: unknown[] = [];
    rig.lifecycle.signal.addEventListener('abort', () => heard.push(rig.lifecycle.signal.reason));
    await rig.lifecycle.stop(reason);
    expect(heard).toEqual([reason]);
  });

  it('is refused a second time, whether it still lives or has ended', async () => {
    const rig = new Rig();
    await rig.running();
    expect(() => rig.lifecycle.run()).toThrow(used);
    await rig.lifecycle.stop();
    expect(() => rig.lifecycle.run()).toThrow(used);
    expect(rig.lifecycle.state).toBe('stopped');
  });

  it('survives a listener that throws at everything', async () => {
    const lifecycle = new Lifecycle({
      startTimeoutMs: 1_000,
      stopTimeoutMs: 1_000,
      emit: throwing(new Error('log is gone')),
    });
    lifecycle.add({ name: 'db', start() {}, stop() {} });
    const run = lifecycle.run();
    void lifecycle.stop();
    expect(await run).toMatchObject({ clean: true, exitCode: 0 });
  });

  it('stops in order when a listener asks for it at any event', async () => {
    for (const moment of [
      'lifecycle.starting',
      'hook.starting',
      'hook.started',
      'lifecycle.running',
      'hook.stopping',
    ]) {
      const lifecycle: Lifecycle = new Lifecycle({
        startTimeoutMs: 1_000,
        stopTimeoutMs: 1_000,
        emit: ({ event }) => void (event === moment && lifecycle.stop(StopReason.request(moment))),
      });
      const stops: string[] = [];
      lifecycle.add({ name: 'db', start() {}, stop: () => stops.push('db') });
      const run = lifecycle.run();
      if (moment === 'hook.stopping') void lifecycle.stop(StopReason.request(moment));
      const { reason, clean } = await run;
      expect([reason.by, clean, stops]).toEqual([
        moment,
        true,
        moment === 'lifecycle.starting' ? [] : ['db'],
      ]);
    }
  });
});

describe('run({ signal })', () => {
  it('ends in a clean stop when the signal aborts, and removes its listener', async () => {
    const rig = new Rig();
    rig.add('db');
    const { signal, ...caller } = controlled();
    const run = rig.lifecycle.run({ signal });
    await rig.clock.advance(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    caller.abort(new Error('enough'));
    const outcome = await run;
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'aborted' } });
    expect(outcome.reason.message).toContain('enough');
    expect(rig.calls).toEqual(['start db', 'stop db']);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(rig.clock.pending).toBe(0);
  });

  it('lets go of the signal as soon as another stop is asked', async () => {
    const rig = new Rig();
    rig.add('db', { stop: rig.ignoringFor(100) });
    const { signal, abort } = controlled();
    const run = rig.lifecycle.run({ signal });
    await rig.clock.advance(0);
    void rig.lifecycle.stop();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    abort();
    await rig.clock.advance(100);
    expect((await run).reason.kind).toBe('request');
    expect(rig.names()).not.toContain('lifecycle.stop-repeated');
  });

  it('starts nothing when the signal has aborted before', async () => {
    const rig = new Rig();
    rig.add('db');
    const signal = AbortSignal.abort(new Error('too late'));
    const outcome = await rig.lifecycle.run({ signal });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, phases: [], reason: { kind: 'aborted' } });
    expect(rig.calls).toEqual([]);
    expect(rig.lifecycle.state).toBe('stopped');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(rig.clock.pending).toBe(0);
    expect(() => rig.lifecycle.run()).toThrow(used);
  });
});

describe('run({ stopAfterMs })', () => {
  it('counts from the moment of running', async () => {
    const rig = new Rig();
    rig.add('db', { start: rig.ignoringFor(5_000) });
    const run = rig.lifecycle.run({ stopAfterMs: 30_000 });
    await rig.clock.advance(34_999);
    expect(rig.lifecycle.state).toBe('running');
    await rig.clock.advance(1);
    expect(await run).toMatchObject({
      clean: true,
      exitCode: 0,
      durationMs: 35_000,
      reason: { kind: 'stop-after' },
    });
    expect(rig.clock.pending).toBe(0);
  });

  it('cancels its timer when something else stops the run', async () => {
    const rig = new Rig();
    const run = rig.lifecycle.run({ stopAfterMs: 30_000 });
    await rig.clock.advance(1_000);
    await rig.lifecycle.stop();
    expect((await run).reason.kind).toBe('request');
    expect(rig.clock.pending).toBe(0);
  });
});

describe('stop()', () => {
  it('before the run is remembered: the run ends at once, having started nothing', async () => {
    const rig = new Rig();
    const stopped = rig.lifecycle.stop(StopReason.signal('SIGINT'));
    rig.add('db');
    const outcome = await rig.lifecycle.run();
    expect(await stopped).toBe(outcome);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, phases: [], durationMs: 0, stopDurationMs: 0 });
    expect(outcome.reason.signal).toBe('SIGINT');
    expect(rig.calls).toEqual([]);
    expect(rig.names()).toEqual(['lifecycle.stopping', 'lifecycle.stopped']);
    expect(() => rig.add('late')).toThrow(used);
  });

  it('of what was never started resolves, and is no error twice', async () => {
    const rig = new Rig();
    const outcome = await rig.lifecycle.stop();
    expect(outcome).toMatchObject({
      clean: true,
      exitCode: 0,
      reason: { kind: 'request', by: 'lifecycle.stop' },
    });
    expect(await rig.lifecycle.stop()).toBe(outcome);
    expect(await rig.lifecycle.wait()).toBe(outcome);
  });

  it('takes the first reason and tells the later ones, up to the end and no further', async () => {
    const rig = new Rig();
    rig.add('db', { stop: rig.ignoringFor(100) });
    await rig.running();
    const first = rig.lifecycle.stop(StopReason.message('shutdown'));
    const later = StopReason.signal('SIGTERM');
    const second = rig.lifecycle.stop(later);
    await rig.clock.advance(100);
    expect(await second).toBe(await first);
    expect((await first).reason.kind).toBe('message');
    expect(rig.events).toContainEqual({ event: 'lifecycle.stop-repeated', reason: later });
    expect(await rig.lifecycle.stop()).toBe(await first);
    expect(rig.names().at(-1)).toBe('lifecycle.stopped');
    expect(rig.calls).toEqual(['start db', 'stop db']);
  });

  it('lets a fault amid a clean stop decide the exit code', async () => {
    const rig = new Rig();
    rig.add('db', { stop: rig.ignoringFor(100) });
    await rig.running();
    const stopped = rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    void rig.lifecycle.stop(StopReason.fault(new Error('boom')));
    void rig.lifecycle.stop(StopReason.fatal(conflict));
    await rig.clock.advance(100);
    expect(await stopped).toMatchObject({ clean: true, exitCode: 70, reason: { kind: 'signal' } });
  });

  it.each([
    [StopReason.fault('boom'), 70],
    [StopReason.fatal(conflict), 75],
    [StopReason.signal('SIGHUP'), 0],
  ])('asks for the exit code of its reason (%s)', async (reason, exitCode) => {
    const rig = new Rig();
    await rig.running();
    expect(await rig.lifecycle.stop(reason)).toMatchObject({ reason, clean: true, exitCode });
  });

  it('during a start lets that start hear it, and stops what had started in reverse', async () => {
    const rig = new Rig();
    rig.add('inbox');
    rig.add('module');
    rig.add('db', { start: rig.heedingFor(30_000) });
    rig.add('intake');
    const run = rig.lifecycle.run();
    await rig.clock.advance(200);
    void rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    const outcome = await run;
    expect(rig.calls).toEqual(['start inbox', 'start module', 'start db', 'stop module', 'stop inbox']);
    expect(steps(outcome)[2]).toBe('start db: called-off 200 ms');
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, stopDurationMs: 0 });
    expect(rig.names('lifecycle')).toEqual(['lifecycle.starting', 'lifecycle.stopping', 'lifecycle.stopped']);
    expect(rig.clock.pending).toBe(0);
  });

  it('waits a second, no more, for a start that ignores it', async () => {
    const rig = new Rig();
    rig.add('db', { start: hanging });
    const run = rig.lifecycle.run();
    await rig.clock.advance(200);
    void rig.lifecycle.stop();
    await rig.clock.advance(999);
    expect(rig.lifecycle.state).toBe('stopping');
    await rig.clock.advance(1);
    const outcome = await run;
    expect(steps(outcome)).toEqual(['start db: cut 1200 ms']);
    expect(errors(outcome)).toEqual(['HOOK_TIMED_OUT the start of "db" did not end within 1200 ms']);
    expect(outcome).toMatchObject({ clean: false, exitCode: 1 });
  });

  it('stops a start that completes within that second', async () => {
    const rig = new Rig();
    rig.add('db', { start: rig.ignoringFor(700) });
    const run = rig.lifecycle.run();
    await rig.clock.advance(0);
    void rig.lifecycle.stop();
    await rig.clock.advance(700);
    const outcome = await run;
    expect(rig.calls).toEqual(['start db', 'stop db']);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, stopDurationMs: 700 });
  });

  it('may be called, and awaited, from inside a start', async () => {
    const rig = new Rig();
    rig.add('first');
    rig.add('asks', { start: () => void rig.lifecycle.stop() });
    rig.add('never');
    expect(await rig.lifecycle.run()).toMatchObject({ clean: true });
    expect(rig.calls).toEqual(['start first', 'start asks', 'stop asks', 'stop first']);

    const awaiting = new Rig();
    awaiting.add('waits for itself', { start: () => awaiting.lifecycle.stop() });
    const run = awaiting.lifecycle.run();
    await awaiting.clock.advance(1_000);
    expect(steps(await run)).toEqual(['start waits for itself: cut 1000 ms']);
  });

  it('awaited inside a stop hook is cut at that hook’s cap, and the rest is stopped', async () => {
    const rig = new Rig({ stopTimeoutMs: 10_000 });
    rig.add('first');
    rig.add('waits for itself', { stop: () => rig.lifecycle.stop() });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(10_000);
    const outcome = await stopped;
    expect(steps(outcome).slice(2)).toEqual(['stop waits for itself: cut 9000 ms', 'stop first: done 0 ms']);
    expect(outcome).toMatchObject({ clean: false, exitCode: 1 });
    expect(rig.clock.pending).toBe(0);
  });
});

describe('hasten()', () => {
  it('leaves the hook that is stopping, and each later one, a second', async () => {
    const rig = new Rig();
    for (const name of ['c', 'b', 'a']) rig.add(name, { stop: rig.heedingFor(80_000) });
    await rig.running();
    const stopped = rig.lifecycle.stop(StopReason.signal('SIGTERM'));
    await rig.clock.advance(5_000);
    rig.lifecycle.hasten();
    expect(rig.lifecycle.hastenSignal.reason).toBe(rig.lifecycle.signal.reason);
    await rig.clock.advance(3_000);
    const outcome = await stopped;
    expect(steps(outcome).slice(3)).toEqual([
      'stop a: cut 6000 ms',
      'stop b: cut 1000 ms',
      'stop c: cut 1000 ms',
    ]);
    expect(outcome).toMatchObject({ clean: false, exitCode: 1 });
    expect(rig.events).toContainEqual({ event: 'lifecycle.hastened', limitMs: 1_000 });
    expect(getEventListeners(rig.lifecycle.hastenSignal, 'abort')).toHaveLength(0);
    expect(rig.clock.pending).toBe(0);
  });

  it('moves the deadline that the hook sees, never further away', async () => {
    const rig = new Rig({ stopTimeoutMs: 5_300 });
    const seen: number[] = [];
    rig.add('db', {
      stop: async ({ deadline, signal }) => {
        seen.push(deadline.remainingMs());
        await rig.clock.sleep(1_000, signal);
        rig.lifecycle.hasten();
        seen.push(deadline.remainingMs());
      },
    });
    await rig.running();
    void rig.lifecycle.stop();
    await rig.clock.advance(1_000);
    expect(seen).toEqual([5_300, 1_000]);

    const late = new Rig({ stopTimeoutMs: 1_200 });
    late.add('db', { stop: hanging });
    await late.running();
    const stopped = late.lifecycle.stop();
    await late.clock.advance(1_000);
    late.lifecycle.hasten();
    await late.clock.advance(200);
    expect((await stopped).stopDurationMs).toBe(1_200);
  });

  it('does not touch a hook that had stopped before', async () => {
    const rig = new Rig();
    rig.add('slow', { stop: rig.ignoringFor(500) });
    rig.add('quick');
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(400);
    expect(getEventListeners(rig.lifecycle.hastenSignal, 'abort')).toHaveLength(1);
    rig.lifecycle.hasten();
    await rig.clock.advance(100);
    expect(await stopped).toMatchObject({ clean: true });
    expect(rig.clock.pending).toBe(0);
  });

  it('changes nothing for hooks that are done within the second', async () => {
    const rig = new Rig();
    rig.add('db', { stop: rig.heedingFor(900) });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    rig.lifecycle.hasten();
    await rig.clock.advance(900);
    expect(await stopped).toMatchObject({ clean: true, exitCode: 0, stopDurationMs: 900 });
    expect(rig.clock.pending).toBe(0);
  });

  it.each(['idle', 'starting', 'running'])(
    'asks for the stop first where none was asked (%s)',
    async (state) => {
      const rig = new Rig();
      rig.add('db', { start: rig.ignoringFor(500), stop: hanging });
      const run = state === 'idle' ? undefined : rig.lifecycle.run();
      await rig.clock.advance(state === 'running' ? 500 : 0);
      expect(rig.lifecycle.state).toBe(state);
      rig.lifecycle.hasten();
      await rig.clock.advance(state === 'starting' ? 1_500 : 1_000);
      const outcome = await (run ?? rig.lifecycle.run());
      expect(outcome.reason).toMatchObject({ kind: 'request', by: 'lifecycle.hasten' });
      expect(rig.calls).toEqual(state === 'idle' ? [] : ['start db', 'stop db']);
      expect(outcome.exitCode).toBe(state === 'idle' ? 0 : 1);
    },
  );

  it('is told once, and has no effect after the end', async () => {
    const rig = new Rig();
    rig.add('db', { stop: rig.ignoringFor(10) });
    await rig.running();
    void rig.lifecycle.stop();
    rig.lifecycle.hasten();
    rig.lifecycle.hasten();
    await rig.clock.advance(10);
    rig.lifecycle.hasten();
    expect(rig.names().filter((event) => event === 'lifecycle.hastened')).toHaveLength(1);
    expect(rig.names().at(-1)).toBe('lifecycle.stopped');
  });
});

describe('wait()', () => {
  it('lets any number of waiters give up without a trace', async () => {
    const rig = new Rig();
    await rig.running();
    const { signal, abort } = controlled();
    const patient = rig.lifecycle.wait(controlled().signal);
    const waiters = [rig.lifecycle.wait(signal), rig.lifecycle.wait(signal)];
    const reason = new Error('cannot wait');
    abort(reason);
    for (const waiter of waiters) await expect(waiter).rejects.toBe(reason);
    await expect(rig.lifecycle.wait(signal)).rejects.toBe(reason);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(rig.lifecycle.state).toBe('running');
    const touched = jest.spyOn(signal, 'removeEventListener');
    expect(await rig.lifecycle.stop()).toBe(await patient);
    expect(touched).not.toHaveBeenCalled();
    expect(await rig.lifecycle.wait(signal)).toBe(await patient);
  });

  it('lets go of the waiter’s signal when the run has ended', async () => {
    const rig = new Rig();
    await rig.running();
    const { signal } = controlled();
    const waiter = rig.lifecycle.wait(signal);
    await rig.lifecycle.stop();
    await waiter;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

function controlled() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason?: unknown) => controller.abort(reason) };
}
