/**
 * Who started the process and watches over it, as far as it can be told anything: systemd, pm2, or nobody. What is
 * not there is not loaded.
 */

/** What a supervisor can be told. All calls are cheap and never throw. */
export interface Supervisor {
  readonly kind: 'systemd' | 'pm2' | 'none';
  /** How long the stop may take at most by the supervisor's own word; undefined where it has none. */
  readonly stopLimitMs: number | undefined;
  /** When it kills, counted from the moment it asks for the stop; absent where it does not say. */
  readonly killAfterMs?: number;
  /** The first poll is answered, or the process stands by. Only the first call counts. */
  ready(): void;
  /** What an operator wants to see, in one line. */
  status(text: string): void;
  /** The start or the stop goes on, for at least so long from now. */
  extend(ms: number): void;
  stopping(): void;
  /** Undefined without a watchdog; else it bites when this long has passed without a `ping()`. */
  readonly watchdogMs: number | undefined;
  ping(): void;
  /** Nothing is told any more. */
  close(): void;
}

/** The part of `process` by which a supervisor makes itself known. */
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

/** A supervisor should be a little more patient than a stop may take by the settings; both in milliseconds. */
export const recommendedKillAfterMs = (stopTimeoutMs: number): number => Math.ceil(stopTimeoutMs) + 5_000;

/** Nobody to be told. */
export const unsupervised: Supervisor = {
  kind: 'none',
  stopLimitMs: undefined,
  watchdogMs: undefined,
  ready() {},
  status() {},
  extend() {},
  stopping() {},
  ping() {},
  close() {},
};

/**
 * Finds out who supervises the process.
 *
 * @throws LastcallError NOTIFY_UNAVAILABLE when systemd waits to be told and there is no way to tell it
 */
export async function detectSupervisor(process: SupervisedProcess): Promise<Supervisor> {
  const { pid, env } = process;
  // First: pm2's apps inherit the environment of its daemon, whose socket and watchdog, if any, are not theirs.
  if (env['pm_id'] !== undefined) return (await import('./pm2.js')).connectToPm2(process);
  const socket = env['NOTIFY_SOCKET'] ?? '';
  const watchdogPid = env['WATCHDOG_PID'];
  if (socket === '' || (watchdogPid !== undefined && watchdogPid !== `${pid}`)) return unsupervised;
  const { connectToSystemd } = await import('./systemd.js');
  return connectToSystemd(socket, env);
}
