/** The interface to Telegram. Calls return answers instead of throwing, so that `classify` can name every failure. */

/** The answer to a call, or the reason why there is none. */
export type ApiAnswer<T> =
  | { readonly kind: 'ok'; readonly result: T }
  /** Telegram refuses the call: Bot API JSON with `ok: false`. */
  | {
      readonly kind: 'refused';
      readonly errorCode: number;
      readonly description: string;
      readonly retryAfterSeconds?: number;
    }
  /** Telegram did not answer. `detail` is safe to log: it holds neither the token nor a URL. */
  | { readonly kind: 'unreachable'; readonly why: UnreachableWhy; readonly detail: string };

/**
 * Why Telegram did not answer:
 * - `network`: there was no connection, or it broke before an answer
 * - `timeout`: a stage of the call took too long
 * - `cut`: the body ended early, or stopped
 * - `not-json`: the body is not Bot API JSON
 * - `http`: a 5xx status, a redirect, or another status without Bot API JSON
 */
export type UnreachableWhy = 'network' | 'timeout' | 'cut' | 'not-json' | 'http';

export interface CallOptions {
  /** When it aborts, the call rejects at once with the signal's reason. A call rejects for no other reason. */
  readonly signal: AbortSignal;
  /**
   * How long Telegram may take for the first byte of its answer, once it has the request. The look-up of its address, the
   * connection and each silence in the answer have limits of their own, so that a slow line is no failure.
   */
  readonly answerWithinMs: number;
  /** How long the call may take in all. Default: as long as something happens. */
  readonly endWithinMs?: number;
  /** Called whenever it is known that the call goes on for up to so many milliseconds. */
  alive?(ms: number): void;
}

/** The part of the result of `getMe` that polling uses. */
export interface Me {
  readonly id: number;
  /** Absent for an account without one. */
  readonly username?: string;
}

export interface WebhookInfo {
  /** The webhook's URL, or an empty string if no webhook is set. */
  readonly url: string;
  readonly pendingUpdateCount: number;
}

export interface GetUpdatesParameters {
  /** Telegram forgets every update below the offset. Without an offset it forgets nothing. */
  readonly offset?: number;
  readonly timeoutSeconds: number;
  readonly limit: number;
  /** Always sent, because the server otherwise keeps the list of the previous program. `[]` means the default kinds. */
  readonly allowedUpdates: readonly string[];
}

export interface BotApi<U, M extends Me = Me> {
  getMe(options: CallOptions): Promise<ApiAnswer<M>>;
  getWebhookInfo(options: CallOptions): Promise<ApiAnswer<WebhookInfo>>;
  deleteWebhook(
    parameters: { readonly dropPending: boolean },
    options: CallOptions,
  ): Promise<ApiAnswer<unknown>>;
  getUpdates(parameters: GetUpdatesParameters, options: CallOptions): Promise<ApiAnswer<readonly U[]>>;
}
