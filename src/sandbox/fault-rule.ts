/** Fault rules: which requests fail, how, how often and for how long. */
/** A fault of one request. */
export type RequestFault =
  /** The request takes this much longer. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Response 429 with `parameters.retry_after`. The method is not executed. */
  | { readonly kind: 'too-many-requests'; readonly retryAfterSeconds: number }
  /** A JSON response with `ok: false` and any 4xx or 5xx status. The method is not executed. */
  | { readonly kind: 'error'; readonly status: number; readonly description?: string }
  /** An HTML page of a proxy with any status from 200, even 200. The method is not executed. */
  | { readonly kind: 'html'; readonly status: number }
  /** The connection is reset (RST) without a response. The method is not executed. */
  | { readonly kind: 'reset' }
  /** The connection stays open, but no response is sent. The method is not executed. */
  | { readonly kind: 'half-open' }
  /** The method is executed, but the response ends in the middle of its body and the connection is closed. */
  | { readonly kind: 'truncated' }
  /** The method is executed, but the response is not valid JSON. */
  | { readonly kind: 'invalid-json' }
  /** Response 401, as for a revoked token. The method is not executed. */
  | { readonly kind: 'revoked' };

/** A fault of the whole server, for as long as the rule is active. */
type ServerFault =
  /** The server does not listen: new connections are refused, and open connections are reset. */
  | { readonly kind: 'refuse' }
  /**
   * A second program polls with the bot's token: polls of 50 s, one second apart. With `confirms` it confirms the updates
   * it gets, which takes them away from the bot.
   */
  | { readonly kind: 'rival'; readonly confirms?: boolean };

/** Picks one of several faults at random for each request. */
interface AssortedFault {
  readonly kind: 'assorted';
  /** Default: `everyFailure`. */
  readonly of?: readonly RequestFault[];
}

/** The requests that a rule applies to. Without any field, a rule applies to all requests. */
interface FaultScope {
  /** The names of one or several methods, in any case. */
  readonly method?: string | readonly string[];
  /** A bot's id. */
  readonly bot?: number;
  /** The number of matching requests that pass before the first fault. */
  readonly after?: number;
  /** The number of faults after which the rule ends. 0: the rule applies only to requests pending when it is added. */
  readonly times?: number;
  /** The share of matching requests that fail (0 to 1): random, but the same in every run with the same seed. */
  readonly fraction?: number;
  /** The time after which the rule ends. */
  readonly forMs?: number;
}

/**
 * A fault and the requests it applies to. A new rule also applies to matching requests that are pending, such as a long
 * poll, unless the fault is latency.
 */
export type FaultRule = (RequestFault | ServerFault | AssortedFault) & FaultScope;

/** Every fault that makes a request fail at once. */
export const everyFailure: readonly RequestFault[] = [
  { kind: 'too-many-requests', retryAfterSeconds: 1 },
  { kind: 'error', status: 500, description: 'Internal Server Error' },
  { kind: 'html', status: 502 },
  { kind: 'html', status: 404 },
  { kind: 'html', status: 200 },
  { kind: 'reset' },
  { kind: 'truncated' },
  { kind: 'invalid-json' },
];
