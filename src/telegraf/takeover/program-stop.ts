/**
 * Runs the part of the stop that belongs to the program: its signal listeners are called, the promises of `launch()`
 * settle, and its work gets time to end, whoever has begun it.
 */
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isExitRequest } from './exit-request.js';
import type { OpenResources } from './open-resources.js';
import type { ProcessTakeover } from './process.js';
import type { StopListener } from './program-listeners.js';

/** The members of a lifecycle's hook context that stopping a program needs, and what follows from the stop's reason. */
export interface StopContext {
  /** Aborts when the hook is overdue. */
  readonly signal: AbortSignal;
  readonly deadline?: { remainingMs(): number };
  /** Whether the program itself has called `bot.stop()`, or what comes to the same. */
  readonly isRequested?: boolean;
  /** Whether Node would have ended the process at once. Work then gets no more time than what simply stays open. */
  readonly isHurried?: boolean;
}

export interface ProgramStop {
  readonly listeners: readonly StopListener[];
  /**
   * Settles the promises that `launch()` has returned: rejects those of bots that have failed, and resolves others if asked.
   * Returns false if there are none.
   */
  settleLaunches(resolving: boolean): boolean;
  readonly process: Pick<ProcessTakeover, 'exitRequested' | 'requestedExitCode' | 'exitCodeSet' | 'endBy'>;
  /** Resolves when the program has nothing left to do. */
  untilEmpty(signal: AbortSignal): Promise<void>;
  /** Looks at what the program has open, among it work that may end within that time. */
  look(withinMs: number): OpenResources;
  /** How long a program may take to close what simply stays open, once the promises of its listeners have settled. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Called when resources of these kinds are still open, but their time is up. */
  leftOpen(kinds: readonly string[]): void;
  /** Called when the program calls `process.exit`. The process ends with the exit code that it returns, if it does. */
  exiting(error: LastcallError | undefined): number | undefined;
}

/** The first waits between checks of what is open; short, since most programs close everything quickly. */
const FIRST_WAITS_MS = [1, 2, 4, 8, 16];
const FURTHER_WAIT_MS = 25;
/** How many checks in a row must find no work: between two steps of it, for a moment, there is none to see. */
const QUIET_CHECKS = 3;
/** Kept back from the hook's own deadline, so that a program that never ends by itself is not taken for overdue. */
const DEADLINE_MARGIN_MS = 100;

/**
 * Resolves when the program has nothing left to do, or only has open what simply stays open and has had its grace. Rejects
 * with HOOK_FAILED if a listener failed or the program asked for an exit code other than 0, with WORK_CUT if its work takes
 * too long, and with the signal's reason when that aborts first.
 */
export async function stopProgram(stop: ProgramStop, context: StopContext): Promise<void> {
  const { process, listeners } = stop;
  const failures: unknown[] = [];
  const failure = () => failureOf(failures, process.requestedExitCode ?? process.exitCodeSet ?? 0);
  process.endBy(() => stop.exiting(failure()));
  const returned = callListeners(stop, failures);
  // Without a listener, Node ends the process by the signal, so that nothing that stands behind `launch()` is reached.
  const hasLaunched = stop.settleLaunches(listeners.length > 0 || context.isRequested === true);

  const over = new AbortController();
  const stopListening = onAbort(context.signal, () => over.abort(context.signal.reason));
  const overdue = new Promise<never>((_, reject) => onAbort(over.signal, () => reject(over.signal.reason)));
  overdue.catch(() => {});
  try {
    const graceMs = listeners.length > 0 || hasLaunched ? stop.graceMs : 0;
    const work = settled(returned, failures).then(() => untilDone(stop, context, graceMs, over.signal));
    work.catch(() => {});
    const empty = stop.untilEmpty(over.signal);
    empty.catch(() => {});
    await Promise.race([process.exitRequested, overdue, empty, work]);
  } finally {
    stopListening();
    over.abort();
  }
  const error = failure();
  if (error) throw error;
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

async function settled(returned: readonly unknown[], failures: unknown[]): Promise<void> {
  for (const result of await Promise.allSettled(returned))
    if (result.status === 'rejected' && !isExitRequest(result.reason)) failures.push(result.reason);
}

/** Resolves when there is no work and what simply stays open has had its grace; rejects with WORK_CUT. */
async function untilDone(
  { clock, look, leftOpen }: ProgramStop,
  { deadline, isHurried = false }: StopContext,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const graceEnd = clock.now() + graceMs;
  for (let check = 0, quiet = 0; ; check++) {
    await clock.sleep(FIRST_WAITS_MS[check] ?? FURTHER_WAIT_MS, signal);
    const remainingMs = (deadline?.remainingMs() ?? Number.POSITIVE_INFINITY) - DEADLINE_MARGIN_MS;
    const graceLeftMs = Math.min(graceEnd - clock.now(), remainingMs);
    const { work, others, planned } = look(remainingMs);
    quiet = work.length === 0 ? quiet + 1 : 0;
    if (work.length > 0 && (isHurried ? graceLeftMs : remainingMs) <= 0) {
      leftOpen([...new Set([...work, ...others, ...planned])]);
      if (!isHurried) throw workCut(work);
      return;
    }
    if (quiet < QUIET_CHECKS || (others.length > 0 && graceLeftMs > 0)) continue;
    // The resources of a module without listeners are its own business.
    const named = graceMs > 0 ? [...new Set([...others, ...planned])] : planned;
    if (named.length > 0) leftOpen(named);
    return;
  }
}

function failureOf(failures: readonly unknown[], exitCode: number): LastcallError | undefined {
  if (failures.length > 0) return failed('a stop listener of the program failed', failures[0]);
  if (exitCode === 0) return undefined;
  return failed(`the program asked for exit code ${exitCode} when it was stopped`);
}

function failed(message: string, cause?: unknown): LastcallError {
  if (cause === undefined) return new LastcallError('HOOK_FAILED', 'program', message);
  const words = cause instanceof Error ? cause.message : String(cause);
  return new LastcallError('HOOK_FAILED', 'program', `${message}: ${words}`, { cause });
}

function workCut(kinds: readonly string[]): LastcallError {
  const message = `the program was still at work when its time was up: ${kinds.join(', ')}`;
  return new LastcallError('WORK_CUT', 'program', message);
}
