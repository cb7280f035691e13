/** What is carried from one inbox to another, so that a bot can change its inbox without losing an update. */
import type { AttemptHistory } from './attempt-history.js';
import type { OrderKey, UpdateId } from './ids.js';
import type { DeadReason } from './inbox.js';
import type { Arrival } from './recent-ids.js';

/** An update that has not settled. */
export interface MovedUpdate extends AttemptHistory {
  readonly updateId: UpdateId;
  /** Its JSON. */
  readonly content: string;
  /** In milliseconds since 1970. */
  readonly acceptedAtMs: number;
  /** Before this time it must not begin again; in milliseconds since 1970, 0 where there is no such time. */
  readonly notBeforeMs: number;
}

export interface MovedLetter {
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly kind: string;
  /** The JSON of the update. */
  readonly content: string;
  readonly why: DeadReason;
  readonly attempts: number;
  /** When it was given up, in milliseconds since 1970. */
  readonly atMs: number;
  readonly error: string | undefined;
}

/** An inbox that is read from its beginning to its end. */
export interface MovedInbox {
  /** In order of arrival. */
  readonly updates: AsyncIterable<MovedUpdate>;
  /** The oldest first. */
  readonly letters: AsyncIterable<MovedLetter>;
  /** The ids that Telegram may send again. */
  readonly recent: readonly Arrival[];
}

export interface MovedCounts {
  readonly updates: number;
  readonly letters: number;
}

/** Yields lists of at most `size` items. */
export async function* slicesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let slice: T[] = [];
  for await (const item of items) {
    slice.push(item);
    if (slice.length < size) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
