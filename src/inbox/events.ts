/** What an inbox tells. Each `event` is the name it has in the log. */
import type { LastcallError } from '../errors.js';
import type { DeadReason } from './inbox.js';

export type InboxEvent =
  /** The inbox is ready. */
  | { readonly event: 'inbox.opened'; readonly path: string; readonly survives: 'power' | 'process' }
  /** It was left without a word in another place (a host, a container): its owner may be alive, and is waited for. */
  | { readonly event: 'inbox.waiting'; readonly place: string | undefined; readonly waitMs: number }
  /** What earlier runs left: how many had been begun, and how many of those when their process died. */
  | {
      readonly event: 'inbox.recovered';
      readonly updates: number;
      readonly begun: number;
      readonly died: number;
    }
  /** Telegram has sent these again; they are here, or done with, and are not handled twice. */
  | { readonly event: 'inbox.repeated'; readonly updates: number }
  /** An update is not tried any more; it is kept with the dead letters. */
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
  /** Nothing more is taken from Telegram until there is room. */
  | {
      readonly event: 'inbox.paused';
      readonly because: 'updates' | 'bytes' | 'disk';
      readonly waiting: number;
      readonly bytes: number;
      readonly freeBytes: number;
    }
  | { readonly event: 'inbox.resumed'; readonly waiting: number; readonly pausedMs: number }
  /** Some of what was safe cannot be read any more; the damaged files are kept there. */
  | { readonly event: 'inbox.damaged'; readonly path: string; readonly bytes: number; readonly saved: number }
  /** Somebody has asked for this with `lastcall inbox`; `updates` are ids. */
  | {
      readonly event: 'inbox.requested';
      readonly action: 'retry' | 'drop';
      readonly updates: readonly number[];
      readonly refused: number;
    }
  /** A fault: nothing can be made safe any more. Emitted once. */
  | { readonly event: 'inbox.failed'; readonly error: LastcallError };
