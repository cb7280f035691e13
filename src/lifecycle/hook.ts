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
  /** The limit of the start, within what all starts have left; a start with `Infinity` has none, and does not count. */
  readonly startTimeoutMs?: number;
  /** The limit of the stop, from the moment when this hook's stop begins. Can only shorten what the budget leaves. */
  readonly stopTimeoutMs?: number;
  /** Returns the latest end of the stop in milliseconds after the whole stop began; can only shorten the limit. */
  stopLatestEndMs?(stop: { readonly budgetMs: number; readonly reason: StopReason }): number;
}

export interface HookContext {
  /**
   * In a start: the lifecycle's signal, which work begun by the start may go on watching. Aborts with the
   * {@link StopReason} when a stop is requested or the start is overdue; the start then has at most 1 s left.
   *
   * In a stop: a signal that aborts with a LastcallError that names the hook when the stop is overdue; the stop is then
   * abandoned at once.
   */
  readonly signal: AbortSignal;
  readonly log: HookLog;
  readonly deadline: Deadline;
  /** Why the run stops, or undefined as long as it does not. */
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
