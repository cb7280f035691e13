/** The supervisor of the process: systemd, pm2, a container, or none. The code for each is loaded only if needed. */
import type { SupervisorKind } from './run-record.js';

/** A connection to the supervisor. Methods that the supervisor does not support are absent. No method throws. */
export interface Supervisor {
  readonly kind: SupervisorKind;
  /** The longest that a stop may take under this supervisor, if it sets a limit. */
  readonly stopLimitMs?: number;
  /** How long after a stop request the supervisor kills, if known. */
  readonly killAfterMs?: number;
  /** What kills a stop that takes longer, where that is not the supervisor itself. */
  readonly killer?: 'container';
  /** The time without a `ping()` after which the watchdog restarts the process; undefined without a watchdog. */
  readonly watchdogMs?: number | undefined;
  /** Reports that the bot polls or stands by, so that the start has succeeded. Call it once. */
  ready(): void;
  /** Sets the status that operators see, in one line. */
  status(text: string): void;
  /** Asks for at least `ms` more time for the start or the stop, counted from now. `Infinity` is ignored. */
  extend?(ms: number): void;
  stopping?(): void;
  ping?(): void;
  /** Connects, if that is not done yet. Rejects with NOTIFY_UNAVAILABLE if systemd expects messages that cannot be sent. */
  connect?(): Promise<void>;
}

/** The part of `process` that identifies the supervisor and sends messages to it. */
export interface SupervisedProcess {
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly connected?: boolean;
  send?(
    message: unknown,
    handle: undefined,
    options: undefined,
    sent: (error: Error | null) => void,
  ): unknown;
  listeners?(event: string): readonly { readonly name: string }[];
  off?(event: string, listener: () => void): unknown;
}

/** How long a supervisor should wait before it kills, so that a stop of up to `stopTimeoutMs` can end by itself. */
export const recommendedKillAfterMs = (stopTimeoutMs: number): number => Math.ceil(stopTimeoutMs) + 5_000;

/** The connection of a process without a supervisor. */
export const unsupervised: Supervisor = { kind: 'none', ready() {}, status() {} };

/** Tells the supervisor by the environment that it has given the process. */
export function supervisorOf({
  pid,
  env,
}: SupervisedProcess):
  | { readonly kind: 'none' | 'pm2' }
  | { readonly kind: 'systemd'; readonly socket: string } {
  // Checked first: apps under pm2 inherit the environment of its daemon, which may itself be a systemd service.
  if (env['pm_id'] !== undefined) return { kind: 'pm2' };
  const socket = env['NOTIFY_SOCKET'] ?? '';
  const watchdogPid = env['WATCHDOG_PID'];
  if (socket === '' || (watchdogPid !== undefined && watchdogPid !== `${pid}`)) return { kind: 'none' };
  return { kind: 'systemd', socket };
}

/**
 * Connects to the supervisor. Rejects with NOTIFY_UNAVAILABLE if systemd expects messages that cannot be sent.
 *
 * @param graceMs how long after SIGTERM the container is killed, if the process is in one
 */
export async function detectSupervisor(process: SupervisedProcess, graceMs?: number): Promise<Supervisor> {
  const found = supervisorOf(process);
  // systemd grants more time on request, and has a watchdog of its own.
  if (found.kind === 'systemd')
    return (await import('./systemd.js')).connectToSystemd(found.socket, process.env);
  const inside = found.kind === 'pm2' ? await (await import('./pm2.js')).connectToPm2(process) : unsupervised;
  return graceMs === undefined
    ? inside
    : (await import('./container.js')).inContainer(inside, graceMs, process.env);
}
