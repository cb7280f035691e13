/**
 * Faults on demand: which requests fare badly, how, how often and for how long.
 */
import { isRecord } from './parameters.js';

/** What befalls one request. */
export type RequestFault =
  /** It takes this much longer there and back; otherwise all goes well. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** 429 with `parameters.retry_after`; not executed. */
  | { readonly kind: 'too-many-requests'; readonly retryAfterSeconds: number }
  /** `ok: false` in the server's own JSON (any 4xx or 5xx); not executed. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly description?: string;
    }
  /** The page of a proxy in front, with any status, 200 included; not executed. */
  | { readonly kind: 'html'; readonly status: number }
  /** The connection is reset (RST) before an answer; not executed. */
  | { readonly kind: 'reset' }
  /** The connection goes silent for good: neither answered nor closed; not executed. */
  | { readonly kind: 'half-open' }
  /** Executed; the answer is cut off in the middle of its body, and the connection ends. */
  | { readonly kind: 'truncated' }
  /** Executed; the answer is whole, but is not JSON. */
  | { readonly kind: 'invalid-json' }
  /** 401 Unauthorized, as for a revoked token; not executed. */
  | { readonly kind: 'revoked' };

/** What befalls the server as a whole, while the rule lasts. */
type ServerFault =
  /** Nothing listens on the port: connections are refused, and those to the Bot API that exist are reset. */
  | { readonly kind: 'refuse' }
  /**
   * Another program polls with the same token (50 s polls, one second after it has lost one), and confirms nothing;
   * with `confirms` it takes the updates it gets away from the bot.
   */
  | { readonly kind: 'rival'; readonly confirms?: boolean };

/** One of several faults at random, for each request anew. */
interface AssortedFault {
  readonly kind: 'assorted';
  /** Defaults to every way in which a request fails at once: `everyFailure`. */
  readonly of?: readonly RequestFault[];
}

/** Which requests a rule is about. All that is left out does not restrict. */
interface FaultScope {
  /** One method or several; case does not matter. */
  readonly method?: string | readonly string[];
  /** A bot's id. */
  readonly bot?: number;
  /** Lets so many matching requests pass first. */
  readonly after?: number;
  /** Ends after so many hits. 0: hits only what is under way when the rule is added. */
  readonly times?: number;
  /** Hits this share of matching requests (0 to 1), at random but the same in every run with the same seed. */
  readonly fraction?: number;
  /** Ends after this time. */
  readonly forMs?: number;
}

/**
 * A fault and its scope. A new rule also hits matching requests that are under way (a long poll that waits),
 * except for latency.
 */
export type FaultRule = (RequestFault | ServerFault | AssortedFault) & FaultScope;

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

/** The figures a kind cannot do without. */
const requiredFields: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    latency: ['ms'],
    'too-many-requests': ['retryAfterSeconds'],
    error: ['status'],
    html: ['status'],
    reset: [],
    'half-open': [],
    truncated: [],
    'invalid-json': [],
    revoked: [],
    refuse: [],
    rival: [],
    assorted: [],
  } satisfies Record<FaultRule['kind'], readonly string[]>),
);

const isText = (value: unknown): boolean => typeof value === 'string';
const isFigure = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const isListOf =
  (isItem: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isItem);

const fieldTypes: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['kind', isText],
  ['ms', isFigure],
  ['retryAfterSeconds', isFigure],
  ['status', isFigure],
  ['description', isText],
  ['confirms', (value) => typeof value === 'boolean'],
  ['of', isListOf((value) => isFaultRule(value))],
  ['method', (value) => isText(value) || isListOf(isText)(value)],
  ['bot', isFigure],
  ['after', isFigure],
  ['times', isFigure],
  ['fraction', (value) => isFigure(value) && Number(value) <= 1],
  ['forMs', isFigure],
]);

/** Whether this is a rule: of a known kind, with what it needs, and nothing that is misspelt or of a wrong type. */
export function isFaultRule(value: unknown): value is FaultRule {
  if (!isRecord(value)) return false;
  const required = requiredFields.get(`${value['kind']}`);
  if (!required) return false;
  return (
    required.every((field) => Object.hasOwn(value, field)) &&
    Object.entries(value).every(([field, content]) => fieldTypes.get(field)?.(content))
  );
}
