import { describe, expect, it } from '@jest/globals';
import { LastcallError } from '../../src/errors.js';
import type { HookContext, HookLog } from '../../src/lifecycle/hook.js';
import { Lifecycle } from '../../src/lifecycle/lifecycle.js';
import { StopReason } from '../../src/lifecycle/stop-reason.js';
import { errors, hanging, Rig, steps, throwing } from './rig.js';

describe('what a hook is given', () => {
  it('is the signal, its log, its deadline and the reason of the stop', async () => {
    const rig = new Rig();
    const given: HookContext[] = [];
    const logs: string[] = [];
    const hookLog = (name: string): HookLog => {
      const write = (_fields: object, message?: string) => logs.push(`${name}: ${message}`);
      return { debug: write, info: write, warn: write, error: write };
    };
    const lifecycle = new Lifecycle({ startTimeoutMs: 100, stopTimeoutMs: 200, clock: rig.clock, hookLog });
    lifecycle.add({
      name: 'db',
      start: (context) => given.push(context),
      stop: (context) => {
        given.push(context);
        context.log.info({}, 'closing');
      },
    });
    const run = lifecycle.run();
    await rig.clock.advance(50);
    expect(given[0]).toMatchObject({ signal: lifecycle.signal, reason: undefined, deadline: { at: 100 } });
    const reason = StopReason.signal('SIGTERM');
    void lifecycle.stop(reason);
    await run;
    expect(given[0]?.reason).toBe(reason);
    expect(given[1]).toMatchObject({ reason, deadline: { at: 250 } });
    expect(given[1]?.signal.aborted).toBe(false);
    expect(logs).toEqual(['db: closing']);
  });

  it('comes with its own `this`', async () => {
    class Database {
      readonly name = 'db';
      open = false;
      start() {
        this.open = true;
      }
      stop() {
        this.open = false;
      }
    }
    const rig = new Rig();
    const db = new Database();
    rig.lifecycle.add(db);
    await rig.running();
    expect(db.open).toBe(true);
    await rig.lifecycle.stop();
    expect(db.open).toBe(false);
  });
});

describe('a start', () => {
  const refused = new Error('connection refused');
  const unusable = new LastcallError('BOT_MODULE_UNUSABLE', 'bot.js', 'bot.js exports nothing');

  it.each([
    ['throws', throwing(refused), 'HOOK_FAILED the start of "db" failed: connection refused', 1],
    [
      'rejects',
      async () => throwing(refused)(),
      'HOOK_FAILED the start of "db" failed: connection refused',
      1,
    ],
    [
      'throws what is no error',
      throwing({ code: 7 }),
      'HOOK_FAILED the start of "db" failed: { code: 7 }',
      1,
    ],
    ['throws nothing', throwing(undefined), 'HOOK_FAILED the start of "db" failed: undefined', 1],
    [
      'throws an object without prototype',
      throwing(Object.create(null)),
      'HOOK_FAILED the start of "db" failed: [Object: null prototype] {}',
      1,
    ],
    ['throws an error of lastcall', throwing(unusable), 'BOT_MODULE_UNUSABLE bot.js exports nothing', 78],
  ])('that %s rolls back what had started', async (_how, start, error, exitCode) => {
    const rig = new Rig();
    rig.add('first');
    rig.add('db', { start });
    rig.add('never');
    const outcome = await rig.lifecycle.run();
    expect(rig.calls).toEqual(['start first', 'start db', 'stop first']);
    expect(errors(outcome)).toEqual([error]);
    expect(outcome).toMatchObject({ clean: false, exitCode, reason: { kind: 'start-failed' } });
    expect(rig.names('hook')).toEqual([
      'hook.starting',
      'hook.started',
      'hook.starting',
      'hook.failed',
      'hook.stopping',
      'hook.stopped',
    ]);
    expect(rig.clock.pending).toBe(0);
  });

  it('that heeds its signal is cut at its cap', async () => {
    const rig = new Rig();
    const heard: unknown[] = [];
    rig.add('first');
    rig.add('db', {
      start: async (context) => {
        context.signal.addEventListener('abort', () => heard.push(context.signal.reason));
        await rig.heedingFor(99_000)(context);
      },
    });
    const run = rig.lifecycle.run();
    await rig.clock.advance(60_000);
    const outcome = await run;
    expect(steps(outcome)).toEqual([
      'start first: done 0 ms',
      'start db: cut 60000 ms',
      'stop first: done 0 ms',
    ]);
    expect(errors(outcome)).toEqual(['HOOK_TIMED_OUT the start of "db" did not end within 60000 ms']);
    expect(outcome).toMatchObject({ clean: false, exitCode: 1, reason: { kind: 'start-failed' } });
    expect(heard).toEqual([outcome.reason]);
    expect(outcome.reason.cause).toMatchObject({ code: 'HOOK_TIMED_OUT', culprit: 'db' });
  });

  it('that ignores its signal is abandoned a second after its cap', async () => {
    const rig = new Rig();
    rig.add('first');
    rig.add('db', { start: hanging }, { startTimeoutMs: 5_000 });
    const run = rig.lifecycle.run();
    await rig.clock.advance(6_000);
    expect(steps(await run).slice(1)).toEqual(['start db: cut 6000 ms', 'stop first: done 0 ms']);
  });

  it('that completes in that second is stopped like the others', async () => {
    const rig = new Rig();
    rig.add('db', { start: rig.ignoringFor(5_500) }, { startTimeoutMs: 5_000 });
    const run = rig.lifecycle.run();
    await rig.clock.advance(5_500);
    expect(await run).toMatchObject({ exitCode: 1, reason: { kind: 'start-failed' } });
    expect(rig.calls).toEqual(['start db', 'stop db']);
  });

  it('gets, when a stop is asked, no more than its share of a small budget', async () => {
    const rig = new Rig({ stopTimeoutMs: 1_200 });
    rig.add('first', { stop: rig.ignoringFor(10) });
    rig.add('db', { start: hanging });
    const run = rig.lifecycle.run();
    await rig.clock.advance(0);
    void rig.lifecycle.stop();
    await rig.clock.advance(410);
    expect(steps(await run).slice(1)).toEqual(['start db: cut 400 ms', 'stop first: done 10 ms']);
  });

  it('spends a budget that all starts share', async () => {
    const rig = new Rig({ startTimeoutMs: 1_000 });
    rig.add('slow', { start: rig.ignoringFor(600) }, { startTimeoutMs: 9_000 });
    rig.add('slower', { start: rig.heedingFor(600) });
    const run = rig.lifecycle.run();
    await rig.clock.advance(1_000);
    expect(steps(await run).slice(0, 2)).toEqual(['start slow: done 600 ms', 'start slower: cut 400 ms']);
  });

  it('without a limit spends nothing of it', async () => {
    const rig = new Rig({ startTimeoutMs: 1_000 });
    rig.add('lock', { start: rig.heedingFor(3_600_000) }, { startTimeoutMs: Number.POSITIVE_INFINITY });
    rig.add('db', { start: rig.heedingFor(999) });
    void rig.lifecycle.run();
    await rig.clock.advance(3_600_999);
    expect(rig.lifecycle.state).toBe('running');
    await rig.lifecycle.stop();
    expect(rig.clock.pending).toBe(0);
  });

  it('counts as called off, not as failed, when a stop was asked before it failed', async () => {
    const rig = new Rig();
    rig.add('db', {
      start: async () => {
        await rig.clock.sleep(100);
        throw refused;
      },
    });
    const run = rig.lifecycle.run();
    await rig.clock.advance(50);
    void rig.lifecycle.stop();
    await rig.clock.advance(50);
    const outcome = await run;
    expect(steps(outcome)).toEqual(['start db: called-off 100 ms']);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0 });
    expect(rig.events).toContainEqual({ event: 'hook.called-off', hook: 'db', durationMs: 100 });
  });
});

describe('a hook without a start', () => {
  it('counts as started when its turn has come', async () => {
    const rig = new Rig();
    const { stop } = rig.hook('before');
    rig.lifecycle.add({ name: 'before', ...(stop && { stop }) });
    rig.add('db', { start: throwing(new Error('boom')) });
    const { stop: stopAfter } = rig.hook('after');
    rig.lifecycle.add({ name: 'after', ...(stopAfter && { stop: stopAfter }) });
    await rig.lifecycle.run();
    expect(rig.calls).toEqual(['start db', 'stop before']);
  });
});

describe('a hook added while hooks start', () => {
  it('comes right after the one that is starting, several in the order added', async () => {
    const rig = new Rig();
    rig.add('module', {
      start: async () => {
        rig.add('db', { start: () => rig.add('tables') });
        await rig.clock.sleep(10);
        rig.add('cache');
      },
    });
    rig.add('intake');
    await rig.running();
    await rig.clock.advance(10);
    await rig.lifecycle.stop();
    const order = ['module', 'db', 'tables', 'cache', 'intake'];
    expect(rig.calls).toEqual([
      ...order.map((name) => `start ${name}`),
      ...order.reverse().map((name) => `stop ${name}`),
    ]);
  });

  it.each(['fails', 'is called off', 'is abandoned'])(
    'and without a start is stopped though the start that added it %s',
    async (how) => {
      const rig = new Rig();
      const closed: string[] = [];
      rig.add('module', {
        start: async ({ signal }) => {
          rig.lifecycle.add({ name: 'db', stop: () => closed.push('db') });
          if (how === 'fails') throw new Error('boom');
          await rig.clock.sleep(10);
          rig.lifecycle.add({ name: 'cache', stop: () => closed.push('cache') });
          if (how === 'is abandoned') await hanging();
          signal.throwIfAborted();
        },
      });
      const run = rig.lifecycle.run();
      if (how !== 'fails') void rig.lifecycle.stop();
      await rig.clock.advance(1_010);
      expect((await run).clean).toBe(how === 'is called off');
      expect(closed).toEqual(how === 'fails' ? ['db'] : ['cache', 'db']);
      expect(rig.calls).toEqual(['start module']);
    },
  );

  it('is refused once the starts are over, not while one is still at work amid the stop', async () => {
    const rig = new Rig();
    const refused = expect.objectContaining({ code: 'LIFECYCLE_USED', culprit: 'late' });
    rig.add('slow', { start: rig.ignoringFor(500), stop: rig.ignoringFor(500) });
    void rig.lifecycle.run();
    void rig.lifecycle.stop();
    rig.add('in time, though its turn never comes');
    await rig.clock.advance(500);
    expect(() => rig.add('late')).toThrow(refused);
    await rig.clock.advance(500);
    expect(() => rig.add('late')).toThrow(refused);
    expect(rig.calls).toEqual(['start slow', 'stop slow']);

    const running = new Rig();
    await running.running();
    expect(() => running.add('late')).toThrow(refused);
  });
});

describe('a stop', () => {
  it.each([
    ['throws', throwing(new Error('boom')), 'HOOK_FAILED the stop of "bad" failed: boom', 1],
    ['rejects', async () => throwing(new Error('boom'))(), 'HOOK_FAILED the stop of "bad" failed: boom', 1],
    ['throws what is no error', throwing('boom'), `HOOK_FAILED the stop of "bad" failed: 'boom'`, 1],
    [
      'throws a fault of lastcall',
      throwing(new LastcallError('HANDLERS_EXHAUSTED', 'x', 'too many')),
      'HANDLERS_EXHAUSTED too many',
      70,
    ],
  ])('that %s is named and keeps no other from running', async (_how, stop, error, exitCode) => {
    const rig = new Rig();
    rig.add('first');
    rig.add('bad', { stop });
    rig.add('last');
    await rig.running();
    const outcome = await rig.lifecycle.stop();
    expect(rig.calls.slice(3)).toEqual(['stop last', 'stop bad', 'stop first']);
    expect(errors(outcome)).toEqual([error]);
    expect(outcome).toMatchObject({ clean: false, exitCode });
    expect(rig.events).toContainEqual(
      expect.objectContaining({ event: 'hook.failed', hook: 'bad', step: 'stop' }),
    );
  });

  it('that is overdue is told by its signal, with its name, and is abandoned if it ignores the signal', async () => {
    for (const heeds of [true, false]) {
      const rig = new Rig({ stopTimeoutMs: 10_000 });
      const heard: unknown[] = [];
      rig.add('first');
      rig.add('slow', {
        stop: (context) => {
          context.signal.addEventListener('abort', () => heard.push(context.signal.reason));
          return heeds ? rig.heedingFor(20_000)(context) : hanging();
        },
      });
      await rig.running();
      const stopped = rig.lifecycle.stop();
      await rig.clock.advance(9_000);
      const outcome = await stopped;
      expect(heard).toEqual([expect.objectContaining({ code: 'HOOK_TIMED_OUT', culprit: 'slow' })]);
      expect(steps(outcome).slice(2)).toEqual(['stop slow: cut 9000 ms', 'stop first: done 0 ms']);
      expect(errors(outcome)).toEqual(['HOOK_TIMED_OUT the stop of "slow" did not end within 9000 ms']);
      expect(rig.clock.pending).toBe(0);
    }
  });

  it('that is overdue and says in an error of lastcall what it cut is believed', async () => {
    const rig = new Rig();
    const overdue = new LastcallError('DRAIN_OVERDUE', 'drain', '3 handlers were aborted');
    rig.add('drain', {
      stop: (context) => rig.heedingFor(99_000)(context).catch(throwing(overdue)),
    });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(90_000);
    expect((await stopped).phases.at(-1)).toMatchObject({ result: 'cut', error: overdue });
  });

  it('that is overdue and then ends well is done', async () => {
    const rig = new Rig({ stopTimeoutMs: 1_000 });
    rig.add('flush', {
      stop: (context) =>
        rig
          .heedingFor(99_000)(context)
          .catch(() => {}),
    });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(1_000);
    expect(await stopped).toMatchObject({ clean: true, stopDurationMs: 1_000 });
  });

  it('passes on the time it leaves over', async () => {
    const rig = new Rig({ stopTimeoutMs: 90_000 });
    rig.add('long', { stop: rig.heedingFor(79_999) });
    rig.add('drain', { stop: rig.ignoringFor(10_000) });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(90_000);
    expect(await stopped).toMatchObject({ clean: true, stopDurationMs: 89_999 });
  });

  it('may have a limit of its own, from its turn or from the begin of the stop', async () => {
    const rig = new Rig({ stopTimeoutMs: 90_000 });
    const asked: unknown[] = [];
    const stopLatestEndMs = (stop: { budgetMs: number; reason: StopReason }) => {
      asked.push(stop);
      return 7_000;
    };
    rig.add('own', { stop: hanging }, { stopTimeoutMs: 2_000 });
    rig.add('latest end', { stop: hanging }, { stopLatestEndMs });
    rig.add('first to stop', { stop: rig.ignoringFor(4_000) });
    await rig.running();
    const reason = StopReason.fault(new Error('boom'));
    const stopped = rig.lifecycle.stop(reason);
    await rig.clock.advance(9_000);
    expect(steps(await stopped).slice(3)).toEqual([
      'stop first to stop: done 4000 ms',
      'stop latest end: cut 3000 ms',
      'stop own: cut 2000 ms',
    ]);
    expect(asked).toEqual([{ budgetMs: 90_000, reason }]);
  });

  it('can be asked how long it may last, before it is asked for', async () => {
    const rig = new Rig({ stopTimeoutMs: 1_200 });
    rig.add('later');
    rig.lifecycle.add({ name: 'only starts', start() {} });
    rig.add('drain', {}, { stopLatestEndMs: ({ budgetMs }) => (budgetMs * 2) / 3 });
    const limitMs = (name: string) => rig.lifecycle.stopLimitMs(name, StopReason.signal('SIGINT'));
    expect(limitMs('drain')).toBe(0);
    await rig.running();
    // Half for each, as two are to be stopped; alone, the drain would have 800 ms.
    expect(limitMs('drain')).toBe(600);
    expect(limitMs('later')).toBe(1_200);
    expect(limitMs('only starts')).toBe(0);
    expect(limitMs('nobody')).toBe(0);
  });

  it('cannot get more than the budget, nor harm with a limit that is none', async () => {
    const rig = new Rig({ stopTimeoutMs: 3_000 });
    rig.add('greedy', { stop: hanging }, { stopTimeoutMs: 99_000, stopLatestEndMs: () => 99_000 });
    rig.add('odd', { stop: hanging }, { stopTimeoutMs: Number.NaN, stopLatestEndMs: () => Number.NaN });
    rig.add('past', { stop: hanging }, { stopLatestEndMs: () => -5 });
    rig.add('throws', {}, { stopLatestEndMs: throwing(new Error('no idea')) });
    await rig.running();
    const stopped = rig.lifecycle.stop();
    await rig.clock.advance(3_000);
    expect(steps(await stopped).slice(4)).toEqual([
      'stop throws: failed 0 ms',
      'stop past: cut 0 ms',
      'stop odd: cut 2000 ms',
      'stop greedy: cut 1000 ms',
    ]);
    expect(rig.clock.pending).toBe(0);
  });
});

describe('a hook that was abandoned', () => {
  it('may fail, end or add hooks as late as it likes', async () => {
    const rig = new Rig({ stopTimeoutMs: 2_000 });
    const late = async () => {
      await rig.clock.sleep(10_000);
      rig.add('too late');
    };
    rig.add('stops late', { stop: late });
    rig.add('starts late', { start: late });
    const run = rig.lifecycle.run();
    await rig.clock.advance(0);
    void rig.lifecycle.stop();
    await rig.clock.advance(2_000);
    const outcome = await run;
    const told = rig.events.length;
    // An unhandled rejection would fail the test.
    await rig.clock.advance(10_000);
    expect(outcome.phases).toHaveLength(3);
    expect(rig.events).toHaveLength(told);
  });
});
