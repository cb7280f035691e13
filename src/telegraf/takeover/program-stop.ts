/**
 * Runs the part of the stop that belongs to the program: its signal listeners are called, the promises of `launch()`
 * settle, and both get time to finish what they begin.
 */
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isExitRequest } from './exit-request.js';
import { addedKinds, type Resources } from './open-resources.js';
import type { ProcessTakeover, StopListener } from './process.js';

/** The members of a lifecycle's hook context that stopping a program needs. */
export interface StopContext {
  /** Aborts when the hook is overdue. */
  readonly signal: AbortSignal;
  readonly deadline?: { remainingMs(): number };
}

export interface ProgramStop {
  readonly listeners: readonly StopListener[];
  /** Settles the promises that `launch()` has returned. Returns false if there are none. */
  settleLaunches(): boolean;
  readonly process: Pick<ProcessTakeover, 'exitRequested' | 'requestedExitCode' | 'exitCodeSet'>;
  /** The resources that were open before the program was loaded. */
  readonly openBefore: Resources;
  openResources(): Resources;
  /** How long a program may take to close its resources, once the promises of its listeners have settled. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Called when `graceMs` has passed and resources of these kinds are still open. */
  leftOpen(kinds: readonly string[]): void;
}

/** The first waits between checks of what is open; short, since most programs close everything quickly. */
const FIRST_WAITS_MS = [1, 2, 4, 8, 16];
const FURTHER_WAIT_MS = 25;
/** How many checks in a row must find nothing open: work in Node's thread pool does not show, but may end meanwhile. */
const QUIET_CHECKS = 3;
/** Kept back from the hook's own deadline, so that a program that never ends by itself is not taken for overdue. */
const DEADLINE_MARGIN_MS = 100;

/**
 * Resolves when the program has called `process.exit`, or has nothing open any more, or has had its grace. Rejects
 * with HOOK_FAILED if a listener failed or the program asked for an exit code other than 0, and with the signal's
 * reason when that aborts first.
 */
export async function stopProgram(stop: ProgramStop, { signal, deadline }: StopContext): Promise<void> {
  const { clock, process } = stop;
  // Timers cannot be told from lastcall's own: only those that are added from here on count.
  const before = new Map(stop.openBefore).set('Timeout', stop.openResources().get('Timeout') ?? 0);
  const failures: unknown[] = [];
  const returned = callListeners(stop, failures);
  const hasLaunched = stop.settleLaunches();

  const over = new AbortController();
  let stopListening = () => {};
  const overdue = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason));
  });
  try {
    // The open resources of a module without listeners are left to hooks of its own, which stop later.
    if (stop.listeners.length > 0 || hasLaunched)
      await Promise.race([process.exitRequested, overdue, finish()]);
  } finally {
    stopListening();
    over.abort();
  }

  if (failures.length > 0) throw failed('a stop listener of the program failed', failures[0]);
  const exitCode = process.requestedExitCode ?? process.exitCodeSet ?? 0;
  if (exitCode !== 0) throw failed(`the program asked for exit code ${exitCode} when it was stopped`);

  async function finish(): Promise<void> {
    for (const result of await Promise.allSettled(returned))
      if (result.status === 'rejected' && !isExitRequest(result.reason)) failures.push(result.reason);
    const remainingMs = (deadline?.remainingMs() ?? Number.POSITIVE_INFINITY) - DEADLINE_MARGIN_MS;
    const end = clock.now() + Math.min(stop.graceMs, remainingMs);
    let open: readonly string[] = [];
    for (let check = 0, quiet = 0; quiet < QUIET_CHECKS; check++) {
      if (clock.now() >= end) {
        if (open.length > 0) stop.leftOpen(open);
        return;
      }
      await clock.sleep(FIRST_WAITS_MS[check] ?? FURTHER_WAIT_MS, over.signal);
      open = addedKinds(stop.openResources(), before);
      quiet = open.length === 0 ? quiet + 1 : 0;
    }
  }
}

/** Calls every listener, even if one throws, until one calls `process.exit`. Returns what they returned. */
function callListeners({ listeners, process }: ProgramStop, failures: unknown[]): unknown[] {
  const returned: unknown[] = [];
  for (const listener of listeners) {
    if (process.requestedExitCode !== undefined) break;
    try {
      returned.push(listener());
    } catch (error) {
      if (!isExitRequest(error)) failures.push(error);
    }
  }
  return returned;
}

function failed(message: string, cause?: unknown): LastcallError {
  if (cause === undefined) return new LastcallError('HOOK_FAILED', 'program', message);
  const words = cause instanceof Error ? cause.message : String(cause);
  return new LastcallError('HOOK_FAILED', 'program', `${message}: ${words}`, { cause });
}
