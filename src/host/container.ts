/** Containers: whether the process is in one, how long it has after SIGTERM, and the heartbeat that probes look at. */
import { existsSync } from 'node:fs';
import { fileSystemOf } from '../file-system.js';
import { heartbeatFile, writeHeartbeat } from './heartbeat.js';
import { beforeKill } from './kill-margin.js';
import type { Supervisor } from './supervisor.js';

type Environment = Readonly<Record<string, string | undefined>>;

export type ContainerRuntime = 'Docker' | 'Podman' | 'Kubernetes';

/** How long each runtime waits between SIGTERM and SIGKILL if nobody sets it. A container is not told what is set. */
const defaultGraceMs: Readonly<Record<ContainerRuntime, number>> = {
  Docker: 10_000,
  Podman: 10_000,
  Kubernetes: 30_000,
};

/** How old a heartbeat may be. The loop may be busy for some time, as under the watchdog of the shipped unit. */
export const HEARTBEAT_WITHIN_MS = 60_000;

/** What tells containers apart from hosts, besides the environment. */
export interface ContainerTraces {
  readonly dockerFile: boolean;
  readonly podmanFile: boolean;
  /** Whether the root of the file system is the layer of a container. */
  readonly overlayRoot: boolean;
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
  if (env['container'] === 'docker' || (traces.dockerFile && traces.overlayRoot)) return 'Docker';
  return undefined;
}

function systemTraces(): ContainerTraces {
  return {
    dockerFile: existsSync('/.dockerenv'),
    podmanFile: existsSync('/run/.containerenv'),
    overlayRoot: process.platform === 'linux' && fileSystemOf('/') === 'overlay',
  };
}

/** Returns how long after SIGTERM the process is killed: the grace that is set, else the runtime's default. */
export const graceOf = (runtime: ContainerRuntime | undefined, setMs: number | undefined): number =>
  setMs ?? (runtime === undefined ? Number.POSITIVE_INFINITY : defaultGraceMs[runtime]);

/** Adds to a supervisor what a container demands of it: its grace, and a heartbeat. */
export function inContainer(supervisor: Supervisor, graceMs: number, env: Environment): Supervisor {
  const { stopLimitMs = Number.POSITIVE_INFINITY, killAfterMs = stopLimitMs } = supervisor;
  const path = heartbeatFile(env);
  const limits = graceMs < killAfterMs ? limitedTo(graceMs) : {};
  return {
    ...supervisor,
    ...limits,
    watchdogMs: HEARTBEAT_WITHIN_MS,
    ping: () => writeHeartbeat(path),
  };
}

/** The limits of a stop that is killed when the grace of a container is over. */
export const limitedTo = (graceMs: number): Pick<Supervisor, 'stopLimitMs' | 'killAfterMs' | 'killer'> =>
  Number.isFinite(graceMs)
    ? { stopLimitMs: beforeKill(graceMs), killAfterMs: graceMs, killer: 'container' }
    : {};

/** A container without a supervisor inside it. */
export const containerSupervisor = (graceMs: number, env: Environment): Supervisor =>
  inContainer({ kind: 'container', ready() {}, status() {} }, graceMs, env);

/**
 * Returns what is lost where the state has no volume, as a sentence; undefined where it has one.
 *
 * @param keepsJournal whether the journal is kept there all the same, because INBOX is set
 */
export function volumeWarning(stateDir: string, keepsJournal: boolean): string | undefined {
  const kind = fileSystemOf(stateDir);
  if (kind === 'other') return undefined;
  const place = `${stateDir} (STATE_DIR) is ${kind === 'overlay' ? "on the container's own layer" : 'in memory'} and goes with the container`;
  return keepsJournal
    ? `${place}, and with it the updates in the inbox: mount a volume there, or set INBOX=memory`
    : `${place}, so updates are kept at Telegram (INBOX=memory): for the journal, mount a volume there`;
}
