/** Tells from the state that the previous run has left whether it was killed, and what would prevent that. */
import type { KilledRun } from './events.js';
import type { RunState } from './run-state.js';
import { recommendedKillAfterMs } from './supervisor.js';

export interface CurrentRun {
  /** The current time, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly bootId: string | undefined;
  /** How long a stop may take according to the settings, whatever the supervisor allows. */
  readonly stopTimeoutMs: number;
}

/** How the previous run was killed, or undefined if it ended by itself. */
export function describeKill(previous: RunState, current: CurrentRun): KilledRun | undefined {
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

/** The time from the beginning of the phase until the supervisor kills, if known. */
function timeUntilKill({ killAfterMs, stopAskedMs }: RunState, begunMs: number): number | undefined {
  if (killAfterMs === undefined || stopAskedMs === undefined) return undefined;
  return Math.max(0, stopAskedMs + killAfterMs - begunMs);
}

function advice(state: RunState, stopTimeoutMs: number): string {
  switch (state.phase) {
    case 'starting':
      return startAdvice[state.supervisor];
    case 'draining':
    case 'stopping':
      return stopAdvice(state, recommendedKillAfterMs(stopTimeoutMs));
    default:
      return runAdvice[state.supervisor];
  }
}

const otherCauses = 'by kill -9, by the kernel when memory ran out, or by a crash of Node itself';
const kernelLog = "the kernel's log (`journalctl -k`, `dmesg`) may say more";
const unitLog =
  "the unit's log (`journalctl -u NAME`) or the kernel's (`journalctl -k`, `dmesg`) may say more";

const startAdvice = {
  systemd: `raise TimeoutStartSec if systemd did not wait long enough; otherwise ${kernelLog}`,
  pm2: `${otherCauses}; ${kernelLog}`,
  none: `${otherCauses}; ${kernelLog}`,
} as const;

const runAdvice = {
  systemd: `by systemd, if its event loop was blocked (the watchdog, or a stop); otherwise ${otherCauses}; ${unitLog}`,
  pm2: `by pm2, if its event loop was blocked when it was asked to stop; otherwise ${otherCauses}; ${kernelLog}`,
  none: `${otherCauses}; ${kernelLog}`,
} as const;

/** @param neededMs how long the supervisor should wait before it kills */
function stopAdvice({ supervisor, killAfterMs = 0 }: RunState, neededMs: number): string {
  switch (supervisor) {
    case 'pm2':
      if (killAfterMs >= neededMs) return `${otherCauses}; ${kernelLog}`;
      return `raise kill_timeout to at least ${neededMs}`;
    case 'systemd':
      // The stop has asked systemd for all the time it may take, so TimeoutStopSec is not the cause.
      return `by systemd, if its event loop was blocked in the stop; otherwise ${otherCauses}; ${unitLog}`;
    case 'none':
      return `whoever stops it should wait for at least ${Math.ceil(neededMs / 1_000)} s; or lower STOP_TIMEOUT`;
  }
}
