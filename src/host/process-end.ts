/**
 * Ends the process although a thread of Node's pool is stuck: in a look-up that no name server answers, or in a file of a
 * disk that hangs. Node's own exit waits for such a thread for as long as it takes.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode } from '../exit-code.js';
import { isPoolThreadBlocked } from './pool-threads.js';

/** The part of `process` that ends it. */
export interface EndingProcess {
  readonly pid: number;
  readonly execPath: string;
  /** Node's own mark, by which `process.exit` does not emit `exit` once more. */
  _exiting?: boolean;
  exitCode?: number | string | null | undefined;
  exit(exitCode: number): never;
  /** Since Node 22.15. */
  execve?(file: string, args: readonly string[], env: Readonly<Record<string, string>>): never;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  getActiveResourcesInfo(): readonly string[];
  emit(event: 'exit', exitCode: number): unknown;
  removeAllListeners(event: NodeJS.Signals): unknown;
}

/** How long what the pool has under way may take at the end, so that a file is not cut in the middle of a write. */
const UNDER_WAY_MS = 200;
const LOOK_EVERY_MS = 10;
/** Starts in a millisecond; some containers have none. */
const SHELL = '/bin/sh';

/** What Node calls the requests that a thread of its pool works on: for files, and for names of hosts. */
const poolRequest = /^(FSReq|CloseReq|FileHandleCloseReq|GetAddrInfoReq|GetNameInfoReq)/;

/**
 * Returns whether the pool has requests under way, for which an exit would wait.
 *
 * @param isBlocked whether a thread of the pool is at something that Node may not list
 */
export function isPoolBusy(
  process: Pick<EndingProcess, 'getActiveResourcesInfo'>,
  isBlocked = isPoolThreadBlocked,
): boolean {
  return process.getActiveResourcesInfo().some((kind) => poolRequest.test(kind)) || isBlocked();
}

/**
 * Ends the process with the exit code if an exit would wait for the pool, and if this version of Node can end it without
 * waiting. What the pool writes or syncs just then is given 200 ms, in which the event loop stands still.
 */
export function endWithoutPool(
  process: EndingProcess,
  exitCode: number,
  isBlocked = isPoolThreadBlocked,
): void {
  if (!process.execve || !isPoolBusy(process, isBlocked)) return;
  const latestEnd = performance.now() + UNDER_WAY_MS;
  while (isBlocked() && performance.now() < latestEnd) sleepSync(LOOK_EVERY_MS);
  replaceProcess(process, exitCode);
}

/**
 * Runs another program in place of the process, which knows nothing of the threads, keeps the process's id and ends with the
 * exit code. Does nothing where this version of Node cannot do that.
 */
function replaceProcess(process: EndingProcess, exitCode: number): void {
  if (!process.execve) return;
  emitExit(process, exitCode);
  if (existsSync(SHELL)) process.execve(SHELL, [SHELL, '-c', `exit ${exitCode}`], {});
  process.execve(process.execPath, [process.execPath, '--eval', `process.exit(${exitCode})`], {});
}

const sleepSync = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Calls the program's listeners, as Node does before an exit. An error of one ends nothing. */
function emitExit(process: EndingProcess, exitCode: number): void {
  process.exitCode = exitCode;
  process._exiting = true;
  try {
    process.emit('exit', exitCode);
  } catch {
    // The process ends all the same.
  }
}

/**
 * Ends the process. Create it before a bot program runs: `exit` and `kill` of `process` are replaced while one does, and are
 * kept here as they were.
 */
export class ProcessEnd {
  readonly #process: EndingProcess;
  readonly #exit: EndingProcess['exit'];
  readonly #kill: EndingProcess['kill'];
  readonly #isBlocked: () => boolean;

  constructor(process: EndingProcess, isBlocked = isPoolThreadBlocked) {
    this.#process = process;
    this.#isBlocked = isBlocked;
    this.#exit = process.exit.bind(process);
    this.#kill = process.kill.bind(process);
  }

  /** Ends the process when the pool has nothing under way, at the latest after 200 ms. */
  async soon(exitCode: number): Promise<never> {
    const latestEnd = performance.now() + UNDER_WAY_MS;
    while (isPoolBusy(this.#process, this.#isBlocked) && performance.now() < latestEnd)
      await sleep(LOOK_EVERY_MS);
    return this.now(exitCode);
  }

  /** Ends the process at once, whatever the pool has under way. */
  now(exitCode: number): never {
    const process = this.#process;
    if (!isPoolBusy(process, this.#isBlocked)) return this.#exit(exitCode);
    replaceProcess(process, exitCode);
    // A late exit code that keeps a supervisor from a restart is better than a signal, which does not.
    if (exitCode === ExitCode.configuration) return this.#exit(exitCode);
    emitExit(process, exitCode);
    // On older versions nothing but a signal ends a process at once. Supervisors take SIGTERM for a clean end.
    const signal = exitCode === 0 ? 'SIGTERM' : 'SIGKILL';
    process.removeAllListeners(signal);
    this.#kill(process.pid, signal);
    return this.#exit(exitCode);
  }
}
