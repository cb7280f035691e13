/** Containers: whether the process is in one, how long it has after SIGTERM, and the heartbeat that probes look at. */
import { existsSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileSystemOf } from '../file-system.js';
import { describeThrown } from '../thrown.js';
import { heartbeatFile, writeHeartbeat } from './heartbeat.js';
import { beforeKill } from './kill-margin.js';
import type { Supervisor } from './supervisor.js';

type Environment = Readonly<Record<string, string | undefined>>;

export type ContainerRuntime = 'Docker' | 'Podman' | 'Kubernetes' | 'the container';

/** How long each runtime waits between SIGTERM and SIGKILL if nobody sets it. A container is not told what is set. */
export const defaultGraceMs: Readonly<Record<ContainerRuntime, number>> = {
  Docker: 10_000,
  Podman: 10_000,
  Kubernetes: 30_000,
  // The shortest of those that are common.
  'the container': 10_000,
};

/** How old a heartbeat may be. The loop may be busy for some time, as under the watchdog of the shipped unit. */
export const HEARTBEAT_WITHIN_MS = 60_000;

/** What tells containers apart from hosts, besides the environment. */
export interface ContainerTraces {
  readonly dockerFile: boolean;
  readonly podmanFile: boolean;
  /** Whether the root of the file system is the layer of a container. */
  readonly overlayRoot: boolean;
  /** Whether the process ids are others than those of the machine. */
  readonly ownPids: boolean;
  /** Whether a systemd runs the system. */
  readonly systemd: boolean;
}

/** Returns the runtime of the container that the process is in, or undefined. `container=none` in the environment says no. */
export function containerRuntime(
  env: Environment,
  traces: ContainerTraces = systemTraces(),
): ContainerRuntime | undefined {
  if (env['container'] === 'none') return undefined;
  // Where a systemd runs the process, it is a machine, whatever it was made from.
  if (env['INVOCATION_ID']) return undefined;
  if (env['KUBERNETES_SERVICE_HOST']) return 'Kubernetes';
  if (env['container'] === 'podman' || traces.podmanFile) return 'Podman';
  // Images of whole machines are made from those of Docker, whose file they keep.
  const isContained = traces.overlayRoot || (traces.ownPids && !traces.systemd);
  if (env['container'] === 'docker' || (traces.dockerFile && isContained)) return 'Docker';
  // containerd and those that run it leave no mark of their own.
  return traces.ownPids && traces.overlayRoot && !traces.systemd ? 'the container' : undefined;
}

/** The number of the machine's own namespace of process ids, which is the same on every Linux. */
const MACHINE_PIDS = 'pid:[4026531836]';

function systemTraces(): ContainerTraces {
  return {
    dockerFile: existsSync('/.dockerenv'),
    podmanFile: existsSync('/run/.containerenv'),
    overlayRoot: process.platform === 'linux' && fileSystemOf('/') === 'overlay',
    ownPids: hasOwnPids(),
    systemd: existsSync('/run/systemd/system'),
  };
}

function hasOwnPids(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') !== MACHINE_PIDS;
  } catch {
    return false;
  }
}

/** Adds to the supervisor inside a container, if there is one, what the container demands: its grace, and a heartbeat. */
export function inContainer(inside: Supervisor, graceMs: number, env: Environment): Supervisor {
  const { kind, stopLimitMs = Number.POSITIVE_INFINITY, killAfterMs = stopLimitMs } = inside;
  const path = heartbeatFile(env);
  return {
    ...inside,
    ...(kind === 'none' && { kind: 'container' }),
    ...(graceMs < killAfterMs && {
      stopLimitMs: beforeKill(graceMs),
      killAfterMs: graceMs,
      killer: 'container',
    }),
    watchdogMs: HEARTBEAT_WITHIN_MS,
    ping() {
      try {
        writeHeartbeat(path);
      } catch {
        // The start has warned, and the probe finds no heartbeat and says where it has looked.
      }
    },
  };
}

/** Writes the first heartbeat. Returns what is wrong where that cannot be, as a sentence; undefined where all is well. */
export function heartbeatWarning(env: Environment): string | undefined {
  const path = heartbeatFile(env);
  try {
    writeHeartbeat(path);
    return undefined;
  } catch (error) {
    return `the heartbeat ${path} cannot be written, so that \`lastcall probe\` takes the bot for dead: ${describeThrown(error)}; mount a tmpfs at ${dirname(dirname(path))}, or set TMPDIR to a folder that can be written to`;
  }
}
