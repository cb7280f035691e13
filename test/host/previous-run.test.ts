import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeKill } from '../../src/host/previous-run.js';
import { parseRunRecord, type RunRecord } from '../../src/host/run-record.js';

const running: RunRecord = {
  phase: 'running',
  sinceMs: 10_000,
  pid: 4711,
  bootId: 'boot 1',
  supervisor: 'none',
};
/** A stop under pm2's default kill_timeout: requested at 20,000, killed 1.6 s later. */
const underPm2 = {
  ...running,
  phase: 'draining',
  sinceMs: 20_000,
  stopAskedMs: 20_000,
  supervisor: 'pm2',
  killAfterMs: 1_600,
} as const satisfies RunRecord;

const present = { nowMs: 30_000, bootId: 'boot 1', stopTimeoutMs: 7_000 };

describe('the previous run', () => {
  it('is not reported if it ended by itself, whatever its exit code', () => {
    for (const exitCode of [0, 1, 70, 75, 78, 143])
      expect(describeKill({ ...running, phase: 'stopped', exitCode }, present)).toBeUndefined();
  });

  it('was killed in the drain by pm2: after kill_timeout, which should be raised', () => {
    expect(describeKill(underPm2, present)).toMatchObject({
      pid: 4711,
      phase: 'draining',
      durationMs: 1_600,
      bound: 'exactly',
      machineRestarted: false,
      advice: 'raise kill_timeout to at least 12000',
    });
  });

  it('was killed in a hook: the time counts from the beginning of its stop', () => {
    const inHook = { ...underPm2, phase: 'stopping', hook: 'database', sinceMs: 21_000 } as const;
    expect(describeKill(inHook, present)).toMatchObject({
      hook: 'database',
      durationMs: 600,
      bound: 'exactly',
      advice: 'raise kill_timeout to at least 12000',
    });
  });

  it('was killed by something else if kill_timeout had not passed, or is long enough', () => {
    expect(describeKill(underPm2, { ...present, nowMs: 20_900 })).toMatchObject({
      durationMs: 900,
      bound: 'at most',
    });
    const longEnough = { ...underPm2, killAfterMs: 12_000 };
    expect(describeKill(longEnough, { ...present, nowMs: 99_000 })?.advice).toMatch(/^by kill -9/);
  });

  it('was killed in the drain: the advice depends on the supervisor', () => {
    const { killAfterMs: _, ...draining } = underPm2;
    const killedUnder = (supervisor: RunRecord['supervisor']) =>
      describeKill({ ...draining, supervisor }, present);
    expect(killedUnder('systemd')).toMatchObject({ durationMs: 10_000, bound: 'at most' });
    expect(killedUnder('systemd')?.advice).toMatch(
      /^by systemd, if its event loop was blocked.*kill -9.*journalctl -u/,
    );
    expect(killedUnder('none')?.advice).toBe(
      'wait for at least 12 s before killing it, or lower STOP_TIMEOUT',
    );
  });

  it.each(['none', 'pm2', 'systemd'] as const)('was killed while it ran, under %s', (supervisor) => {
    const killed = describeKill({ ...running, supervisor }, present);
    expect(killed).toMatchObject({ phase: 'running', durationMs: 20_000, bound: 'at most' });
    expect(killed?.advice).toMatch(/kill -9.*memory.*dmesg/);
    // A blocked process never hears the signal, so that its last recorded phase is `running`.
    const killer = /^by (pm2|systemd), if its event loop was blocked/.exec(killed?.advice ?? '')?.[1];
    expect(killer ?? 'none').toBe(supervisor);
  });

  it('was killed in the start', () => {
    const starting = { ...running, phase: 'starting', hook: 'bot' } as const;
    expect(describeKill(starting, present)).toMatchObject({ phase: 'starting', hook: 'bot' });
    expect(describeKill({ ...starting, supervisor: 'systemd' }, present)?.advice).toMatch(
      /^raise TimeoutStartSec/,
    );
  });

  it('was cut off by a restart of the machine', () => {
    expect(describeKill(underPm2, { ...present, bootId: 'boot 2' })).toMatchObject({
      machineRestarted: true,
      bound: 'at most',
      advice: 'the machine was restarted',
    });
    // Without a boot id a restart of the machine cannot be detected.
    expect(describeKill(underPm2, { ...present, bootId: undefined })?.machineRestarted).toBe(false);
  });

  it('is described whatever the clocks say', () => {
    const state: fc.Arbitrary<RunRecord> = fc.record(
      {
        phase: fc.constantFrom('starting', 'running', 'draining', 'stopping', 'stopped'),
        hook: fc.string(),
        sinceMs: fc.integer(),
        pid: fc.nat(),
        bootId: fc.constantFrom('boot 1', 'boot 2'),
        exitCode: fc.nat(),
        supervisor: fc.constantFrom('systemd', 'pm2', 'none'),
        killAfterMs: fc.nat(),
        stopAskedMs: fc.integer(),
      },
      { requiredKeys: ['phase', 'sinceMs', 'pid', 'supervisor'] },
    );
    fc.assert(
      fc.property(state, fc.integer(), (previous, nowMs) => {
        const killed = describeKill(previous, { ...present, nowMs });
        expect(killed === undefined).toBe(previous.phase === 'stopped');
        if (killed) {
          const begunMs =
            previous.phase === 'draining' ? (previous.stopAskedMs ?? previous.sinceMs) : previous.sinceMs;
          expect(killed.durationMs).toBeGreaterThanOrEqual(0);
          expect(killed.durationMs).toBeLessThanOrEqual(Math.max(0, nowMs - begunMs));
        }
        expect(parseRunRecord(JSON.stringify(previous))).toEqual(previous);
      }),
    );
  });
});
