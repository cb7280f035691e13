/** A hook: a named part of the program with an optional start and an optional stop. */
import type { Deadline } from './deadline.js';
import type { StopReason } from './stop-reason.js';

export interface Hook {
  /** The name of the hook in the log and in the outcome. */
  readonly name: string;
  /** Awaited. If the start throws or rejects, the run stops: the hooks that have started are stopped. */
  start?(context: HookContext): unknown;
  /**
   * Called once, if the hook has started. Awaited. If the stop throws, rejects or does not end in time, the outcome
   * names the hook and is not clean; the remaining hooks are stopped all the same.
   */
  stop?(context: HookContext): unknown;
  /** The limit of the start, within the time for all starts. `Infinity` exempts the start from both limits. */
  readonly startTimeoutMs?: number;
  /** The limit of the stop, from the moment when this hook's stop begins. Can only shorten the time that is left. */
  readonly stopTimeoutMs?: number;
  /** Returns the latest end of the stop in milliseconds after the whole stop began; can only shorten the limit. */
  stopLatestEndMs?(stop: { readonly budgetMs: number; readonly reason: StopReason }): number;
}

export interface HookContext {
  /**
   * In a start: the lifecycle's signal, which aborts with the {@link StopReason} when a stop is requested or the start is
   * overdue; the start then has at most 1 s left. Work that the start has begun may use the signal later, too.
   *
   * In a stop: a signal that aborts, with a LastcallError that names the hook, when the stop is overdue and abandoned.
   */
  readonly signal: AbortSignal;
  readonly log: HookLog;
  readonly deadline: Deadline;
  /** Why the run stops; undefined if no stop was requested. */
  readonly reason: StopReason | undefined;
}

/** The logger of a hook. A pino logger fits. */
export interface HookLog {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

export const silentLog: HookLog = { debug() {}, info() {}, warn() {}, error() {} };
