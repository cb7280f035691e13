import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { howKilled } from '../../src/host/previous-run.js';
import { parseRunState, type RunState } from '../../src/host/run-state.js';

const running: RunState = {
  phase: 'running',
  sinceMs: 10_000,
  pid: 4711,
  bootId: 'boot 1',
  supervisor: 'none',
  budgetMs: 90_000,
};
/** pm2 without a setting: the stop is asked at 20,000, and 1.6 s later it kills. */
const underPm2 = {
  ...running,
  phase: 'draining',
  sinceMs: 20_000,
  stopAskedMs: 20_000,
  supervisor: 'pm2',
  budgetMs: 1_500,
  killAfterMs: 1_600,
} as const satisfies RunState;

const present = { nowMs: 30_000, bootId: 'boot 1', stopTimeoutMs: 7_000 };

describe('the run before this one', () => {
  it('has nothing said of it if it ended by itself, whatever its exit code', () => {
    for (const exitCode of [0, 1, 70, 75, 78, 143])
      expect(howKilled({ ...running, phase: 'stopped', exitCode }, present)).toBeUndefined();
  });

  it('was killed in the drain: by pm2, which says when it kills, and can be told to wait for longer', () => {
    expect(howKilled(underPm2, present)).toMatchObject({
      pid: 4711,
      phase: 'draining',
      durationMs: 1_600,
      bound: 'exactly',
      machineRestarted: false,
      advice: 'raise kill_timeout to at least 12000',
    });
  });

  it('was killed in a hook: the time counts from when its turn came', () => {
    const inHook = { ...underPm2, phase: 'stopping', hook: 'database', sinceMs: 21_000 } as const;
    expect(howKilled(inHook, present)).toMatchObject({
      hook: 'database',
      durationMs: 600,
      bound: 'exactly',
      advice: 'raise kill_timeout to at least 12000',
    });
  });

  it('was killed by something else, if it was before pm2 would have, or pm2 was patient enough', () => {
    expect(howKilled(underPm2, { ...present, nowMs: 20_900 })).toMatchObject({
      durationMs: 900,
      bound: 'at most',
    });
    const patient = { ...underPm2, killAfterMs: 12_000 };
    expect(howKilled(patient, { ...present, nowMs: 99_000 })?.advice).toMatch(/^by kill -9/);
  });

  it('was killed in the drain by others, each with its own setting', () => {
    const { killAfterMs: _, ...draining } = underPm2;
    const under = (supervisor: RunState['supervisor']) => howKilled({ ...draining, supervisor }, present);
    expect(under('systemd')).toMatchObject({ durationMs: 10_000, bound: 'at most' });
    expect(under('systemd')?.advice).toMatch(
      /^by systemd, if its event loop was blocked.*kill -9.*journalctl -u/,
    );
    expect(under('none')?.advice).toBe(
      'whoever stops it should wait for at least 12 s, or STOP_TIMEOUT be lower',
    );
  });

  it.each(['none', 'pm2', 'systemd'] as const)('was killed while it ran, under %s', (supervisor) => {
    const killed = howKilled({ ...running, supervisor }, present);
    expect(killed).toMatchObject({ phase: 'running', durationMs: 20_000, bound: 'at most' });
    expect(killed?.advice).toMatch(/kill -9.*memory.*dmesg/);
    // What never heard the signal was killed while it ran, as far as it could tell.
    const byWhom = /^by (pm2|systemd), if its event loop was blocked/.exec(killed?.advice ?? '')?.[1];
    expect(byWhom ?? 'none').toBe(supervisor);
  });

  it('was killed in the start', () => {
    const starting = { ...running, phase: 'starting', hook: 'bot' } as const;
    expect(howKilled(starting, present)).toMatchObject({ phase: 'starting', hook: 'bot' });
    expect(howKilled({ ...starting, supervisor: 'systemd' }, present)?.advice).toMatch(
      /^raise TimeoutStartSec/,
    );
  });

  it('went down with the machine', () => {
    expect(howKilled(underPm2, { ...present, bootId: 'boot 2' })).toMatchObject({
      machineRestarted: true,
      bound: 'at most',
      advice: 'the machine was restarted',
    });
    // Where boots have no id, nobody can tell.
    expect(howKilled(underPm2, { ...present, bootId: undefined })?.machineRestarted).toBe(false);
  });

  it('is told of whatever the clocks say', () => {
    const state: fc.Arbitrary<RunState> = fc.record(
      {
        phase: fc.constantFrom('starting', 'running', 'draining', 'stopping', 'stopped'),
        hook: fc.string(),
        sinceMs: fc.integer(),
        pid: fc.nat(),
        bootId: fc.constantFrom('boot 1', 'boot 2'),
        exitCode: fc.nat(),
        supervisor: fc.constantFrom('systemd', 'pm2', 'none'),
        budgetMs: fc.nat(),
        killAfterMs: fc.nat(),
        stopAskedMs: fc.integer(),
      },
      { requiredKeys: ['phase', 'sinceMs', 'pid', 'supervisor', 'budgetMs'] },
    );
    fc.assert(
      fc.property(state, fc.integer(), (any, nowMs) => {
        const killed = howKilled(any, { ...present, nowMs });
        expect(killed === undefined).toBe(any.phase === 'stopped');
        if (killed) {
          const begunMs = any.phase === 'draining' ? (any.stopAskedMs ?? any.sinceMs) : any.sinceMs;
          expect(killed.durationMs).toBeGreaterThanOrEqual(0);
          expect(killed.durationMs).toBeLessThanOrEqual(Math.max(0, nowMs - begunMs));
        }
        expect(parseRunState(JSON.stringify(any))).toEqual(any);
      }),
    );
  });
});

describe('what a run has left', () => {
  it('is no use where it is anything else', () => {
    const sound = JSON.stringify(running);
    expect(parseRunState(sound)).toEqual(running);
    for (const text of ['', 'null', '[]', '7', sound.slice(0, -1), '{"phase":"running"}'])
      expect(parseRunState(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseRunState(text)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(running)), fc.jsonValue(), (key, value) => {
        // Never more than is there, nor anything that is not what it says.
        const parsed = parseRunState(JSON.stringify({ ...running, [key]: value }));
        if (parsed) expect({ ...running, [key]: value }).toMatchObject(JSON.parse(JSON.stringify(parsed)));
      }),
    );
  });
});
