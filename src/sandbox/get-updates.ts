/**
 * `getUpdates` as Telegram's server answers it: one poll may wait, hot loops are slowed, rivals end one another.
 * The figures are those of the open-source server.
 */
import type { Clock } from '../clock.js';
import { type Answer, ApiError, failure, successOfItems } from './api-response.js';
import type { UpdateQueue } from './update-queue.js';

/** A poll that finds something to say waits this long after each update for more, */
const WAKE_DELAY_MS = 1;
/** but no longer than this after the first. */
const LONGEST_WAKE_DELAY_MS = 2;
/** A poll with the offset of the previous one, sent within this time of it, waits at least as long. */
const SAME_OFFSET_WINDOW_MS = 3_000;
/** Sent this soon, it also gets one update only. */
const HOT_WINDOW_MS = 500;
/** One 409 in this time is sent at once; others are held for as long. */
const CONFLICT_SPACING_MS = 3_000;

export const Conflict = {
  byOtherPoll:
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  bySetWebhook: 'Conflict: terminated by setWebhook request',
  withWebhook:
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
} as const;

export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

/** Where the answer to a request goes. */
export interface Reply {
  /**
   * Whether somebody is still there to hear it. The server cannot know: a poll whose caller has gone keeps its place,
   * and the next one ends it with a 409 that nobody hears, but that counts when others are spaced.
   */
  readonly open: boolean;
  send(answer: Answer): void;
}

interface WaitingPoll {
  readonly offset: number;
  readonly limit: number;
  readonly reply: Reply;
  latestAnswerAt: number;
  woken: boolean;
  cancelTimer: () => void;
}

export class GetUpdates {
  readonly #clock: Clock;
  readonly #queue: UpdateQueue;
  #waiting: WaitingPoll | undefined;
  #previous: { readonly offset: number; readonly startedAt: number } = {
    offset: 0,
    startedAt: Number.NEGATIVE_INFINITY,
  };
  #nextConflictAt = Number.NEGATIVE_INFINITY;
  #conflicts = 0;
  #confirmedOffset: number | undefined;

  constructor({ clock, queue }: { clock: Clock; queue: UpdateQueue }) {
    this.#clock = clock;
    this.#queue = queue;
  }

  /** How many 409s were due to a caller who still listened, those still held included. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** The newest positive offset that the queue has believed. */
  get confirmedOffset(): number | undefined {
    return this.#confirmedOffset;
  }

  /** Whether a poll waits whose other end still listens. */
  get waiting(): boolean {
    return this.#waiting?.reply.open ?? false;
  }

  ask(request: PollRequest, reply: Reply): void {
    const now = this.#clock.now();
    const { offset } = request;
    let { limit, timeoutSeconds } = request;
    if (offset === this.#previous.offset) {
      const sinceMs = now - this.#previous.startedAt;
      if (timeoutSeconds * 1000 < SAME_OFFSET_WINDOW_MS && sinceMs < SAME_OFFSET_WINDOW_MS)
        timeoutSeconds = SAME_OFFSET_WINDOW_MS / 1000;
      if (sinceMs < HOT_WINDOW_MS) limit = 1;
    }
    this.#previous = { offset, startedAt: now };

    // A poll that waits reads later from where the queue begins now.
    const from = this.#queue.resolve(offset);
    const updates = this.#queue.read(from, limit);
    if (offset > 0 && this.#queue.believes(offset)) this.#confirmedOffset = offset;
    if (updates.length > 0 || timeoutSeconds === 0) {
      reply.send(successOfItems(updates));
      return;
    }

    this.#end(Conflict.byOtherPoll);
    const poll: WaitingPoll = {
      offset: from,
      limit,
      reply,
      latestAnswerAt: now + timeoutSeconds * 1000,
      woken: false,
      cancelTimer: () => {},
    };
    this.#waiting = poll;
    this.#answerAt(poll, poll.latestAnswerAt);
  }

  /** Tells a waiting poll that there is something to fetch. */
  wake(): void {
    const poll = this.#waiting;
    if (!poll) return;
    const now = this.#clock.now();
    if (!poll.woken) {
      poll.woken = true;
      poll.latestAnswerAt = Math.min(poll.latestAnswerAt, now + LONGEST_WAKE_DELAY_MS);
    }
    this.#answerAt(poll, Math.min(now + WAKE_DELAY_MS, poll.latestAnswerAt));
  }

  /** Refuses with 409, at once or, where one was sent lately, 3 s later. */
  refuse(description: string, reply: Reply): void {
    if (reply.open) this.#conflicts++;
    const answer = failure(new ApiError(409, description));
    const now = this.#clock.now();
    if (now >= this.#nextConflictAt) {
      this.#nextConflictAt = now + CONFLICT_SPACING_MS;
      reply.send(answer);
    } else {
      this.#clock.after(CONFLICT_SPACING_MS, () => reply.send(answer));
    }
  }

  /** Ends the waiting poll, if there is one, because a webhook was set. */
  endForWebhook(): void {
    this.#end(Conflict.bySetWebhook);
  }

  /** Answers the waiting poll, if there is one, with a refusal. */
  endWith(error: ApiError): void {
    this.#take()?.send(failure(error));
  }

  #end(description: string): void {
    const reply = this.#take();
    if (reply) this.refuse(description, reply);
  }

  #take(): Reply | undefined {
    const poll = this.#waiting;
    poll?.cancelTimer();
    this.#waiting = undefined;
    return poll?.reply;
  }

  #answerAt(poll: WaitingPoll, at: number): void {
    poll.cancelTimer();
    poll.cancelTimer = this.#clock.after(at - this.#clock.now(), () => {
      this.#waiting = undefined;
      poll.reply.send(successOfItems(this.#queue.read(poll.offset, poll.limit)));
    });
  }
}
