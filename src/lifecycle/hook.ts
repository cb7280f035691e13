/** A hook: a named part of the program with something to do at the start, at the stop, or at both. */
import type { Deadline } from './deadline.js';
import type { StopReason } from './stop-reason.js';

export interface Hook {
  /** By which the log and the outcome know it. */
  readonly name: string;
  /** What it returns is awaited. If it throws or rejects, the run stops: whatever had started is stopped. */
  start?(context: HookContext): unknown;
  /**
   * Called once, if the hook has started. What it returns is awaited. If it throws, rejects or does not end in
   * time, it is named and the outcome is not clean; the hooks behind it are stopped all the same.
   */
  stop?(context: HookContext): unknown;
  /** Can only make smaller what is left of the start's budget; but `Infinity`: its time does not count. */
  readonly startTimeoutMs?: number;
  /** From the moment this hook's stop begins. Can only make smaller what the budget leaves it. */
  readonly stopTimeoutMs?: number;
  /**
   * The same as a latest end: milliseconds after the whole stop began, however late this hook's turn comes.
   * Asked once, when its turn has come.
   */
  stopLatestEndMs?(stop: { readonly budgetMs: number; readonly reason: StopReason }): number;
}

export interface HookContext {
  /**
   * Of a start: the lifecycle's own, which work begun here may go on watching; it aborts when a stop is asked or the
   * start is overdue, with the {@link StopReason}. Of a stop: aborts when that stop is overdue, with a LastcallError
   * that names the hook. A start that ignores it has at most 1 s left, a stop nothing: then it is left behind.
   */
  readonly signal: AbortSignal;
  readonly log: HookLog;
  readonly deadline: Deadline;
  /** Why the run stops; undefined as long as it does not. */
  readonly reason: StopReason | undefined;
}

/** Where a hook may write; a pino logger fits. */
export interface HookLog {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

export const silentLog: HookLog = { debug() {}, info() {}, warn() {}, error() {} };
