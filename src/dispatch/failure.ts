/**
 * What becomes of an item whose handler has failed: one table, from the kind of failure to what is done, each row with its
 * reason.
 */

/** Why a handler has failed, as far as it matters for what is done with its item. */
export type Failure =
  /** Telegram could not be reached, or answered nothing of its own: network, DNS, TLS, proxy, a cut body, 5xx. */
  | { readonly kind: 'unreachable' }
  /** Telegram asks to wait, and the handler had no time left for that. */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** The handler itself asks to be called again later. */
  | { readonly kind: 'asked'; readonly delayMs: number }
  /** The handler failed while the process was stopping, perhaps because of the stop. */
  | { readonly kind: 'stopping' }
  /** Everything else. */
  | { readonly kind: 'error' };

/** What is known of an item besides its failure. */
export interface FailedItem {
  /** How often the item was put back before. */
  readonly putBacks: number;
  /** How many of these count as retries. */
  readonly retries: number;
  /** How long ago the item was accepted. */
  readonly ageMs: number;
}

export type Decision =
  /** The item is handed out again after the delay. */
  | { readonly does: 'put back'; readonly delayMs: number; readonly isRetry: boolean }
  /** The item stays for the next run. */
  | { readonly does: 'leave' }
  | { readonly does: 'give up'; readonly why: 'failed' | 'expired' };

export interface RetryOptions {
  /** How often an item is tried again after an error that is not Telegram's absence. */
  readonly retries: number;
  /** An item that is older is given up. */
  readonly expiresAfterMs: number;
  /** A number from 0 up to 1, for jitter. */
  random(): number;
}

/**
 * During an outage no new handler starts, so that an item fails a second time only if Telegram answers everything but this
 * handler's call. Each try may repeat what the handler did before that call, so the tries become rare: an item waits for about
 * as long as it has failed.
 */
const UNREACHABLE_DELAY_MS = { first: 1_000, longest: 10 * 60 * 1_000 };

/** A dependency that fails needs time: 5 s after the first failure, twice as long after each further one. */
const RETRY_DELAY_MS = { first: 5_000, longest: 10 * 60 * 1_000 };

type Row<F extends Failure> = (failure: F, item: FailedItem, options: RetryOptions) => Decision;

const table: { readonly [K in Failure['kind']]: Row<Extract<Failure, { kind: K }>> } = {
  // The handler did nothing wrong, and people still wait for its answer.
  unreachable: (_, { putBacks }, options) => ({
    does: 'put back',
    delayMs: backoff(UNREACHABLE_DELAY_MS, putBacks, options),
    isRetry: false,
  }),
  // Telegram has said when the call will be taken; sooner, it would only ask for more. A handler that makes more calls than
  // Telegram allows meets the limit again, and repeats its calls each time.
  'rate-limited': ({ retryAfterMs }, { putBacks }, options) => ({
    does: 'put back',
    delayMs: Math.max(retryAfterMs, backoff(UNREACHABLE_DELAY_MS, putBacks, options)),
    isRetry: false,
  }),
  // The handler knows best what it waits for.
  asked: ({ delayMs }) => ({ does: 'put back', delayMs, isRetry: false }),
  // A child process that was interrupted, a closed connection: the next run may well succeed.
  stopping: () => ({ does: 'leave' }),
  // Most errors of handlers come again, so the default is not to try again, and the chat goes on at once.
  error: (_, { retries }, options) =>
    retries < options.retries
      ? { does: 'put back', delayMs: backoff(RETRY_DELAY_MS, retries, options), isRetry: true }
      : { does: 'give up', why: 'failed' },
};

/** Decides what becomes of an item whose handler has failed. */
export function decide(failure: Failure, item: FailedItem, options: RetryOptions): Decision {
  const row = table[failure.kind] as Row<Failure>;
  const decision = row(failure, item, options);
  const isTooOld = decision.does === 'put back' && item.ageMs + decision.delayMs >= options.expiresAfterMs;
  return isTooOld ? { does: 'give up', why: 'expired' } : decision;
}

/** Doubles with each failure, up to the longest delay; between half of it and all of it, so that tries do not come at once. */
function backoff(
  { first, longest }: { readonly first: number; readonly longest: number },
  failures: number,
  { random }: RetryOptions,
): number {
  const delayMs = Math.min(longest, first * 2 ** failures);
  return Math.round(delayMs * (0.5 + random() / 2));
}
