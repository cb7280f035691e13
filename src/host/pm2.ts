/**
 * pm2: an app finds its own settings in its environment, and says what it has to say through its IPC channel. Parts
 * of pm2 run inside the app's process, and in cluster mode it is a worker of pm2's own; they are made to leave its end to
 * us.
 */
import type { Worker } from 'node:cluster';
import { LONGEST_TIMER_MS } from '../clock.js';
import type { SupervisedProcess, Supervisor } from './supervisor.js';

/** What pm2 waits after SIGINT, before SIGKILL, where the app has no kill_timeout. */
const KILL_TIMEOUT_MS = 1_600;

/** What Node takes any other time for that no timer can wait. */
const SHORTEST_TIMER_MS = 1;

/**
 * What a stop leaves of the time before the kill. "Within its bound" means the budget and 250 ms; the rest is for the
 * signal to be heard, as pm2 counts from when it sends it. Never more than a quarter: of a short time something is left.
 */
const MARGIN_MS = 400;
const MOST_MARGIN = 1 / 4;

/** Of cluster mode, what concerns the end of the process. */
type ClusterWorker = Pick<Worker, 'exitedAfterDisconnect'>;

/** Says who pm2 is to this process, and readies the process for an end in order. Never rejects. */
export async function connectToPm2(
  process: SupervisedProcess,
  workerOf: () => Promise<ClusterWorker | undefined> = clusterWorker,
): Promise<Supervisor> {
  const { env } = process;
  takeFaultsFromPm2(process);
  if (env['exec_mode'] === 'cluster_mode') keepWhenDisconnected(await workerOf());
  const killAfterMs = killTimeoutOf(env['kill_timeout']);

  /** Nobody may listen: no channel, one that has closed, or a pm2 that waits no longer and drops what it hears. */
  const send = (message: unknown) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  let isReady = false;
  return {
    kind: 'pm2',
    stopLimitMs: killAfterMs - Math.min(MARGIN_MS, killAfterMs * MOST_MARGIN),
    killAfterMs,
    watchdogMs: undefined,
    ready() {
      if (!isReady) send('ready');
      isReady = true;
    },
    /** As one of the app's metrics, which `pm2 show` and `pm2 monit` list. */
    status: (value) => send({ type: 'axm:monitor', data: { lastcall: { value } } }),
    // pm2 waits for nobody.
    extend() {},
    stopping() {},
    ping() {},
    close() {},
  };
}

/** As pm2 takes it: 0, and what is no number, is not set; and where no timer can wait so long, it kills at once. */
function killTimeoutOf(text = ''): number {
  const ms = Number(text);
  if (ms === 0 || Number.isNaN(ms)) return KILL_TIMEOUT_MS;
  return ms >= SHORTEST_TIMER_MS && ms <= LONGEST_TIMER_MS ? ms : SHORTEST_TIMER_MS;
}

async function clusterWorker(): Promise<ClusterWorker | undefined> {
  const { default: cluster } = await import('node:cluster');
  return cluster.worker;
}

/** Node ends a worker on the spot when its primary is gone, unless the worker was about to leave anyway. */
function keepWhenDisconnected(worker: ClusterWorker | undefined): void {
  if (worker) worker.exitedAfterDisconnect = true;
}

/** Its listeners, as functions: of an app in cluster mode, and of the instrumentation it puts into the others. */
const pm2sListener = /^(uncaughtListener|bound onUncaughtException|bound onUnhandledRejection)$/;

/**
 * pm2 listens for faults in the app's process. It would write them to the app's log with every secret in them, and pass
 * for the bot program, which may have listeners of its own: the run would go on after a fault.
 */
function takeFaultsFromPm2(process: SupervisedProcess): void {
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const)
    for (const listener of process.listeners?.(fault) ?? [])
      if (pm2sListener.test(listener.name)) process.off?.(fault, listener as () => void);
}
