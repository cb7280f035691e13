/** How the run before this one ended, by what it has left about itself; and if it was killed, what would help. */
import type { Killed } from './events.js';
import type { RunState } from './run-state.js';
import { patienceFor } from './supervisor.js';

export interface Present {
  readonly nowMs: number;
  readonly bootId: string | undefined;
  /** What a stop may take by the settings, whatever the supervisor allows. */
  readonly stopTimeoutMs: number;
}

/** Undefined if the run ended by itself, in whatever way. */
export function howKilled(state: RunState, present: Present): Killed | undefined {
  const { phase, hook, pid, bootId, sinceMs, stopAskedMs } = state;
  if (phase === 'stopped') return undefined;
  const machineRestarted = bootId !== undefined && present.bootId !== undefined && bootId !== present.bootId;
  const begunMs = phase === 'draining' ? (stopAskedMs ?? sinceMs) : sinceMs;
  const atMostMs = Math.max(0, present.nowMs - begunMs);
  const toTheKillMs = machineRestarted ? undefined : timeToKill(state, begunMs);
  const exact = toTheKillMs !== undefined && toTheKillMs <= atMostMs;
  return {
    pid,
    phase,
    hook,
    durationMs: exact ? toTheKillMs : atMostMs,
    bound: exact ? 'exactly' : 'at most',
    machineRestarted,
    advice: machineRestarted ? 'the machine was restarted' : advice(state, present.stopTimeoutMs),
  };
}

/** From the beginning of the phase to the moment the supervisor kills, where both are known. */
function timeToKill({ killAfterMs, stopAskedMs }: RunState, begunMs: number): number | undefined {
  if (killAfterMs === undefined || stopAskedMs === undefined) return undefined;
  return Math.max(0, stopAskedMs + killAfterMs - begunMs);
}

function advice(state: RunState, stopTimeoutMs: number): string {
  switch (state.phase) {
    case 'starting':
      return startAdvice[state.supervisor];
    case 'draining':
    case 'stopping':
      return stopAdvice(state, patienceFor(stopTimeoutMs));
    default:
      return runAdvice[state.supervisor];
  }
}

const byForce = 'by kill -9, for want of memory or by a crash of Node itself';
const kernelLog = "the kernel's log tells (`journalctl -k`, `dmesg`)";

const unitLog = `\`journalctl -u\` with the unit's name tells, or ${kernelLog}`;

const startAdvice = {
  systemd: `raise TimeoutStartSec if systemd was short of patience; otherwise ${kernelLog}`,
  pm2: `${byForce}; ${kernelLog}`,
  none: `${byForce}; ${kernelLog}`,
} as const;

const runAdvice = {
  systemd: `by systemd, if its event loop was blocked (the watchdog, or a stop); otherwise ${byForce}; ${unitLog}`,
  pm2: `by pm2, if its event loop was blocked when it was to stop; otherwise ${byForce}, and ${kernelLog}`,
  none: `${byForce}; ${kernelLog}`,
} as const;

/** `neededMs`: how long the supervisor has to wait for a stop that takes its time. */
function stopAdvice({ supervisor, killAfterMs = 0 }: RunState, neededMs: number): string {
  switch (supervisor) {
    case 'pm2':
      // It was patient enough, so that something else has killed.
      if (killAfterMs >= neededMs) return `${byForce}; ${kernelLog}`;
      return `raise kill_timeout to at least ${neededMs}`;
    case 'systemd':
      // A stop has asked for all the time it may take, so that systemd was not short of patience.
      return `by systemd, if its event loop was blocked in the stop; otherwise ${byForce}; ${unitLog}`;
    case 'none':
      return `whoever stops it should wait for at least ${Math.ceil(neededMs / 1_000)} s, or STOP_TIMEOUT be lower`;
  }
}
