/**
 * What is done about each way a call can fail: `classify` names the class, `failurePolicies` is the table.
 * A row ends with the next success; a class's patience runs from its first failure in the row, anew after one of
 * another class. Only a fight with a rival outlasts both (rivalry.ts).
 */
import { type ErrorCode, LastcallError } from '../errors.js';
import type { BackoffShape } from './backoff.js';
import type { ApiAnswer } from './bot-api.js';

export type Failure =
  | { readonly class: 'unreachable'; readonly detail: string }
  | { readonly class: 'rate-limited'; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly class: 'conflict'; readonly detail: string; readonly by: ConflictParty }
  | { readonly class: 'token-refused'; readonly detail: string }
  | { readonly class: 'rejected'; readonly detail: string };

export type FailureClass = Failure['class'];

/** Who else takes the bot's updates. */
export type ConflictParty = 'poller' | 'webhook';

/** Names the class of an answer that is not ok. */
export function classify(answer: Exclude<ApiAnswer<unknown>, { kind: 'ok' }>): Failure {
  if (answer.kind === 'unreachable')
    return { class: 'unreachable', detail: `${answer.why}: ${answer.detail}` };

  const { errorCode, description, retryAfterSeconds } = answer;
  const detail = `${errorCode} ${description}`;
  if (errorCode >= 500) return { class: 'unreachable', detail };
  // A 429 that names no time, or none to speak of, must not become a hot loop.
  if (errorCode === 429)
    return { class: 'rate-limited', detail, retryAfterSeconds: Math.max(1, retryAfterSeconds ?? 1) };
  if (errorCode === 409)
    return { class: 'conflict', detail, by: /webhook/i.test(description) ? 'webhook' : 'poller' };
  if (errorCode === 401 || errorCode === 404) return { class: 'token-refused', detail };
  return { class: 'rejected', detail };
}

interface FailurePolicy {
  /** The wait before the next try, where Telegram does not say how long. */
  readonly backoff: BackoffShape;
  /** When the run ends for it; absent: never. */
  readonly ends?: {
    /** How long it is borne in a row. */
    readonly afterMs: number;
    /** The same before the first poll has succeeded, where it differs. */
    readonly atStartAfterMs?: number;
    readonly code: ErrorCode;
  };
}

export type FailurePolicies = Readonly<Record<FailureClass, FailurePolicy>>;

const patient: BackoffShape = { firstMs: 1_000, capMs: 30_000 };

/** The table; `conflictPatienceMs` is the one figure in it that the user sets. */
export const failurePolicies = (conflictPatienceMs: number): FailurePolicies => ({
  // Proxies, outages and our own network come back by themselves, at the start too; a restart would mend nothing.
  // A first ceiling of 1 s passes over a hiccup; 30 s is what users forgive after a long outage.
  unreachable: { backoff: patient },

  // Telegram says when to come back: sooner prolongs the penalty, later is deafness for nothing.
  'rate-limited': { backoff: patient },

  // Mostly a deployment, and the old process is about to end. A rival that stays is for a human to find. Telegram
  // answers one 409 at once per 3 s and holds the others for 3 s: asking sooner only throws the rival out again.
  // The 2 s of jitter keep two of us from meeting in step.
  conflict: {
    backoff: { floorMs: 3_000, firstMs: 5_000, capMs: 5_000 },
    ends: { afterMs: conflictPatienceMs, code: 'POLL_CONFLICT' },
  },

  // At the start it is a mistyped token, and waiting helps nobody. Once a poll has succeeded the token was good:
  // then getMe is asked, and only if that says the same for a minute is the token believed to be revoked.
  'token-refused': {
    backoff: { floorMs: 1_000, firstMs: 1_000, capMs: 5_000 },
    ends: { afterMs: 60_000, atStartAfterMs: 0, code: 'TOKEN_REFUSED' },
  },

  // The request itself is wrong, or the bot is logged out of this server. Loud, because only a human can mend it;
  // 2 min, because a server in trouble says 400 for a while, too.
  rejected: { backoff: patient, ends: { afterMs: 120_000, code: 'POLL_REJECTED' } },
});

/** The error of a run that a failure has ended after `lastedMs` of it. */
export function fatal(failure: Failure, code: ErrorCode, lastedMs: number): LastcallError {
  const { culprit, words } = blame(failure);
  const lasted = lastedMs > 0 ? ` for ${Math.round(lastedMs / 1000)} s` : '';
  return new LastcallError(code, culprit, `${words}${lasted}: ${failure.detail}`);
}

function blame(failure: Failure): { culprit: string; words: string } {
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
