/** What the dispatcher tells. Each `event` is the name it has in the log. */
import type { LastcallError } from '../errors.js';
import type { Failure } from './failure.js';

/** A handler at work: its item, and for how long it had run when the event was told. */
export interface Handling<T> {
  readonly item: T;
  readonly durationMs: number;
}

export type DispatchEvent<T> =
  /** The handler threw or rejected; its item is settled as failed, or as `caught` where the bot's own handler took the error. */
  | (Handling<T> & { readonly event: 'handler.failed'; readonly error: unknown; readonly caught: boolean })
  /** The handler failed for a reason that passes: its item is tried again after `delayMs`; undefined: by the next run. */
  | (Handling<T> & {
      readonly event: 'handler.put-back';
      readonly error: unknown;
      readonly failure: Failure['kind'];
      readonly delayMs: number | undefined;
    })
  /** No new handler starts, because Telegram cannot be reached; `waiting` items wait. */
  | { readonly event: 'dispatch.held'; readonly running: number; readonly waiting: number }
  /** Handlers start again. */
  | { readonly event: 'dispatch.resumed'; readonly heldMs: number; readonly waiting: number }
  /**
   * A warning: `waiting` items wait behind the item of this handler, the first of them for `waitedMs`, although slots are
   * free. At most once a minute for each key.
   */
  | (Handling<T> & {
      readonly event: 'dispatch.jammed';
      readonly waiting: number;
      readonly waitedMs: number;
    })
  /** Items with the key wait no longer than usual again; told only after `dispatch.jammed`. */
  | { readonly event: 'dispatch.unjammed'; readonly key: string; readonly jammedMs: number }
  /** A warning: the handler's time is up and its signal has aborted, with `error` as the reason. */
  | (Handling<T> & { readonly event: 'handler.timed-out'; readonly error: LastcallError })
  /** The grace is over too: the item is settled as timed out, and nothing waits for the handler any more. */
  | (Handling<T> & { readonly event: 'handler.hung'; readonly hung: number })
  /** For debugging: a hung handler has ended after all, with `error` if it failed. */
  | (Handling<T> & { readonly event: 'handler.ended-late'; readonly error?: unknown })
  /** A fault: more hung handlers are alive than may be at work at a time. Emitted once. */
  | { readonly event: 'dispatch.exhausted'; readonly hung: number; readonly concurrency: number }
  /** A fault: `settle` threw; the inbox may not know that the item's handler has ended. */
  | { readonly event: 'dispatch.fault'; readonly item: T; readonly error: unknown }
  | { readonly event: 'drain.started'; readonly running: number; readonly waiting: number }
  /** The drain's latest end has come; these handlers were aborted, their items are not settled. */
  | { readonly event: 'drain.overdue'; readonly aborted: readonly Handling<T>[] };
