/** The supervisor of a program that embeds lastcall: known at once, although the connection takes a moment. */
import { inContainer } from './container.js';
import { keepClusterWorker, pm2Supervisor } from './pm2.js';
import { type SupervisedProcess, type Supervisor, supervisorOf, unsupervised } from './supervisor.js';
import { connectToSystemd, watchdogMsOf } from './systemd.js';

/**
 * Returns the supervisor of the process. What it is told before `connect` has resolved, it is told then. Other than the
 * daemon, the program keeps what pm2 has installed in it.
 *
 * @param graceMs how long after SIGTERM the container is killed, if the process is in one
 */
export function embeddedSupervisor(
  process: SupervisedProcess,
  graceMs?: number,
  connectTo: typeof connectToSystemd = connectToSystemd,
): Supervisor {
  const { env } = process;
  const found = supervisorOf(process);
  if (found.kind === 'systemd')
    return systemdOnceConnected(() => connectTo(found.socket, env), watchdogMsOf(env));
  const inside =
    found.kind === 'pm2'
      ? { ...pm2Supervisor(process), connect: () => keepClusterWorker(env) }
      : unsupervised;
  return graceMs === undefined ? inside : inContainer(inside, graceMs, env);
}

function systemdOnceConnected(
  connect: () => Promise<Supervisor>,
  watchdogMs: number | undefined,
): Supervisor {
  let connection: Supervisor | undefined;
  const waiting: ((connection: Supervisor) => void)[] = [];
  const tell = (message: (connection: Supervisor) => void) => {
    if (connection) message(connection);
    else waiting.push(message);
  };
  return {
    kind: 'systemd',
    watchdogMs,
    async connect() {
      connection = await connect();
      for (const message of waiting.splice(0)) message(connection);
    },
    ready: () => tell((to) => to.ready()),
    status: (text) => tell((to) => to.status(text)),
    extend: (ms) => tell((to) => to.extend?.(ms)),
    stopping: () => tell((to) => to.stopping?.()),
    ping: () => tell((to) => to.ping?.()),
  };
}
