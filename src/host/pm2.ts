/** Connects to pm2: reads its settings from the environment, sends messages by IPC, and removes its fault listeners. */
import type { Worker } from 'node:cluster';
import { LONGEST_TIMER_MS } from '../clock.js';
import { beforeKill } from './kill-margin.js';
import type { SupervisedProcess, Supervisor } from './supervisor.js';

/** pm2's kill_timeout if the app sets none: the time from SIGINT to SIGKILL. */
const DEFAULT_KILL_TIMEOUT_MS = 1_600;

/** The delay that Node uses for a timer whose delay is too short or too long. */
const MIN_TIMER_MS = 1;

/** The part of a cluster worker that decides how it ends. */
type ClusterWorker = Pick<Worker, 'exitedAfterDisconnect'>;

type WorkerOf = () => Promise<ClusterWorker | undefined>;
const thisWorker: WorkerOf = async () => (await import('node:cluster')).default.worker;

/** Connects to pm2, and turns off what pm2 has installed in the process. Never rejects. */
export async function connectToPm2(
  process: SupervisedProcess,
  workerOf: WorkerOf = thisWorker,
): Promise<Supervisor> {
  removePm2FaultListeners(process);
  await keepClusterWorker(process.env, workerOf);
  return pm2Supervisor(process);
}

/** Keeps Node from ending the process, if it is a worker of pm2's cluster mode, as soon as its primary process is gone. */
export async function keepClusterWorker(
  env: SupervisedProcess['env'],
  workerOf: WorkerOf = thisWorker,
): Promise<void> {
  if (env['exec_mode'] !== 'cluster_mode') return;
  const worker = await workerOf();
  if (worker) worker.exitedAfterDisconnect = true;
}

/** What pm2 allows the process, and the connection to it. */
export function pm2Supervisor(process: SupervisedProcess): Supervisor {
  const killAfterMs = killTimeoutOf(process.env['kill_timeout']);

  // It is not an error if the channel is missing or closed, or if pm2 ignores `ready` after listen_timeout.
  const send = (message: unknown) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  return {
    kind: 'pm2',
    stopLimitMs: beforeKill(killAfterMs),
    killAfterMs,
    ready: () => send('ready'),
    // Sent as a custom metric, which `pm2 show` and `pm2 monit` list.
    status: (value) => send({ type: 'axm:monitor', data: { lastcall: { value } } }),
  };
}

/** Reads kill_timeout as pm2 does: 0 and non-numbers count as unset, and a time that no timer supports kills at once. */
export function killTimeoutOf(text = ''): number {
  const ms = Number(text);
  if (ms === 0 || Number.isNaN(ms)) return DEFAULT_KILL_TIMEOUT_MS;
  return ms >= MIN_TIMER_MS && ms <= LONGEST_TIMER_MS ? ms : MIN_TIMER_MS;
}

/** The names of pm2's fault listeners: the first in cluster mode, the others from its instrumentation. */
const pm2Listeners = /^(uncaughtListener|bound onUncaughtException|bound onUnhandledRejection)$/;

/** Removes pm2's fault listeners: they log errors with their secrets, and look like listeners of the bot program. */
function removePm2FaultListeners(process: SupervisedProcess): void {
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const)
    for (const listener of process.listeners?.(fault) ?? [])
      if (pm2Listeners.test(listener.name)) process.off?.(fault, listener as () => void);
}
