/** Tells from the record of the previous run whether it was killed, and what would prevent another kill. */
import type { KilledRun } from './events.js';
import type { RunRecord } from './run-record.js';
import { recommendedKillAfterMs } from './supervisor.js';

export interface CurrentRun {
  /** The current time, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly bootId: string | undefined;
  /** How long a stop may take according to the settings, whatever the supervisor allows. */
  readonly stopTimeoutMs: number;
}

/** Returns how the previous run was killed, or undefined if it ended by itself. */
export function describeKill(previous: RunRecord, current: CurrentRun): KilledRun | undefined {
  const { phase, hook, pid, bootId, sinceMs, stopAskedMs } = previous;
  if (phase === 'stopped') return undefined;
  const machineRestarted = bootId !== undefined && current.bootId !== undefined && bootId !== current.bootId;
  const begunMs = phase === 'draining' ? (stopAskedMs ?? sinceMs) : sinceMs;
  const atMostMs = Math.max(0, current.nowMs - begunMs);
  const untilKillMs = machineRestarted ? undefined : timeUntilKill(previous, begunMs);
  const exact = untilKillMs !== undefined && untilKillMs <= atMostMs;
  return {
    pid,
    phase,
    hook,
    durationMs: exact ? untilKillMs : atMostMs,
    bound: exact ? 'exactly' : 'at most',
    machineRestarted,
    advice: machineRestarted ? 'the machine was restarted' : advice(previous, current.stopTimeoutMs),
  };
}

/** Returns the time from the beginning of the phase until the supervisor kills, if known. */
function timeUntilKill({ killAfterMs, stopAskedMs }: RunRecord, begunMs: number): number | undefined {
  if (killAfterMs === undefined || stopAskedMs === undefined) return undefined;
  return Math.max(0, stopAskedMs + killAfterMs - begunMs);
}

const kernelLog = "the kernel's log (`journalctl -k`, `dmesg`) may say more";
const unitLog =
  "the unit's log (`journalctl -u NAME`) or the kernel's (`journalctl -k`, `dmesg`) may say more";
const otherCauses = 'by kill -9, by the kernel when memory ran out, or by a crash of Node itself';
const unexplained = `${otherCauses}; ${kernelLog}`;

function advice({ phase, supervisor, killAfterMs = 0 }: RunRecord, stopTimeoutMs: number): string {
  if (phase === 'starting')
    return supervisor === 'systemd'
      ? `raise TimeoutStartSec if systemd did not wait long enough; otherwise ${kernelLog}`
      : unexplained;
  const isRunning = phase === 'running';
  const neededMs = recommendedKillAfterMs(stopTimeoutMs);
  switch (supervisor) {
    case 'systemd': {
      // A stop has asked systemd for all the time it may take, so TimeoutStopSec is not the cause.
      const blocked = isRunning ? 'blocked (the watchdog, or a stop)' : 'blocked in the stop';
      return `by systemd, if its event loop was ${blocked}; otherwise ${otherCauses}; ${unitLog}`;
    }
    case 'pm2':
      if (isRunning)
        return `by pm2, if its event loop was blocked when it was asked to stop; otherwise ${unexplained}`;
      return killAfterMs < neededMs ? `raise kill_timeout to at least ${neededMs}` : unexplained;
    case 'container': {
      const needed = Math.ceil(neededMs / 1_000);
      if (isRunning || killAfterMs >= neededMs) return `by the end of its container, or ${unexplained}`;
      return `raise stop_grace_period (Docker) or terminationGracePeriodSeconds (Kubernetes), and LASTCALL_GRACE, to at least ${needed} s`;
    }
    case 'none':
      if (isRunning) return unexplained;
      return `wait for at least ${Math.ceil(neededMs / 1_000)} s before killing it, or lower STOP_TIMEOUT`;
  }
}
