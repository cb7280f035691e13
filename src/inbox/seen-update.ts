/** An update as `lastcall inbox` shows it, whatever kind of inbox holds it. */
import type { OrderKey, Seq, UpdateId } from './ids.js';
import type { DeadReason } from './inbox.js';

/**
 * The states of updates in an inbox:
 *
 * - `running`: its handler is at work;
 * - `interrupted`: its handler was at work when the process died, or was at last seen, and no process has taken it over yet;
 * - `waiting`: its handler has not begun, or was begun by an earlier run;
 * - `dead`: it is not tried any more, unless somebody asks for it.
 */
export const updateStates = ['running', 'interrupted', 'waiting', 'dead'] as const;
export type UpdateState = (typeof updateStates)[number];

/** What is known of an update without its content. */
export interface SeenUpdate {
  /** The inbox's own number. */
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly kind: string;
  readonly state: UpdateState;
  /** When the update arrived or, if it is dead, was given up; in milliseconds since 1970. */
  readonly atMs: number;
  /** How often the update's handler has begun. */
  readonly attempts: number;
  /** How often the process died while the handler was at work; undefined for a dead update. */
  readonly deaths: number | undefined;
  /** How often a stop has cut the handler; undefined for a dead update. */
  readonly cuts: number | undefined;
  /** When the update that was put back is tried again, in milliseconds since 1970; undefined where it does not wait. */
  readonly notBeforeMs: number | undefined;
  /** Why a dead update was given up. */
  readonly why: DeadReason | undefined;
  /** The error of a dead update as text, if there was one. Where it is read only now, it throws as `text` does. */
  readonly error: string | undefined;
  /** Reads the JSON of the update; undefined if the update has gone meanwhile. Throws INBOX_FORBIDDEN, INBOX_DISK. */
  text(): string | Buffer | undefined;
}
