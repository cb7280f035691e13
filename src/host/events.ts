/** What the process's surroundings tell: the lock, the run before this one, the supervisor's patience. The log is one listener. */
import type { RunPhase } from './run-state.js';

/** `bot` is the bot's id. */
export type LockEvent =
  /** Another process on this host holds the bot; this one stands by. `holder`: its pid, where that can be known. */
  | { readonly event: 'lock.waiting'; readonly bot: number; readonly holder: number | undefined }
  /** `waitedMs`: how long this process stood by; 0 where nobody held the lock. */
  | { readonly event: 'lock.acquired'; readonly bot: number; readonly waitedMs: number }
  | { readonly event: 'lock.released'; readonly bot: number };

export type PreviousRunEvent =
  | ({ readonly event: 'previous-run.killed'; readonly bot: number } & Killed)
  /** The file that tells the next run about this one, or this run about the one before, is of no use. */
  | { readonly event: 'run-record.failed'; readonly path: string; readonly error: unknown };

/** A run that did not end by itself. */
export interface Killed {
  readonly pid: number;
  /** Where it was when it last said so. */
  readonly phase: Exclude<RunPhase, 'stopped'>;
  /** The hook that was at work, where the phase is one of hooks. */
  readonly hook: string | undefined;
  /** How far it had come in that phase; in the drain, counted from the moment the stop was asked. */
  readonly durationMs: number;
  /** `exactly` where it is known when the kill came, `at most` where only this start bounds it. */
  readonly bound: 'exactly' | 'at most';
  /** The whole machine went down; nobody killed the process alone. */
  readonly machineRestarted: boolean;
  /** What to change, in half a sentence. */
  readonly advice: string;
}

/** What a stop has to go by, told once all has started. */
export interface BudgetEvent {
  readonly event: 'lifecycle.budget';
  /** The whole stop. */
  readonly budgetMs: number;
  /** The drain's latest end, counted from the beginning of the stop. */
  readonly drainMs: number;
  /** What is then left for the hooks behind it, at least. */
  readonly hooksMs: number;
  /** Where the supervisor kills sooner than the settings would have it. */
  readonly cutShort?: {
    readonly killAfterMs: number;
    /** What to set it to instead. */
    readonly neededMs: number;
  };
}

export type HostEvent = LockEvent | PreviousRunEvent | BudgetEvent;
