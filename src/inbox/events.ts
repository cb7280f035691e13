/** What an inbox tells. Each `event` is the name it has in the log. */
import type { LastcallError } from '../errors.js';
import type { DeadReason } from './inbox.js';

export type InboxEvent =
  /** The inbox is ready. */
  | {
      readonly event: 'inbox.opened';
      readonly path: string;
      readonly survives: 'process' | 'power' | 'fail-over';
      /** What they do not survive, where that is worth a word. */
      readonly except?: string;
    }
  /** The last owner, on another host or in another container, has not released the inbox: it may still be running. */
  | { readonly event: 'inbox.waiting'; readonly place: string | undefined; readonly waitMs: number }
  /** The updates that earlier runs left: how many had begun, and of how many the process died. */
  | {
      readonly event: 'inbox.recovered';
      readonly updates: number;
      readonly begun: number;
      readonly died: number;
    }
  /** Telegram has sent updates again that are in the inbox or settled; they are not handled twice. */
  | { readonly event: 'inbox.repeated'; readonly updates: number }
  /** An update has become a dead letter. */
  | {
      readonly event: 'inbox.dead';
      readonly updateId: number;
      readonly kind: string;
      readonly why: DeadReason;
      readonly attempts: number;
      /** How many processes in a row died while handling it, and how many stops among them cut its handler. */
      readonly deaths: number;
      readonly cuts: number;
    }
  /** The oldest dead letters were dropped because of a limit; `why` counts them by the reason for which they were given up. */
  | {
      readonly event: 'inbox.dead-dropped';
      readonly letters: number;
      readonly limit: 'DEAD_LIMIT' | 'DEAD_AGE' | 'size';
      readonly why: Readonly<Partial<Record<DeadReason, number>>>;
    }
  /** The inbox accepts nothing more until there is room. */
  | {
      readonly event: 'inbox.paused';
      readonly because: 'updates' | 'bytes' | 'disk';
      readonly waiting: number;
      readonly bytes: number;
      readonly freeBytes: number;
    }
  | { readonly event: 'inbox.resumed'; readonly waiting: number; readonly pausedMs: number }
  /** A part of the log cannot be read any more; the damaged files are kept in `path`. */
  | { readonly event: 'inbox.damaged'; readonly path: string; readonly bytes: number; readonly saved: number }
  /** A request of `lastcall inbox` was carried out; `ids` are those of the first updates. */
  | {
      readonly event: 'inbox.requested';
      readonly action: 'retry' | 'drop';
      readonly updates: number;
      readonly ids: readonly number[];
      readonly refused: number;
    }
  /** Another process polls; this one handles updates, and takes over when that one ends. */
  | { readonly event: 'inbox.standing-by'; readonly holder: string | undefined }
  /** From now on it is this process that polls. */
  | { readonly event: 'inbox.turn-began'; readonly epoch: number; readonly waitedMs: number }
  /** This process does not poll any more, since another one does, or may. */
  | { readonly event: 'inbox.turn-lost'; readonly why: string }
  /** Another process has given no sign of life for too long; what it had is free, `running` of it at work. */
  | { readonly event: 'inbox.host-freed'; readonly place: string; readonly running: number }
  /** This process was taken for dead: what it had is with the others, also what its handlers are at work at. */
  | { readonly event: 'inbox.host-lost'; readonly running: number }
  /** The database cannot be reached. */
  | { readonly event: 'inbox.unreachable'; readonly detail: string }
  | { readonly event: 'inbox.reachable'; readonly outageMs: number }
  /** A fault: nothing can be made safe any more. Emitted once. */
  | { readonly event: 'inbox.failed'; readonly error: LastcallError };
