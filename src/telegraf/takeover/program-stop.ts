/**
 * The program's turn in the stop, as its first hook: its signal listeners are called, the promises of `launch()`
 * settle, and both get time to finish what they begin.
 */
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isExitRequest } from './exit-request.js';
import { more, type Resources } from './open-resources.js';
import type { ProcessTakeover, StopListener } from './process.js';

/** As much of a lifecycle's hook context as the program's turn needs. */
export interface StopContext {
  /** Aborts when the hook is overdue. */
  readonly signal: AbortSignal;
  readonly deadline?: { remainingMs(): number };
}

export interface ProgramStop {
  readonly listeners: readonly StopListener[];
  /** Settles what `launch()` has returned; false if it has returned nothing to anybody. */
  settleLaunches(): boolean;
  readonly process: Pick<ProcessTakeover, 'exitRequested' | 'requestedExitCode' | 'exitCodeSet'>;
  /** What was open before the program was loaded. */
  readonly openBefore: Resources;
  openResources(): Resources;
  /** How long a program may take to close what it has open, once what its listeners returned has settled. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** The grace has passed, and resources of these kinds are still open. */
  leftOpen(kinds: readonly string[]): void;
}

/** The waits between looks at what is open; the first are short, since most programs have closed all by then. */
const LOOKS_MS = [1, 2, 4, 8, 16];
const FURTHER_LOOKS_MS = 25;
/** Work in Node's thread pool does not show as open; looking again lets at least the quickest of it end. */
const QUIET_LOOKS = 3;
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
  const overdue = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { signal: over.signal });
  });
  try {
    // A module that does nothing at the stop may still have open what hooks of its own close after this.
    if (stop.listeners.length > 0 || hasLaunched)
      await Promise.race([process.exitRequested, overdue, finish()]);
  } finally {
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
    for (let look = 0, quiet = 0; quiet < QUIET_LOOKS; look++) {
      if (clock.now() >= end) {
        if (open.length > 0) stop.leftOpen(open);
        return;
      }
      await clock.sleep(LOOKS_MS[look] ?? FURTHER_LOOKS_MS, over.signal);
      open = more(stop.openResources(), before);
      quiet = open.length === 0 ? quiet + 1 : 0;
    }
  }
}

/** What one listener throws keeps no other from its turn; but nothing comes after `process.exit`. */
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
