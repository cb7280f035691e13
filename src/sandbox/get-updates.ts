/**
 * `getUpdates` with the rules of Telegram's server: one poll waits at a time, a second poll ends it with a conflict, and
 * hot loops are slowed down. The figures are those of the open-source server.
 */
import type { Clock } from '../clock.js';
import { ApiError, type ApiResponse, failure, successOfItems } from './api-response.js';
import type { Reader, UpdateQueue } from './update-queue.js';

/** How long a waiting poll waits for more updates after each update. */
const WAKE_DELAY_MS = 1;
/** How long a waiting poll waits for more updates after the first one. */
const MAX_WAKE_DELAY_MS = 2;
/** A poll with the same offset as the previous one, sent within this time after it, waits at least this long. */
const SAME_OFFSET_WINDOW_MS = 3_000;
/** A poll with the same offset as the previous one, sent within this time after it, gets only one update. */
const HOT_WINDOW_MS = 500;
/** The first conflict in this time is sent at once; others are delayed by this time. */
const CONFLICT_SPACING_MS = 3_000;

/** The descriptions of 409 responses. */
export const ConflictDescription = {
  otherPoll:
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  webhookSet: 'Conflict: terminated by setWebhook request',
  webhookActive:
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
} as const;

export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

/** Receives the response to a request. */
export interface Responder extends Reader {
  /**
   * Whether the caller still listens. Used only for statistics. Telegram's server cannot know it: an abandoned poll keeps
   * waiting, and the next poll ends it with a conflict, which may delay later conflicts.
   */
  readonly open: boolean;
  send(response: ApiResponse): void;
}

interface WaitingPoll {
  readonly offset: number;
  readonly limit: number;
  readonly responder: Responder;
  respondByMs: number;
  cancelTimer: () => void;
}

export class GetUpdates {
  readonly #clock: Clock;
  readonly #queue: UpdateQueue;
  #waiting: WaitingPoll | undefined;
  #previous: { readonly offset: number; readonly startedAtMs: number } = {
    offset: 0,
    startedAtMs: Number.NEGATIVE_INFINITY,
  };
  #nextConflictAtMs = Number.NEGATIVE_INFINITY;
  #conflicts = 0;
  #confirmedOffset: number | undefined;

  constructor({ clock, queue }: { clock: Clock; queue: UpdateQueue }) {
    this.#clock = clock;
    this.#queue = queue;
  }

  /** The number of conflicts for callers that still listened, including delayed ones. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** The newest positive and plausible offset of a poll. */
  get confirmedOffset(): number | undefined {
    return this.#confirmedOffset;
  }

  /** Whether a poll is waiting whose caller still listens. */
  get waiting(): boolean {
    return this.#waiting?.responder.open ?? false;
  }

  /** Serves a poll: at once if there are updates, else when one arrives or the timeout ends. */
  poll(request: PollRequest, responder: Responder): void {
    const now = this.#clock.now();
    const { offset } = request;
    let { limit, timeoutSeconds } = request;
    if (offset === this.#previous.offset) {
      const sinceMs = now - this.#previous.startedAtMs;
      if (timeoutSeconds * 1000 < SAME_OFFSET_WINDOW_MS && sinceMs < SAME_OFFSET_WINDOW_MS)
        timeoutSeconds = SAME_OFFSET_WINDOW_MS / 1000;
      if (sinceMs < HOT_WINDOW_MS) limit = 1;
    }
    this.#previous = { offset, startedAtMs: now };

    // Resolved at once, because a negative offset must not move with the queue while the poll waits.
    const from = this.#queue.resolve(offset);
    const updates = this.#queue.read(from, limit, responder);
    if (offset > 0 && this.#queue.isPlausible(offset)) this.#confirmedOffset = offset;
    if (updates.length > 0 || timeoutSeconds === 0) {
      responder.send(successOfItems(updates));
      return;
    }

    this.endWaiting(ConflictDescription.otherPoll);
    const poll: WaitingPoll = {
      offset: from,
      limit,
      responder,
      respondByMs: now + timeoutSeconds * 1000,
      cancelTimer: () => {},
    };
    this.#waiting = poll;
    this.#respondAt(poll, poll.respondByMs);
  }

  /** Lets the waiting poll respond soon, because there is a new update. */
  wake(): void {
    const poll = this.#waiting;
    if (!poll) return;
    const now = this.#clock.now();
    poll.respondByMs = Math.min(poll.respondByMs, now + MAX_WAKE_DELAY_MS);
    this.#respondAt(poll, Math.min(now + WAKE_DELAY_MS, poll.respondByMs));
  }

  /** Responds with a conflict: at once, or 3 s later if another was sent within the last 3 s. */
  refuse(description: string, responder: Responder): void {
    if (responder.open) this.#conflicts++;
    const response = failure(new ApiError(409, description));
    const now = this.#clock.now();
    if (now >= this.#nextConflictAtMs) {
      this.#nextConflictAtMs = now + CONFLICT_SPACING_MS;
      responder.send(response);
    } else {
      this.#clock.after(CONFLICT_SPACING_MS, () => responder.send(response));
    }
  }

  /** Ends the waiting poll, if there is one, with an error. */
  failWaiting(error: ApiError): void {
    this.#takeWaiting()?.send(failure(error));
  }

  /** Ends the waiting poll, if there is one, with a conflict. */
  endWaiting(description: string): void {
    const responder = this.#takeWaiting();
    if (responder) this.refuse(description, responder);
  }

  #takeWaiting(): Responder | undefined {
    const poll = this.#waiting;
    poll?.cancelTimer();
    this.#waiting = undefined;
    return poll?.responder;
  }

  #respondAt(poll: WaitingPoll, atMs: number): void {
    poll.cancelTimer();
    poll.cancelTimer = this.#clock.after(atMs - this.#clock.now(), () => {
      this.#waiting = undefined;
      poll.responder.send(successOfItems(this.#queue.read(poll.offset, poll.limit, poll.responder)));
    });
  }
}
