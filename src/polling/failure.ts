/**
 * The classes of failure and the policy for each. The patience with a class counts from its first failure, and starts over
 * after a success or a failure of another class. Only a conflict outlasts both (conflict-tracker.ts).
 */
import { type ErrorCode, LastcallError } from '../errors.js';
import type { BackoffShape } from './backoff.js';
import type { ApiAnswer } from './bot-api.js';

export type Failure =
  /** `isAnswered`: something answers, but not with what Telegram answers. */
  | { readonly class: 'unreachable'; readonly detail: string; readonly isAnswered: boolean }
  | { readonly class: 'rate-limited'; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly class: 'conflict'; readonly detail: string; readonly by: ConflictParty }
  | { readonly class: 'token-refused'; readonly detail: string }
  | { readonly class: 'rejected'; readonly detail: string };

export type FailureClass = Failure['class'];

/** The party that takes the bot's updates. */
export type ConflictParty = 'poller' | 'webhook';

/** Returns the class of an answer that is not ok. */
export function classify(answer: Exclude<ApiAnswer<unknown>, { kind: 'ok' }>): Failure {
  if (answer.kind === 'unreachable') {
    const isAnswered = answer.why === 'http' || answer.why === 'not-json';
    return { class: 'unreachable', isAnswered, detail: `${answer.why}: ${answer.detail}` };
  }
  const { errorCode, description, retryAfterSeconds } = answer;
  const detail = `${errorCode} ${description}`;
  if (errorCode >= 500) return { class: 'unreachable', isAnswered: true, detail };
  // At least 1 s, so that a 429 without a time does not become a hot loop.
  if (errorCode === 429)
    return { class: 'rate-limited', detail, retryAfterSeconds: Math.max(1, retryAfterSeconds ?? 1) };
  if (errorCode === 409)
    return { class: 'conflict', detail, by: /webhook/i.test(description) ? 'webhook' : 'poller' };
  if (errorCode === 401 || errorCode === 404) return { class: 'token-refused', detail };
  return { class: 'rejected', detail };
}

interface FailurePolicy {
  /** The wait before the next attempt, unless Telegram tells how long to wait. */
  readonly backoff: BackoffShape;
  /** The same for failures of the class where something has answered. Default: `backoff`. */
  readonly backoffIfAnswered?: BackoffShape;
  /** How long the failure may last before the run ends. Default: for any time. */
  readonly patience?: {
    readonly ms: number;
    /** The patience with a token that Telegram has never taken for valid. Defaults to `ms`. */
    readonly untilValidMs?: number;
    readonly code: ErrorCode;
  };
}

export type FailurePolicies = Readonly<Record<FailureClass, FailurePolicy>>;

const defaultBackoff: BackoffShape = { firstMs: 1_000, capMs: 30_000 };

/** Returns the policy of each class. `conflictPatienceMs` is the only figure that the user sets. */
export const failurePolicies = (conflictPatienceMs: number): FailurePolicies => ({
  // Proxies, outages and our own network recover by themselves, at the start too; a restart would not help.
  // 1 s bridges a short failure. A try that reaches nobody costs nobody anything, and people wait for their answers: 5 s.
  // A server that answers with errors is in trouble: 30 s is an acceptable delay after a long outage.
  unreachable: { backoff: { firstMs: 1_000, capMs: 5_000 }, backoffIfAnswered: defaultBackoff },

  // Telegram says when to come back: an earlier call prolongs the penalty, a later call loses time.
  'rate-limited': { backoff: defaultBackoff },

  // The usual cause is a deployment, where the old process is about to end. A poller that stays must be found by a human.
  // Telegram answers one 409 per 3 s at once and delays others by 3 s: an earlier call would only end the other's call.
  // 2 s of jitter keep two instances of lastcall from calling in step.
  conflict: {
    backoff: { floorMs: 3_000, firstMs: 5_000, capMs: 5_000 },
    patience: { ms: conflictPatienceMs, code: 'POLL_CONFLICT' },
  },

  // Only the failures of getMe count as these. At the first start the token is mistyped, and waiting does not help. Once
  // getMe has succeeded, or a poll in an earlier run, the token was valid: it counts as revoked after a minute.
  'token-refused': {
    backoff: { floorMs: 1_000, firstMs: 1_000, capMs: 5_000 },
    patience: { ms: 60_000, untilValidMs: 0, code: 'TOKEN_REFUSED' },
  },

  // The request is wrong, or the bot is logged out of this server: only a human can fix either. The patience is 2 min,
  // because a server in trouble also answers 400 for a while.
  rejected: { backoff: defaultBackoff, patience: { ms: 120_000, code: 'POLL_REJECTED' } },
});

/** Creates the error that ends the run after a failure has lasted for `lastedMs`. */
export function fatalError(failure: Failure, code: ErrorCode, lastedMs: number): LastcallError {
  const { culprit, words } = describe(failure);
  const lasted = lastedMs > 0 ? ` for ${Math.round(lastedMs / 1000)} s` : '';
  return new LastcallError(code, culprit, `${words}${lasted}: ${failure.detail}`);
}

function describe(failure: Failure): { culprit: string; words: string } {
  switch (failure.class) {
    case 'conflict':
      return failure.by === 'poller'
        ? { culprit: 'another poller', words: 'Another program has polled with the same token' }
        : { culprit: 'a webhook', words: "A webhook has taken the bot's updates" };
    case 'token-refused':
      return { culprit: 'BOT_TOKEN', words: 'Telegram has refused the token' };
    case 'rejected':
      return { culprit: 'getUpdates', words: 'Telegram has rejected the request' };
    case 'unreachable':
    case 'rate-limited':
      return { culprit: 'Telegram', words: 'Telegram has been out of reach' };
  }
}
