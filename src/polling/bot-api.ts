/**
 * The port through which polling sees Telegram: four methods, and answers instead of exceptions, so that
 * every way a call can fail is a value that the table of failures classifies.
 */

/** What came of a call. */
export type ApiAnswer<T> =
  | { readonly kind: 'ok'; readonly result: T }
  /** Bot API JSON with `ok: false`: Telegram itself says no. */
  | {
      readonly kind: 'refused';
      readonly errorCode: number;
      readonly description: string;
      readonly retryAfterSeconds?: number;
    }
  /** Nothing that speaks for Telegram. `detail` is fit for a log: it holds no token and no URL. */
  | { readonly kind: 'unreachable'; readonly why: UnreachableWhy; readonly detail: string };

/**
 * network: no connection, or one that broke before an answer; timeout: no whole answer in time; cut: the body
 * ended before its end; not-json: a body that is no Bot API JSON; http: a 5xx, a redirect, HTML of any status.
 */
export type UnreachableWhy = 'network' | 'timeout' | 'cut' | 'not-json' | 'http';

export interface CallOptions {
  /** When it aborts, the call ends at once and rejects with the signal's reason. Nothing else makes a call reject. */
  readonly signal: AbortSignal;
  /** For the whole call, connecting included; then the answer is `unreachable`, why `timeout`. */
  readonly timeoutMs: number;
}

/** The bot as `getMe` tells it, as far as polling cares. */
export interface Me {
  readonly id: number;
  readonly username: string;
}

export interface WebhookInfo {
  /** Empty when no webhook is set. */
  readonly url: string;
  /** How many updates wait at Telegram. */
  readonly pendingUpdateCount: number;
}

export interface GetUpdatesParameters {
  /** Forgets every update below it. Left out before anything was accepted: then nothing is forgotten. */
  readonly offset?: number;
  readonly timeoutSeconds: number;
  readonly limit: number;
  /** Always sent: left out, the server keeps what the previous program asked for. `[]` means its default kinds. */
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
